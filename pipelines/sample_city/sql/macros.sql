-- What every other file draws with. $seed, $first_date, $nights are filled in by `world`.
-- Nothing is random: a number is drawn from the seed, an entity and a purpose. The inner hash
-- alone would tie two purposes of one entity together, hence the outer one.
create macro draw(id, purpose) as
  (hash(hash(id::bigint, purpose, $seed::bigint)) >> 11) / 9007199254740992.0;
create macro slot(id, purpose, size) as floor(draw(id, purpose) * size)::bigint;
create macro pick(id, purpose, choices) as choices[1 + slot(id, purpose, len(choices))];
create macro first_date() as date '$first_date';
create macro nights() as $nights;
create macro night_date(night) as first_date() + (night - 1)::integer;
create macro last_date() as night_date(nights());
-- The night (2 or later) on which this happens to the entity, at `rate` a night; null if never.
-- $pace is above 1 in a city that changes faster than usual.
create macro happens(id, purpose, rate) as
  case when draw(id, purpose) < rate * $pace * (nights() - 1)
    then least(2 + floor(draw(id, purpose) / (rate * $pace))::bigint, nights()) end;
create macro amount(number) as round(number, 2)::decimal(18, 2);

-- GB 11643: seventeen digits and their check character.
create macro resident_check(n) as substr('10X98765432', 1 + ((
  (n // 10000000000000000 % 10) * 7 + (n // 1000000000000000 % 10) * 9
  + (n // 100000000000000 % 10) * 10 + (n // 10000000000000 % 10) * 5
  + (n // 1000000000000 % 10) * 8 + (n // 100000000000 % 10) * 4
  + (n // 10000000000 % 10) * 2 + (n // 1000000000 % 10) * 1
  + (n // 100000000 % 10) * 6 + (n // 10000000 % 10) * 3
  + (n // 1000000 % 10) * 7 + (n // 100000 % 10) * 9
  + (n // 10000 % 10) * 10 + (n // 1000 % 10) * 5
  + (n // 100 % 10) * 8 + (n // 10 % 10) * 4 + (n % 10) * 2) % 11)::bigint, 1);
create macro resident_number(body) as body || resident_check(body::bigint);

-- GB 11714: eight characters and their check character; GB 32100: the whole code.
create macro organisation_value(body, place) as
  strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(body, place, 1)) - 1;
create macro organisation_code(body) as body || substr('0X987654321', 1 + ((
  organisation_value(body, 1) * 3 + organisation_value(body, 2) * 7
  + organisation_value(body, 3) * 9 + organisation_value(body, 4) * 10
  + organisation_value(body, 5) * 5 + organisation_value(body, 6) * 8
  + organisation_value(body, 7) * 4 + organisation_value(body, 8) * 2) % 11)::bigint, 1);
create macro unified_character(value) as
  substr('0123456789ABCDEFGHJKLMNPQRTUWXY', 1 + value::bigint, 1);
create macro unified_value(body, place) as
  strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(body, place, 1)) - 1;
create macro unified_code(body) as body || unified_character((31 - (
  unified_value(body, 1) * 1 + unified_value(body, 2) * 3 + unified_value(body, 3) * 9
  + unified_value(body, 4) * 27 + unified_value(body, 5) * 19 + unified_value(body, 6) * 26
  + unified_value(body, 7) * 16 + unified_value(body, 8) * 17 + unified_value(body, 9) * 20
  + unified_value(body, 10) * 29 + unified_value(body, 11) * 25 + unified_value(body, 12) * 13
  + unified_value(body, 13) * 8 + unified_value(body, 14) * 24 + unified_value(body, 15) * 10
  + unified_value(body, 16) * 30 + unified_value(body, 17) * 28) % 31) % 31);
-- Organisation codes of eight digits stay below 70000000 in the register: these are in none.
create macro unregistered_code(id) as
  unified_code('91371302' || organisation_code((70000000 + slot(id, 'unregistered', 29999999))::varchar));

create macro street_address(id, purpose, division_name, township) as
  '山东省临沂市' || division_name || township || case when township like '%街道' then
    pick(id, 'road of ' || purpose, $roads) || (1 + slot(id, 'house of ' || purpose, 400)) || '号'
    || (1 + slot(id, 'building of ' || purpose, 24)) || '号楼'
    || (1 + slot(id, 'entrance of ' || purpose, 4)) || '单元'
    || (101 + 100 * slot(id, 'floor of ' || purpose, 11) + slot(id, 'door of ' || purpose, 2)) || '室'
  else
    pick(id, 'side of ' || purpose, ['前', '后', '东', '西', '大', '小', '南', '北', '上', '下'])
    || pick(id, 'clan of ' || purpose, ['王', '张', '李', '刘', '孙', '朱', '宋', '高', '杨', '赵'])
    || pick(id, 'kind of ' || purpose, ['家庄', '家岭', '庄', '家湖', '家沟', '官庄', '家埠']) || '村'
    || (1 + slot(id, 'house of ' || purpose, 600)) || '号'
  end;
create macro mobile(id, purpose) as
  '1' || pick(id, 'network of ' || purpose, ['35', '36', '38', '39', '50', '51', '52', '58', '59', '78', '86', '87', '88', '99'])
  || lpad(slot(id, purpose, 100000000)::varchar, 8, '0');
-- How a register wrote a name: now and then with a homophone or the traditional form.
create macro name_in(register, person_id, full_name, other_name) as
  case when draw(person_id, 'name in ' || register) < 0.008 then coalesce(other_name, full_name)
    else full_name end;
create macro unit_number(division_code, household_id, number) as
  division_code || lpad((1 + household_id // 5000 % 900)::varchar, 3, '0')
  || lpad((1 + household_id % 5000 // 100)::varchar, 3, '0')
  || 'GB' || lpad((1 + household_id % 97)::varchar, 5, '0')
  || 'F' || number || lpad(household_id::varchar, 7, '0');
