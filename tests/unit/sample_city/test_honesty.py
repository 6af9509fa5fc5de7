"""What holds between the registers of the sample city, and what changes from night to night."""

from __future__ import annotations

import polars as pl
import pytest
from stdnum.cn import uscc

from quality.check_digits import resident_number_holds, unified_code_holds
from quality.expectations.tolerance import accepts
from quality.relation_rules import RELATION_CHECKS, judged_rows
from tests.unit.sample_city.conftest import make_city
from tests.unit.sample_city.reading import findings, read_lines, read_typed


@pytest.fixture(scope="module")
def warehouse(city):
    """All rows of all nights by `department__dataset`, accepted rows only, with their place."""
    tables: dict[str, list[pl.DataFrame]] = {}
    for contract, business_date, path in city.deliveries():
        frame = read_typed(path, contract)
        columns = [column.name for column in contract.columns]
        refused = {line for line, _ in findings(path, contract, business_date)}
        placed = frame.select(columns).with_columns(
            pl.lit(path.name).alias("_delivery_id"),
            pl.lit(business_date).alias("_business_date"),
            pl.lit(0).alias("_sequence"),
            pl.int_range(2, len(frame) + 2, dtype=pl.Int64).alias("_line_number"),
        )
        tables.setdefault(contract.table, []).append(
            placed.filter(~pl.col("_line_number").is_in(list(refused)))
        )
    return {table: pl.concat(frames) for table, frames in tables.items()}


@pytest.fixture(scope="module")
def connection(warehouse, city):
    """The warehouse as it stands after the last night: schemas `raw` and `staging`."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema staging; create schema quarantine")
        for contract in city.catalogue.contracts:
            if contract.table not in warehouse:
                continue
            frame = warehouse[contract.table]
            if contract.delivery == "full":
                frame = frame.filter(pl.col("_business_date") == frame["_business_date"].max())
            connection.register("frame", frame.to_arrow())
            connection.execute(f"create table raw.{contract.table} as from frame")
            connection.execute(  # empty: a reference must not need what was refused
                f"create table quarantine.{contract.table} as from frame limit 0"
            )
            connection.execute(
                f"create table staging.stg_{contract.table} as from raw.{contract.table} "
                f"qualify row_number() over (partition by {', '.join(contract.key)} "
                "order by _business_date desc, _line_number) = 1"
            )
        yield connection


def test_relation_rules_find_the_planted_defects_still_open_and_nothing_else(connection, city):
    """Prevents: a refused enterprise that makes findings in the registers of its employees."""
    checked = 0
    for contract in city.catalogue.contracts:
        for rule in contract.rules_of("relation"):
            if (
                rule.check not in RELATION_CHECKS
                or contract.dataset == "enterprise_register_extract"
            ):
                continue
            query = RELATION_CHECKS[rule.check].failing_rows(rule, contract)
            found = set(connection.execute(query).fetchall())
            (total,) = connection.execute(judged_rows(rule, contract)).fetchone()
            if accepts(rule.options, len(found), total):
                found = set()
            planted = city.truth(
                "select file_name, line_number from {defect} where corrected_on is null "
                f"and dataset = '{contract.dataset}' and rule_id = '{rule.rule_id}'"
            )
            if contract.delivery == "full":
                last = max(path.name for c, _, path in city.deliveries() if c == contract)
                planted = [place for place in planted if place[0] == last]
            assert found == set(planted), rule.rule_id
            checked += len(found)
    assert checked


def test_identifiers_carry_their_check_characters(warehouse):
    """Prevents: a made-up city whose identifiers a second opinion refuses."""
    residents = warehouse["public_security__resident"]["id_number"]
    codes = warehouse["market_regulation__enterprise"]["unified_code"].unique()
    assert resident_number_holds(residents).all()
    assert unified_code_holds(codes).all()
    assert all(uscc.is_valid(code) for code in codes)
    assert all(_organisation_code_holds(code[8:17]) for code in codes)


def _organisation_code_holds(code: str) -> bool:
    """GB 11714, written a second time, a character at a time."""
    total = sum(int(c, 36) * w for c, w in zip(code[:8], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return code[8] == {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def test_a_key_stands_once_in_a_file_unless_its_row_is_a_planted_repeat(city):
    """Prevents: a change and a correction of one row in the same increment."""
    for contract, _, path in city.deliveries():
        places = [[column.name for column in contract.columns].index(key) for key in contract.key]
        keys = [tuple(row[place] for place in places) for row in read_lines(path, contract)[1:]]
        whole = [key for key in keys if "" not in key]
        planted = city.truth(
            f"select count(*) from {{defect}} where file_name = '{path.name}' "
            f"and dataset = '{contract.dataset}' and kind = 'repeated_row'"
        )
        assert len(whole) - len(set(whole)) == planted[0][0], path.name


def test_corrections_arrive_on_the_day_that_the_truth_names(city):
    """Prevents: a work order that can never close, or one that closes for no reason."""
    files = {(c.dataset, day): (c, path) for c, day, path in city.deliveries()}
    corrected = city.truth(
        "select dataset, file_name, line_number, column_name, corrected_on from {defect} "
        "where corrected_on is not null and kind <> 'repeated_row'"
    )
    assert corrected
    by_name = {path.name: (c, path) for c, _, path in city.deliveries()}
    for dataset, name, line, column, day in corrected:
        contract, path = by_name[name]
        place = [c.name for c in contract.columns].index(column)
        spoilt = read_lines(path, contract)[line - 1]
        rest = spoilt[:place] + spoilt[place + 1 :]
        later = read_lines(files[dataset, day][1], contract)[1:]
        mended = [row for row in later if row[:place] + row[place + 1 :] == rest]
        assert len(mended) == 1
        assert mended[0][place] not in ("", spoilt[place])


def test_registers_differ_as_real_ones_do(warehouse):
    """Prevents: a linkage that looks perfect because every register says the same."""
    residents = warehouse["public_security__resident"].unique("id_number", keep="last")
    insured = warehouse["human_resources__social_insurance_enrolment"].unique("id_number")
    both = insured.join(residents, on="id_number", suffix="_resident")
    differing = (both["full_name"] != both["full_name_resident"]).mean()
    assert 0 < differing < 0.02
    assert len(insured.join(residents, on="id_number", how="anti")) > 20  # people from outside


def test_later_nights_bring_new_and_changed_rows(city):
    """Prevents: increments that hold nothing but corrections."""
    rows = {}
    for contract, _, path in city.deliveries():
        if contract.delivery == "increment":
            rows.setdefault(contract.name, []).append(len(read_lines(path, contract)) - 1)
    first = sum(counts[0] for counts in rows.values())
    later = [sum(counts[night] for counts in rows.values()) for night in range(1, city.nights)]
    assert all(0.003 < count / first < 0.02 for count in later)


def test_a_night_changes_as_much_as_was_asked(tmp_path, catalogue):
    """Prevents: a night "with one row in a hundred changed" that is timed with half as many."""
    city = make_city(tmp_path, catalogue, residents=6000, nights=2, change_rate=0.01)
    rows = {1: 0, 2: 0}
    for contract, day, path in city.deliveries():
        if contract.delivery == "increment":
            rows[1 + (day - city.first_date).days] += len(read_lines(path, contract)) - 1
    assert 0.009 < rows[2] / rows[1] < 0.011


def test_verdicts_follow_from_the_registers(warehouse, city, connection):
    """Prevents: a planted verdict that the departments' own rows do not bear out.

    The registers here lack the rows with open defects, so a verdict may differ for the few
    claims that rest on one; every other one must agree.
    """
    connection.execute(
        f"create or replace table verdict as from '{city.home.sample_truth / 'verdict.parquet'}'"
    )
    agreeing, total = connection.execute(_VERDICTS).fetchone()
    assert total > 300
    assert agreeing / total > 0.98
    claims = connection.execute(
        "select count(distinct verdict) from verdict group by claim"
    ).fetchall()
    assert len(claims) == 6
    assert all(verdicts >= 2 for (verdicts,) in claims)


_VERDICTS = """
with application as (from staging.stg_education__enrolment_application),
judged as (
  select application_number, 'household' as claim,
    case when max(resident.id_number) is null then 'no_record'
      when bool_or(registration_status = '正常' and division_code = claimed_household_division)
      then 'verified' else 'contradicted' end as verdict
  from application left join staging.stg_public_security__resident as resident
    on resident.id_number = child_id_number
  where claimed_household_division is not null group by all
  union all
  select application_number, 'real_estate',
    case when max(unit_number) is null then 'no_record'
      when bool_or(owner_id_number = guardian_id_number and right_status = '现势'
        and usage = '住宅') then 'verified' else 'contradicted' end
  from application left join staging.stg_natural_resources__real_estate
    on unit_number = claimed_unit_number
  where claimed_unit_number is not null group by all
  union all
  select application_number, 'residence_permit',
    case when max(permit_number) is null then 'no_record'
      when bool_or(id_number = guardian_id_number and valid_until >= applied_on)
      then 'verified' else 'contradicted' end
  from application left join staging.stg_public_security__residence_permit
    on permit_number = claimed_permit_number
  where claimed_permit_number is not null group by all
  union all
  select application_number, 'social_insurance',
    case when max(id_number) is null then 'no_record'
      when bool_or(enrolment_status = '参保缴费') then 'verified' else 'contradicted' end
  from application left join staging.stg_human_resources__social_insurance_enrolment
    on id_number = guardian_id_number
  where claims_social_insurance = '是' group by all
  union all
  select application_number, 'business_licence',
    case when max(unified_code) is null then 'no_record'
      when bool_or(legal_representative_id_number = guardian_id_number
        and enterprise_status = '在营') then 'verified' else 'contradicted' end
  from application left join staging.stg_market_regulation__enterprise
    on unified_code = claimed_licence_code
  where claimed_licence_code is not null group by all
  union all
  select application_number, 'tax_payment',
    case when max(unified_code) is null then 'no_record'
      when bool_or(tax_paid > 0) then 'verified' else 'contradicted' end
  from application left join staging.stg_taxation__tax_payment
    on unified_code = claimed_licence_code and paid_on < applied_on
    and paid_on >= applied_on - interval 12 month
  where claims_tax_payment = '是' group by all)
select count(*) filter (where judged.verdict = verdict.verdict), count(*)
from judged inner join verdict using (application_number, claim)
"""
