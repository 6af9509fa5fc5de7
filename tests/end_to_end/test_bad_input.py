"""What a department does wrong stays with that department, and is told to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.home import Home
from tests.end_to_end.conftest import FIRST_NIGHT, SECOND_NIGHT, City

pytestmark = pytest.mark.slow


def _landed(home: Home, department: str, pattern: str) -> list:
    return sorted((home.landing / department).glob(pattern))


@pytest.fixture(scope="module")
def city(new_city: Callable[[], City]) -> City:
    """The first night runs well; before the second, five departments go wrong."""
    city = new_city()
    city.sample(residents=1_000, nights=2)
    assert city.night(FIRST_NIGHT).exit_code == 0
    city.people_before = city.published("select count(*) from population.person")[0][0]
    home = city.home
    for path in _landed(home, "power_supply", "*_20260701*"):
        path.unlink()  # a department that does not deliver
    (empty,) = _landed(home, "public_security", "residence_permit_20260701*")
    empty.write_bytes(b"")
    (wrong_header,) = _landed(home, "taxation", "*_20260701*")
    wrong_header.write_text(wrong_header.read_text().replace("电子税票号", "税票", 1))
    (unreadable,) = _landed(home, "education", "*_20260701*")
    unreadable.write_bytes(b"PK\x03\x04 this was a workbook once")
    contract = city.sources / "natural_resources" / "real_estate.odcs.yaml"
    contract.write_text(contract.read_text().replace("severity: error", "severity: fatal", 1))
    (home.landing / "taxation" / "secret_list_20260701.csv").write_text("a,b\n1,2\n")
    city.result = city.night(SECOND_NIGHT)
    return city


def test_the_exit_code_and_the_summary_say_what_went_wrong(city: City) -> None:
    assert city.result.exit_code == 1
    for name in ("power_supply/electricity_usage", "public_security/residence_permit",
                 "taxation/tax_payment", "education/enrolment_application",
                 "natural_resources/real_estate"):  # fmt: skip
        assert name in city.result.output
    assert "real_estate.odcs.yaml:" in city.result.output, "the contract's line is not named"
    assert "secret_list_20260701.csv" in city.result.output


def test_refused_deliveries_are_marked_with_their_reason(city: City) -> None:
    refused = dict(
        city.warehouse(
            "select dataset, reason from meta.delivery where status = 'refused' order by dataset"
        )
    )
    assert refused["residence_permit"].startswith("empty_file")
    assert "电子税票号" in refused["tax_payment"]
    assert refused["enrolment_application"].startswith("unreadable_file")
    assert refused["real_estate"].startswith("contract_invalid")
    assert set(refused) == {
        "residence_permit", "tax_payment", "enrolment_application", "real_estate",
    }  # fmt: skip


def test_the_others_are_loaded_and_published(city: City) -> None:
    loaded = city.warehouse(
        "select count(*) from meta.delivery where business_date = '2026-07-01' "
        "and status = 'loaded'"
    )
    assert loaded == [(7,)]
    assert city.version.startswith("20260701")
    assert city.published("select count(*) from population.person")[0][0] >= city.people_before


def test_what_was_loaded_before_stays_in_force(city: City) -> None:
    assert city.published("select count(*) from scenario.enrolment_application")[0][0] > 0
    assert (
        city.warehouse("select count(*) from staging.stg_natural_resources__real_estate")[0][0] > 0
    )


def test_each_department_concerned_gets_a_work_order(city: City) -> None:
    orders = set(
        city.published(
            "select department, dataset, cause from quality.work_order "
            "where opened_on = date '2026-07-01'"
        )
    )
    assert orders == {
        ("power_supply", "electricity_usage", "delivered_on_time"),
        ("public_security", "residence_permit", "delivery_readable"),
        ("taxation", "tax_payment", "missing_column:voucher_number"),
        ("education", "enrolment_application", "cut_file"),
        ("natural_resources", "real_estate", "contract_valid"),
    }


def test_nothing_is_lost(city: City) -> None:
    """A refused file lies in the archive; one without contract, or with a broken one, waits."""
    waiting = {path.name for path in city.home.landing.rglob("*") if path.is_file()}
    assert waiting == {"secret_list_20260701.csv", "real_estate_20260701.csv"}
    for sm3 in city.warehouse("select sm3 from meta.delivery where status = 'refused'"):
        assert list((city.home.archive / sm3[0][:2]).glob(f"{sm3[0]}.*"))


def test_the_mended_contract_loads_what_waited(city: City) -> None:
    contract = city.sources / "natural_resources" / "real_estate.odcs.yaml"
    contract.write_text(contract.read_text().replace("severity: fatal", "severity: error"))
    city.night(SECOND_NIGHT)
    status = city.warehouse(
        "select status from meta.delivery where dataset = 'real_estate' "
        "and business_date = '2026-07-01'"
    )
    assert status == [("loaded",)]
    order = city.published("select state from quality.work_order where cause = 'contract_valid'")
    assert ("open",) not in order


def test_a_failing_model_publishes_nothing_and_says_so(city: City) -> None:
    before = city.version
    broken = city.dbt_project / "tests" / "assert_the_city_is_empty.sql"
    broken.write_text("select 1 as found from {{ ref('person') }}")
    result = city.night(SECOND_NIGHT)
    broken.unlink()
    assert result.exit_code == 1
    assert "assert_the_city_is_empty" in result.output
    assert city.version == before


def test_wrong_arguments_end_with_exit_code_2(city: City) -> None:
    assert city.run("nightly", "--date", "30.6.2026").exit_code == 2
    assert city.run("sample", "--residents", "10").exit_code == 2
    assert city.run("query", "select * from nowhere").exit_code == 2


def test_a_home_without_deliveries_says_what_to_do(new_city: Callable[[], City]) -> None:
    result = new_city().run("nightly")
    assert result.exit_code == 2
    assert "yishu sample" in result.output
