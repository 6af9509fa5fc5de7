"""`yishu source draft`: files that nobody here wrote, drafted, linted, loaded, accounted for."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
import xlsxwriter
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.dbt_scaffold import differences
from pipelines.home import PROJECT, Home
from pipelines.ingest import door, store
from pipelines.ingest.arrive import arrivals
from pipelines.ingest.store import Receipt
from pipelines.onboarding import draft as drafts
from pipelines.onboarding.write import Identity
from quality.contract import Contract
from quality.contract_reader import read_contract
from quality.expectations.runner import run_relation_rules

NIGHT = date(2026, 6, 30)
REAL = PROJECT.parent / "shared" / "data" / "real"
AGRICULTURE = REAL / "portal" / "linyi_agri_2017_2019.csv"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not here")
real_files = sorted(path for path in REAL.rglob("*.*") if path.suffix != ".md")

KEYS = {
    "cnemc_2018-02-20T07_300_stations": ("station_code",),
    "areacodes_shandong_1981_2024": ("code", "used_from"),
    "linyi_areas": ("code",),
    "linyi_streets": ("code",),
    "linyi_villages": ("code",),
    "linyi_enterprises_2009_2011": ("unified_code",),
    "linyi_counties_gcj02": ("adcode",),
    "messages_labelled": ("message_number", "category_1"),
    "taxonomy": ("category_1", "category_2", "category_3"),
    "linyi_agri_2017_2019": ("product_category", "year", "county"),
    "linyi_social_insurance_regions": ("code",),
}


class Desk:
    """A home, a folder of contracts and a dbt project of its own."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root / "home").create()
        self.sources = root / "sources"
        self.project = root / "dbt_project"
        self.sources.mkdir()

    def draft(self, *arguments: str | Path) -> Result:
        environment = {
            "YISHU_HOME": str(self.home.root),
            "YISHU_SOURCES": str(self.sources),
            "YISHU_DBT_PROJECT": str(self.project),
            "COLUMNS": "250",
        }
        command = ["source", "draft", *map(str, arguments)]
        return CliRunner().invoke(app, command, env=environment)

    def contract(self, name: str) -> Contract:
        return read_contract(self.sources / f"{name}.odcs.yaml")

    def load(self, contract: Contract) -> Receipt:
        arrived = arrivals(self.home.landing, frozenset({contract.name}))
        (receipt,) = door.take_up(self.home, contract, arrived, NIGHT)
        return receipt

    def rows(self, root: Path, receipt: Receipt) -> pl.DataFrame:
        folder = store.place(root, receipt.department, receipt.dataset, receipt.business_date)
        return pl.read_parquet(folder / f"{receipt.delivery_id}.parquet")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


OPTIONS = ("--department", "water", "--dataset", "meter", "--land", "2026-06-30")


# -- real files --------------------------------------------------------------------------


@needs_real
@pytest.mark.parametrize("path", real_files, ids=lambda path: path.stem)
def test_every_real_file_is_drafted_and_loaded_and_accounted_for(desk: Desk, path: Path) -> None:
    result = desk.draft(path, *OPTIONS, "--department-name", "临沂市大数据局")
    assert result.exit_code == 0, result.output
    contract = desk.contract("water/meter")
    assert differences(contract, desk.project) == []
    assert contract.key == KEYS[path.stem]
    receipt = desk.load(contract)
    assert receipt.status == "loaded", receipt.reason
    assert receipt.rows_read == receipt.rows_accepted + receipt.rows_quarantined > 0
    assert receipt.rows_quarantined == 0
    assert receipt.findings["unexpected_headers"] == []
    said = f"of these {receipt.rows_read:,} rows the door would accept {receipt.rows_read:,}"
    assert said in result.output


@needs_real
def test_the_geojson_of_stations_becomes_numbers_and_its_spelling_of_missing_nothing(
    desk: Desk,
) -> None:
    (path,) = (REAL / "air").glob("*.geojson")
    assert desk.draft(path, *OPTIONS).exit_code == 0
    contract = desk.contract("water/meter")
    assert contract.file_format == "geojson"
    assert contract.column("pm10").missing == ("-;",)
    assert contract.column("pm10").sql_type == "integer"
    assert contract.column("primary_pollutant").domain == ()
    assert contract.column("co").sql_type == "decimal(18, 2)"
    assert contract.column("time_point").sql_type == "timestamp"
    accepted = desk.rows(desk.home.raw, desk.load(contract))
    assert accepted["pm10"].null_count() == 65
    assert not accepted["pm10"].is_not_null().all()


@needs_real
def test_the_register_of_enterprises_is_understood(desk: Desk) -> None:
    (path,) = (REAL / "enterprise").glob("*.csv")
    assert desk.draft(path, *OPTIONS).exit_code == 0
    contract = desk.contract("water/meter")
    assert {rule.rule_id for rule in contract.rules} >= {
        "unified_code_format", "unified_code_check_digit",
    }  # fmt: skip
    assert contract.column("legal_representative").description == "来件已脱敏，按原样保留。"
    assert contract.column("registered_capital").parse == "capital_amount"
    assert contract.column("registered_capital_currency").header == "注册资金"
    assert contract.column("registered_on").sql_type == "date"


SUMS = ("total_output_tonnes_is_sum_by_county", "area_mu_is_sum_by_county")


@needs_real
def test_a_city_that_must_equal_the_sum_of_its_counties_is_found_declared_and_judged(
    desk: Desk, tmp_path: Path
) -> None:
    drafted = desk.draft(AGRICULTURE, *OPTIONS)
    assert drafted.exit_code == 0
    assert "is the sum of the others (held in 9 of 9 groups)" in drafted.output
    contract = desk.contract("water/meter")
    assert tuple(r.rule_id for r in contract.rules if "_is_sum_" in r.rule_id) == SUMS
    accepted = desk.rows(desk.home.raw, desk.load(contract))
    assert accepted.height == 117
    assert _judged(tmp_path / "right.duckdb", contract, accepted) == [("pass", 0), ("pass", 0)]
    is_wrong = (
        (pl.col("county") == "费县")
        & (pl.col("year") == 2018)
        & (pl.col("product_category") == "夏收粮食")
    )
    wrong = accepted.with_columns(
        pl.when(is_wrong)
        .then(pl.col("total_output_tonnes") + 1)
        .otherwise("total_output_tonnes")
        .alias("total_output_tonnes")
    )
    assert _judged(tmp_path / "wrong.duckdb", contract, wrong) == [("fail", 1), ("pass", 0)]
    lacking = accepted.filter(~is_wrong)
    assert _judged(tmp_path / "lacking.duckdb", contract, lacking) == [("fail", 1), ("fail", 1)]


@needs_real
def test_a_list_seen_in_one_sample_refuses_nothing(desk: Desk) -> None:
    """The messages show 7 of the 15 classes that the city's own taxonomy knows."""
    (path,) = (REAL / "hotline").glob("messages*.xlsx")
    assert desk.draft(path, *OPTIONS).exit_code == 0
    contract = desk.contract("water/meter")
    assert contract.column("category_1").domain == ()
    (rule,) = (r for r in contract.rules if r.rule_id == "category_1_usual_values")
    assert rule.severity == "warning"


def _judged(
    warehouse: Path, contract: Contract, rows: pl.DataFrame
) -> list[tuple[str, int | None]]:
    """Status and count of the rules about sums."""
    parquet = warehouse.with_suffix(".parquet")
    rows.write_parquet(parquet)
    with duckdb.connect(str(warehouse)) as connection:
        for schema in ("raw", "staging"):
            connection.execute(f"create schema {schema}")
        connection.execute(f"create table raw.{contract.table} as from '{parquet}'")
        connection.execute(
            f"create table staging.{contract.staging_model} as from raw.{contract.table}"
        )
    results = run_relation_rules(warehouse, [contract], NIGHT)
    found = {result.rule_id: (result.status, result.failed) for result in results}
    return [found[rule_id] for rule_id in SUMS]


# -- the command -------------------------------------------------------------------------


def test_a_workbook_below_titles_with_a_chinese_sheet(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "水表登记.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("登记表")
        sheet.write_row(0, 0, ["临沂市水表登记表"])
        sheet.write_row(1, 0, ["水表编号", "安装日期", "联系电话"])
        for row in range(40):
            sheet.write_row(row + 2, 0, [f"W{row:05}", f"2026/3/{row % 28 + 1}", "13812345678"])
    result = desk.draft(path, *OPTIONS)
    assert result.exit_code == 0, result.output
    contract = desk.contract("water/meter")
    assert (contract.title, contract.sheet, contract.file_format) == ("水表登记", "登记表", "xlsx")
    assert [column.level for column in contract.columns] == ["L2", "L2", "L3"]
    assert desk.load(contract).rows_accepted == 40
    assert "13812345678" not in result.output + (contract.path.read_text(encoding="utf-8"))


def test_gb18030_below_tabs_in_two_parts(desk: Desk, tmp_path: Path) -> None:
    files = []
    for part in (1, 2):
        path = tmp_path / f"部分{part}.txt"
        rows = "".join(f"{part}{row:05}\t王小{'明强伟'[row % 3]}\t是\n" for row in range(30))
        path.write_text("编号\t姓名\t是否在用\n" + rows, encoding="gb18030")
        files.append(path)
    result = desk.draft(*files, *OPTIONS)
    assert result.exit_code == 0, result.output
    contract = desk.contract("water/meter")
    assert (contract.encoding, contract.delimiter) == ("gb18030", "\t")
    assert contract.file_pattern == "meter_*.txt"
    landed = sorted(path.name for path in (desk.home.landing / "water").iterdir())
    assert landed == ["meter_20260630_1.txt", "meter_20260630_2.txt"]
    arrived = arrivals(desk.home.landing, frozenset({contract.name}))
    receipts = door.take_up(desk.home, contract, arrived, NIGHT)
    assert [receipt.rows_accepted for receipt in receipts] == [30, 30]


def test_a_file_without_a_header_is_drafted_by_the_names_that_are_given(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"2026000{row:03},甲\n" for row in range(60)), encoding="utf-8")
    refused = desk.draft(path, *OPTIONS)
    assert refused.exit_code == 2
    assert "--headers" in refused.output
    result = desk.draft(path, *OPTIONS, "--headers", "编号，名称")
    assert result.exit_code == 0, result.output
    contract = desk.contract("water/meter")
    assert (contract.headers, contract.header_rows) == (("编号", "名称"), 0)
    assert desk.load(contract).rows_accepted == 60


def test_a_draft_elsewhere_touches_neither_contracts_nor_models(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("编号,名称\nA1,甲\nA2,乙\n", encoding="utf-8")
    out = tmp_path / "out"
    result = desk.draft(path, "--department", "water", "--dataset", "meter", "--out", out)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in out.rglob("*.*")) == [
        "meter.odcs.yaml", "stg_water__meter.sql", "stg_water__meter.yml",
    ]  # fmt: skip
    assert list(desk.sources.iterdir()) == []


def test_the_department_keeps_its_name_and_its_files(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("编号,名称\nA1,甲\nA2,乙\n", encoding="utf-8")
    first = desk.draft(path, *OPTIONS, "--department-name", "临沂市水务局")
    assert first.exit_code == 0, first.output
    again = desk.draft(path, *OPTIONS)
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    other = ("--department", "water", "--dataset", "pipe")
    misnamed = desk.draft(path, *other, "--department-name", "水务局")
    assert misnamed.exit_code == 2
    assert "临沂市水务局" in misnamed.output
    assert desk.draft(path, *other).exit_code == 0
    assert desk.contract("water/pipe").department_name == "临沂市水务局"


def test_a_refused_file_is_told_with_its_reason(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7 nothing")
    result = desk.draft(path, *OPTIONS)
    assert result.exit_code == 1
    assert "PDF" in result.output
    assert desk.draft(tmp_path / "none.csv", *OPTIONS).exit_code == 2


def test_a_large_file_is_sampled_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late row counts as much as an early one, and what was not seen is told."""
    from pipelines.onboarding import sample

    path = tmp_path / "a.csv"
    rows = "".join(f"A{row:06},{'x' if row > 2500 else row}\n" for row in range(5_000))
    path.write_text("编号,数量\n" + rows, encoding="utf-8")
    monkeypatch.setattr(sample, "SAMPLED_ROWS", 1_000)
    drafted = drafts.draft([path], Identity("water", "水务局", "meter", "水表"))
    assert 500 <= drafted.sample.rows.height <= 1_000
    assert (drafted.sample.rows_read, drafted.sample.is_whole) == (5_000, False)
    assert drafted.contract.columns[1].sql_type == "varchar"
    assert any("not every row was seen" in look for look in drafted.looks)


@pytest.mark.slow
def test_two_commands_take_an_unknown_file_to_the_warehouse(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    shutil.rmtree(desk.sources)
    shutil.copytree(PROJECT / "pipelines" / "sources", desk.sources)
    ignored = shutil.ignore_patterns("target", "logs", "_sources.yml")
    shutil.copytree(PROJECT / "dbt_project", desk.project, ignore=ignored)
    path = tmp_path / "公共停车场.csv"
    rows = "".join(f"P{row:04},{row % 90 + 10},兰山区\n" for row in range(80))
    path.write_text("停车场编号,车位数,县区\n" + rows, encoding="gb18030")
    options = ("--department", "city_management", "--dataset", "car_park")
    named = ("--department-name", "临沂市城市管理局", "--land", "2026-06-30")
    drafted = desk.draft(path, *options, *named)
    assert drafted.exit_code == 0, drafted.output
    environment = {
        "YISHU_HOME": str(desk.home.root),
        "YISHU_SOURCES": str(desk.sources),
        "YISHU_DBT_PROJECT": str(desk.project),
    }
    night = CliRunner().invoke(app, ["nightly"], env=environment)
    with duckdb.connect(str(desk.home.warehouse), read_only=True) as connection:
        count = "select count(*) from staging.stg_city_management__car_park"
        assert connection.execute(count).fetchone() == (80,), night.output
