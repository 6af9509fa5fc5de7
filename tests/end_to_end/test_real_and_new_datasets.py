"""Files that nobody here wrote, and a dataset that nobody here knew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.home import PROJECT
from tests.end_to_end.conftest import FIRST_NIGHT, City

pytestmark = pytest.mark.slow

REAL = PROJECT.parent / "shared" / "data" / "real"
REGISTER = REAL / "enterprise" / "linyi_enterprises_2009_2011.csv"

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 399-10-001
name: 公共停车场信息
version: 1.0.0
status: active
domain: governance
description: {purpose: 停车场一览。}
team: {name: 临沂市城市管理局, members: [{username: 市容科, role: owner}]}
servers:
  - {server: landing, type: local, format: csv, encoding: utf-8,
     path: landing/city_management/car_park_*.csv}
slaProperties:
  - {property: frequency, value: irregular}
  - {property: latency, value: 24, unit: h}
  - {property: retention, value: 5, unit: y}
customProperties:
  - {property: department, value: city_management}
  - {property: dataset, value: car_park}
  - {property: delivery, value: full}
  - {property: shareType, value: unconditional}
  - {property: openType, value: unconditional}
schema:
  - name: car_park
    description: 一行为一个停车场。
    properties:
      - {name: car_park_number, physicalName: 编号, businessName: 编号, logicalType: string,
         physicalType: varchar, required: true, primaryKey: true, classification: L1}
      - {name: space_count, physicalName: 车位数, businessName: 车位数, logicalType: integer,
         physicalType: bigint, required: true, classification: L1}
"""


@pytest.fixture(scope="module")
def city(new_city: Callable[[], City]) -> City:
    """One night with the real register, if it is there, and a dataset more."""
    city = new_city()
    folder = city.sources / "city_management"
    folder.mkdir()
    (folder / "car_park.odcs.yaml").write_text(CONTRACT)
    city.staged = city.run("source", "stage", "city_management/car_park")
    city.checked = city.run("source", "check")
    landing = city.home.landing / "city_management"
    landing.mkdir(parents=True)
    (landing / "car_park_20260630.csv").write_text("编号,车位数\nP1,120\nP2,many\nP3,80\n")
    if REGISTER.exists():
        target = city.home.landing / "market_regulation"
        target.mkdir(parents=True)
        shutil.copy(REGISTER, target / "enterprise_register_extract_20260630.csv")
    city.result = city.night(FIRST_NIGHT)
    return city


def test_a_new_dataset_needs_one_contract_and_its_staging_model(city: City) -> None:
    """Asset, checks, source, schema, suite and workbook all follow from the YAML file."""
    assert city.staged.exit_code == 0, city.staged.output
    assert city.checked.exit_code == 0, city.checked.output
    rows = city.warehouse(
        "select car_park_number, space_count from staging.stg_city_management__car_park"
    )
    assert sorted(rows) == [("P1", 120), ("P3", 80)]
    found = city.published(
        "select line_number, rule_id from quality.defect where dataset = 'car_park'"
    )
    assert found == [(3, "space_count__type")]
    assert list((city.home.outbox / "city_management").glob("*.xlsx"))


def test_departments_that_never_delivered_do_not_stop_the_night(city: City) -> None:
    assert city.result.exit_code == 1, "ten datasets are missing, and the exit code must say so"
    assert city.version.startswith("20260630")


@pytest.mark.skipif(not REGISTER.exists(), reason="the real files are not here")
class TestRealRegister:
    """4,490 registrations of Linyi, as they came."""

    def test_every_row_is_accounted_for(self, city: City) -> None:
        delivery = city.warehouse(
            "select rows_read, rows_accepted + rows_quarantined, status from meta.delivery "
            "where dataset = 'enterprise_register_extract'"
        )
        assert delivery == [(4_490, 4_490, "loaded")]

    def test_unified_codes_are_judged(self, city: City) -> None:
        result = city.published(
            "select status, failed, total from quality.rule_result "
            "where dataset = 'enterprise_register_extract' and rule_id = 'unified_code_check_digit'"
        )
        assert result == [("pass", 0, 4_490)]

    def test_capital_is_parsed_and_its_text_kept(self, city: City) -> None:
        raw = "raw.market_regulation__enterprise_register_extract"
        assert city.warehouse(f"select count(*) from {raw} where registered_capital is null") == [
            (326,)
        ], "N/A must read as missing, and nothing else"
        assert city.warehouse(
            f"select registered_capital_currency, count(*) from {raw} "
            "where registered_capital is not null group by all order by all"
        ) == [("CNY", 4_146), ("USD", 18)]
        assert (
            city.warehouse(
                f"select registered_capital, json_extract_string(_original, 'registered_capital') "
                f"from {raw} where unified_code = '91371326MA3CTU9N9W'"
            )[0][1]
            == "0.12万"
        )

    def test_the_register_reaches_the_legal_entity_mart(self, city: City) -> None:
        assert city.published("select count(*) from legal_entity.legal_entity") == [(4_490,)]


def test_the_real_folder_is_not_part_of_the_repository() -> None:
    """Rows of real files must not slip into the tests' own data."""
    assert not any(path.suffix == ".csv" for path in Path(__file__).parent.rglob("*"))
