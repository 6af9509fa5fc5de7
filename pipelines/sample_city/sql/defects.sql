-- What the values in resources/defect_kinds.yaml are written with.
create macro impossible_date(day) as strftime(day, '%Y') || '-02-30';
create macro garbled(value) as substr(value, 1, 2) || '锟斤拷' || substr(value, 5);
create macro garbled_name(value) as substr(value, 1, 1) || '锟斤拷';
-- Only the check character is wrong: the next one of its alphabet stands there.
create macro wrong_resident_number(number) as
  substr(number, 1, 17) || translate(substr(number, 18), '0123456789X', '1234567890' || '5');
create macro wrong_unified_code(code) as
  substr(code, 1, 17) || translate(substr(code, 18), '0123456789ABCDEFGHJKLMNPQRTUWXY', '123456789ABCDEFGHJKLMNPQRTUWXY0');
