"""The dbt project on small warehouses: it builds with nothing delivered, and judges a family."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_warehouse import DbtRun, SmallWarehouse

from pipelines.home import PROJECT, Home
from pipelines.tokens import read_key, tokenizer

NIGHT = date(2026, 3, 31)
APPLIED = date(2026, 3, 20)

CHILD, FATHER = "371302201906150012", "371302198803040039"
OTHER_CHILD, MOTHER = "371311201907200025", "371311199001010066"
STRANGER = "371302197505050077"
COMPANY, CLOSED = "91371302MA3ABCDE11", "91371302MA3ABCDE22"
UNIT, SHOP = "371302001001GB00001F00010001", "371302001001GB00001F00010002"
PEOPLE = {CHILD: "张小明", FATHER: "张伟", OTHER_CHILD: "王小雨", MOTHER: "王芳", STRANGER: "李强"}
PHONE = "13905390001"


def _resident(number: str, **other: Any) -> dict[str, Any]:
    return {
        "id_number": number,
        "full_name": PEOPLE[number],
        "sex_code": "男" if int(number[16]) % 2 else "女",
        "birth_date": date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        "ethnicity": "汉族",
        "household_number": "100000001",
        "relation_to_head": "子女",
        "address": "兰山区沂蒙路1号",
        "division_code": number[:6],
        "registration_status": "正常",
        "registered_on": date(2020, 1, 1),
    } | other


def _application(number: str, child: str, guardian: str, **claims: Any) -> dict[str, Any]:
    return {
        "application_number": number,
        "child_id_number": child,
        "child_name": PEOPLE[child],
        "child_birth_date": date(int(child[6:10]), int(child[10:12]), int(child[12:14])),
        "guardian_id_number": guardian,
        "guardian_name": PEOPLE[guardian],
        "guardian_relation": "父亲",
        "guardian_phone": PHONE,
        "school_division_code": "371302",
        "claims_social_insurance": "否",
        "claims_tax_payment": "否",
        "applied_on": APPLIED,
    } | claims


def _payment(voucher: str, code: str, paid: int, paid_on: date) -> dict[str, Any]:
    return {
        "voucher_number": voucher,
        "unified_code": code,
        "taxpayer_name": "沂蒙（临沂）食品有限公司",
        "tax_period": "2026-01",
        "tax_kind": "增值税",
        "tax_due": 500,
        "tax_paid": paid,
        "paid_on": paid_on,
    }


def _enterprise(code: str, status: str) -> dict[str, Any]:
    return {
        "unified_code": code,
        "enterprise_name": "沂蒙(临沂)食品有限公司",
        "enterprise_kind": "有限责任公司",
        "legal_representative": "张炜",
        "legal_representative_id_number": FATHER,
        "registered_capital": 500,
        "established_on": date(2015, 6, 1),
        "enterprise_status": status,
        "industry_code": "C1495",
        "division_code": "371302",
        "registered_address": "兰山区工业大道2号",
    }


def _fill(warehouse: SmallWarehouse) -> None:
    yesterday = date(2026, 3, 30)
    warehouse.deliver(
        "public_security/resident",
        [
            _resident(FATHER, relation_to_head="户主", division_code="371311"),
            _resident(CHILD),
            _resident(OTHER_CHILD, registration_status="迁出"),
        ],
        on=yesterday,
    )
    # the next day the father moves; his older registration must not be used
    warehouse.deliver("public_security/resident", [_resident(FATHER, relation_to_head="户主")])
    warehouse.deliver(
        "natural_resources/real_estate",
        [
            {"unit_number": unit, "owner_id_number": FATHER, "owner_name": PEOPLE[FATHER],
             "certificate_number": f"鲁{line}", "location": "兰山区沂蒙路1号",
             "division_code": "371302", "usage": usage, "floor_area_m2": 100,
             "registered_on": date(2020, 1, 1), "right_status": "现势"}
            for line, (unit, usage) in enumerate([(UNIT, "住宅"), (SHOP, "商业")])
        ],
    )  # fmt: skip
    warehouse.deliver(
        "public_security/residence_permit",
        [
            {"permit_number": "JZ0000000001", "id_number": FATHER, "full_name": PEOPLE[FATHER],
             "residence_address": "兰山区沂蒙路1号", "division_code": "371302", "phone": PHONE,
             "issued_on": date(2025, 6, 1), "valid_until": date(2026, 6, 1)},
        ],
    )  # fmt: skip
    warehouse.deliver(
        "human_resources/social_insurance_enrolment",
        [
            {"id_number": person, "full_name": PEOPLE[person],
             "insurance_kind": "企业职工基本养老保险", "employer_code": COMPANY,
             "employer_name": "沂蒙（临沂）食品有限公司", "enrolled_on": date(2016, 1, 1),
             "enrolment_status": status, "last_paid_month": "2026-02", "contribution_base": 5000}
            for person, status in [(FATHER, "参保缴费"), (MOTHER, "暂停缴费")]
        ],
    )  # fmt: skip
    warehouse.deliver(
        "market_regulation/enterprise",
        [_enterprise(COMPANY, "在营"), _enterprise(CLOSED, "吊销")],
    )
    warehouse.deliver(
        "taxation/tax_payment",
        [
            _payment("337100000000000001", COMPANY, 500, date(2026, 2, 10)),
            _payment("337100000000000002", CLOSED, 0, date(2026, 2, 10)),
        ],
    )
    every_claim = {"claims_social_insurance": "是", "claims_tax_payment": "是"}
    warehouse.deliver(
        "education/enrolment_application",
        [
            _application(
                "RX0000000001", CHILD, FATHER, claimed_household_division="371302",
                claimed_unit_number=UNIT, claimed_permit_number="JZ0000000001",
                claimed_licence_code=COMPANY, **every_claim,
            ),
            _application(
                "RX0000000002", OTHER_CHILD, MOTHER, claimed_household_division="371311",
                claimed_unit_number=SHOP, claimed_permit_number="JZ0000000001",
                claimed_licence_code=CLOSED, **every_claim,
            ),
            _application(
                "RX0000000003", CHILD, STRANGER, claimed_household_division="371302",
                claimed_unit_number=UNIT[:-1] + "9", claimed_permit_number="JZ0000000009",
                claimed_licence_code="91371302MA3ABCDE33", **every_claim,
            ),
            _application("RX0000000004", CHILD, FATHER),
        ],
    )  # fmt: skip


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> DbtRun:
    warehouse = SmallWarehouse(tmp_path_factory.mktemp("family"), NIGHT)
    _fill(warehouse)
    return warehouse.build("--exclude-resource-type", "unit_test")


def test_everything_builds_before_any_department_has_delivered(tmp_path: Path) -> None:
    run = SmallWarehouse(tmp_path, NIGHT).build()
    assert run.broken == {}
    assert run.rows("select count(*) from population.person") == [(0,)]


def test_everything_builds_on_a_family(family: DbtRun) -> None:
    assert family.broken == {}


def test_each_claim_gets_its_verdict(family: DbtRun) -> None:
    rows = family.rows(
        "select application_number, claim, verdict, reason_code "
        "from scenario.enrolment_verification"
    )
    verified = {
        "household": "household_registered", "real_estate": "real_estate_owned",
        "residence_permit": "permit_valid", "social_insurance": "insurance_paying",
        "business_licence": "licence_held", "tax_payment": "tax_paid",
    }  # fmt: skip
    contradicted = {
        "household": "household_not_in_force", "real_estate": "real_estate_owned_by_others",
        "residence_permit": "permit_of_others", "social_insurance": "insurance_not_paying",
        "business_licence": "licence_of_others", "tax_payment": "tax_nothing_paid",
    }  # fmt: skip
    no_record = {
        "real_estate": "real_estate_not_found", "residence_permit": "permit_not_found",
        "social_insurance": "insurance_not_found", "business_licence": "licence_not_found",
        "tax_payment": "tax_not_found",
    }  # fmt: skip
    expected = {("RX0000000001", c, "verified", r) for c, r in verified.items()}
    expected |= {("RX0000000002", c, "contradicted", r) for c, r in contradicted.items()}
    expected |= {("RX0000000003", c, "no_record", r) for c, r in no_record.items()}
    expected |= {("RX0000000003", "household", "verified", "household_registered")}
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_only_a_fully_verified_application_waives_documents(family: DbtRun) -> None:
    rows = family.rows(
        "select application_number, claim_count, documents_waived_count, outcome "
        "from scenario.enrolment_application order by all"
    )
    assert rows == [
        ("RX0000000001", 6, 6, "documents_waived"),
        ("RX0000000002", 6, 0, "manual_review"),
        ("RX0000000003", 6, 1, "manual_review"),
        ("RX0000000004", 0, 0, "manual_review"),
    ]


def test_a_person_has_one_record_made_of_all_sources(family: DbtRun) -> None:
    token = tokenizer(read_key(Home(family.warehouse.parent).token_key))(FATHER)
    [row] = family.rows(
        "select full_name, household_division_code, age_years, is_resident, has_residence_permit, "
        "is_insured, owns_home, is_legal_representative, source_count, conflict_count "
        f"from population.person where person_token = '{token}'"
    )
    assert row == ("张伟", "371302", 38, True, True, True, True, True, 6, 1)
    roles = family.rows(
        "select person_role, count(*) from population.person_source "
        f"where person_token = '{token}' group by all order by all"
    )
    assert roles == [
        ("guardian", 2), ("insured", 1), ("legal_representative", 2), ("owner", 2),
        ("permit_holder", 1), ("resident", 1),
    ]  # fmt: skip


def test_a_name_that_two_departments_write_differently_is_a_conflict(family: DbtRun) -> None:
    rows = family.rows(
        "select attribute, golden_value, golden_dataset, other_value, other_dataset, row_count "
        "from population.person_conflict"
    )
    assert rows == [("full_name", "张伟", "resident", "张炜", "enterprise", 2)]


def test_brackets_of_another_width_are_no_conflict_of_enterprises(family: DbtRun) -> None:
    assert family.rows("select * from legal_entity.legal_entity_conflict") == []
    names = family.rows(
        "select distinct enterprise_name from legal_entity.legal_entity_source "
        f"where unified_code = '{COMPANY}'"
    )
    assert len(names) == 2


def test_an_enterprise_s_profile_counts_what_each_department_knows(family: DbtRun) -> None:
    rows = family.rows(
        "select unified_code, age_years, tax_paid_12_months_cny, tax_on_time_share, "
        "electricity_kwh_12_months, insured_employees_paying, insured_employees_suspended "
        "from credit.enterprise_profile order by all"
    )
    assert rows == [(COMPANY, 10, 500, 1.0, 0, 1, 1), (CLOSED, 10, 0, 0.0, 0, 0, 0)]


def test_the_household_counts_its_registered_members(family: DbtRun) -> None:
    rows = family.rows(
        "select division_code, member_count, minor_count, adult_under_60_count "
        "from population.household where head_token is not null"
    )
    assert rows == [("371302", 2, 1, 1)]


def _is_clear(column: dict[str, Any]) -> bool:
    meta = column["config"]["meta"]
    default = "clear" if meta["level"] in {"L1", "L2"} else "drop"
    return bool(meta.get("publish", default) == "clear")


def test_no_personal_data_stands_in_a_column_that_is_published_in_clear(family: DbtRun) -> None:
    secrets = [*PEOPLE, *PEOPLE.values(), PHONE, "张炜", "沂蒙路"]
    checked = 0
    for path in sorted((PROJECT / "dbt_project" / "models" / "marts").glob("*/*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
            clear = [column["name"] for column in model["columns"] if _is_clear(column)]
            rows = family.rows(f"select {', '.join(clear)} from {path.parent.name}.{model['name']}")
            text = str(rows)
            assert not [secret for secret in secrets if secret in text], model["name"]
            checked += len(clear)
    assert checked > 100
