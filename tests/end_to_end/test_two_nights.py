"""Two nights of a whole sample city: load, judge, correct, close, publish, repeat."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.end_to_end.conftest import FIRST_NIGHT, SECOND_NIGHT, City

pytestmark = pytest.mark.slow


_HOW_IT_WAS_BUILT = "select is_whole, went_on_from is not null from meta.built_night"


@pytest.fixture(scope="module")
def city(new_city: Callable[[], City]) -> City:
    """Both nights, and the first one again after them, have run."""
    city = new_city()
    city.sample(residents=3_000, nights=2)
    city.first = city.night(FIRST_NIGHT)
    city.first_version = city.version
    city.first_evaluation = city.run("evaluate", "--json")
    city.first_score = city.published(
        "select score from quality.city_score where dimension = 'overall'"
    )
    city.again = city.run("nightly", "--date", FIRST_NIGHT.isoformat(), "--rebuild")
    city.again_version = city.version
    city.second = city.night(SECOND_NIGHT)
    city.second_version = city.version
    city.second_went_on = city.warehouse(_HOW_IT_WAS_BUILT)
    city.written = _written(city)
    city.third = city.night(SECOND_NIGHT)
    return city


def _written(city: City) -> dict[str, int]:
    """When each file that a stage writes was last written."""
    paths = [*city.home.outbox.glob("*/*"), city.home.published / city.version / "marts.duckdb",
             city.home.dbt_target / "night_results.json"]  # fmt: skip
    return {str(path): path.stat().st_mtime_ns for path in paths}


def test_a_night_without_trouble_ends_with_exit_code_0(city: City) -> None:
    assert city.first.exit_code == 0, city.first.output
    assert city.second.exit_code == 0, city.second.output
    assert "City score" in city.first.output


def test_every_row_of_every_delivery_is_accounted_for(city: City) -> None:
    unbalanced = city.warehouse(
        "select file_name from meta.delivery where rows_read <> rows_accepted + rows_quarantined"
    )
    assert unbalanced == []
    deliveries, rows = city.warehouse("select count(*), sum(rows_read) from meta.delivery")[0]
    truth = json.loads((city.home.sample_truth / "manifest.json").read_text())
    assert deliveries == 24
    assert rows > 10_000
    assert truth["residents"] == 3_000
    stored = city.warehouse(
        "select (select sum(rows_accepted) from meta.delivery where dataset = 'tax_payment')"
        " = (select count(*) from raw.taxation__tax_payment)"
    )
    assert stored == [(True,)]


def test_landing_is_empty_and_every_original_is_archived_under_its_sm3(city: City) -> None:
    assert [path for path in city.home.landing.rglob("*") if path.is_file()] == []
    for sm3, file_name in city.warehouse("select sm3, file_name from meta.delivery"):
        suffix = file_name[file_name.rindex(".") :]
        assert (city.home.archive / sm3[:2] / f"{sm3}{suffix}").exists(), file_name


def test_planted_defects_and_false_claims_are_found(city: City) -> None:
    assert city.first_evaluation.exit_code == 0, city.first_evaluation.output
    measures = {(m["subject"], m["group"]): m for m in json.loads(city.first_evaluation.stdout)}
    assert measures["row defect", "all"]["planted"] > 50
    assert {group for subject, group in measures if subject == "row defect"} == {
        "accessibility", "accuracy", "all", "completeness", "conformity", "consistency",
        "timeliness",
    }  # fmt: skip
    assert measures["verdict", "contradicted"]["planted"] > 5


def test_a_night_that_stands_does_nothing_and_says_the_same(city: City) -> None:
    """Else the cost of a night would follow what there is, not what is new."""
    assert city.third.exit_code == 0, city.third.output
    assert city.version == city.second_version
    assert _written(city) == city.written
    tables = [
        line for line in city.second.output.splitlines() if "临沂市" in line or "City" in line
    ]
    assert tables
    assert set(tables) <= set(city.third.output.splitlines())


def test_the_same_night_again_publishes_the_same_content(city: City) -> None:
    assert city.again.exit_code == 0, city.again.output
    assert city.again_version == city.first_version


def test_a_past_night_can_be_rebuilt_after_a_later_one(city: City) -> None:
    """Late knowledge must not leak into an earlier business date."""
    result = city.night(FIRST_NIGHT)
    assert result.exit_code == 0, result.output
    assert city.version == city.first_version


def test_a_night_that_goes_on_from_the_last_gives_what_a_rebuild_gives(city: City) -> None:
    """A version is named by the checksums of all its tables."""
    assert city.second_went_on == [(True, True)]
    city.run("nightly", "--date", SECOND_NIGHT.isoformat(), "--rebuild")
    assert city.warehouse(_HOW_IT_WAS_BUILT) == [(True, False)]
    assert city.version == city.second_version


def test_corrected_rows_are_closed_by_the_next_night_and_no_others(city: City) -> None:
    truth = f"'{city.home.sample_truth}/defect.parquet'"
    wrong = city.warehouse(
        f"""
        select truth.dataset, truth.file_name, truth.line_number, truth.rule_id,
            truth.corrected_on, defect.is_open
        from {truth} as truth
        inner join governance.dataset using (department, dataset)
        inner join meta.delivery using (department, dataset, file_name)
        left join quality.defect as defect
            on defect.delivery_id = delivery.delivery_id
            and defect.line_number = truth.line_number
        where delivery.business_date = date '{FIRST_NIGHT}' and dataset.delivery = 'increment'
            and coalesce(defect.is_open, false) <> (truth.corrected_on is null)
        """
    )
    assert wrong == []
    corrected = city.warehouse(f"select count(*) from {truth} where corrected_on is not null")
    assert corrected[0][0] > 10


def test_an_order_whose_rows_are_all_corrected_is_closed(city: City) -> None:
    orders = city.published(
        "select state, count(*) from quality.work_order group by state order by state"
    )
    assert [state for state, _ in orders] == ["closed", "open"]
    late = city.published(
        f"select count(*) from quality.work_order where state = 'closed' and "
        f"closed_on <> date '{SECOND_NIGHT}'"
    )
    assert late == [(0,)]


def test_each_department_gets_a_workbook(city: City) -> None:
    departments = {path.parent.name for path in city.home.outbox.glob("*/*.xlsx")}
    assert len(departments) == 10


def test_nothing_personal_leaves_the_warehouse(city: City) -> None:
    """Every resident number, name of a person and phone of the registers, looked for as it is."""
    texts = []
    tables = city.published(
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where data_type = 'VARCHAR' and not internal"
    )
    numbers = {
        row[0] for row in city.warehouse("select id_number from raw.public_security__resident")
    }
    phones = {
        row[0] for row in city.warehouse("select phone from raw.market_regulation__enterprise")
    }
    names = {
        row[0]
        for row in city.warehouse("select full_name from raw.public_security__resident")
        if len(row[0]) >= 3
    }
    for schema, table, column in tables:
        values = {
            row[0] for row in city.published(f'select distinct "{column}" from {schema}."{table}"')
        }
        texts.append((schema, table, column, values & (numbers | phones | names) - {None}))
    assert [found for found in texts if found[3]] == []
    for log in [city.first.output, city.second.output]:
        assert not any(number in log for number in numbers)


def test_the_event_log_holds_no_personal_data(city: City) -> None:
    numbers = [
        row[0].encode()
        for row in city.warehouse(
            "select id_number from raw.public_security__resident union "
            "select id_number from quarantine.public_security__resident where id_number is not null"
        )
    ]
    for path in city.home.dagster.rglob("*.db"):
        content = path.read_bytes()
        assert not any(number in content for number in numbers), path


def test_dagster_shows_one_check_per_dataset(city: City) -> None:
    from dagster import AssetCheckKey, AssetKey, DagsterInstance

    from pipelines.checks import expected_checks
    from quality.catalogue import read_catalogue

    with DagsterInstance.from_config(str(city.home.dagster)) as instance:
        catalogue = read_catalogue(city.sources)
        keys = [spec.key for spec in expected_checks(catalogue).values()]
        key = AssetCheckKey(AssetKey(["raw", "public_security", "resident"]), "quality")
        assert key in keys
        records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        evaluation = records[0].event.dagster_event.event_specific_data
        assert {"rules", "failing_rules", "failing_accuracy", "results"} <= set(evaluation.metadata)


def test_status_and_query_answer_from_what_was_published(city: City) -> None:
    status = city.run("status")
    assert status.exit_code == 0
    assert city.second_version in status.output
    answer = city.run("query", "--format", "json", "select count(*) as n from population.person")
    assert json.loads(answer.stdout)[0]["n"] > 3_000
