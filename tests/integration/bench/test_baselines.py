"""What the platform is compared with does the same work: the same marts, the same findings."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
import yaml

from pipelines import sample_city
from pipelines.bench import baseline, pandas_checks
from pipelines.home import PROJECT, Home
from quality.catalogue import read_catalogue

NIGHT = date(2026, 6, 30)
LINEAGE = {
    "delivery_id", "line_number", "business_date", "newest_business_date", "evidence_department",
    "evidence_dataset", "evidence_as_of", "is_in_register_extract",
}  # fmt: skip
"""Columns that say where a value came from; the script is spared them. The sample city has no
extract of the register."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("city"))
    catalogue = read_catalogue(PROJECT / "pipelines" / "sources")
    sample_city.build(home, catalogue, residents=2000, seed=1, first_date=NIGHT, nights=1)
    return home


@pytest.fixture(scope="module")
def marts(home: Home, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("baseline")
    baseline.to_text(home.landing, folder / "landing")
    baseline.build(folder / "marts.duckdb", folder / "landing", NIGHT)
    with duckdb.connect(folder / "marts.duckdb", read_only=True) as connection:
        yield connection


def test_the_script_makes_every_mart_with_its_columns(marts):
    """Prevents: a baseline that is fast because it leaves out a mart or half of its columns."""
    checked = 0
    for path in sorted((PROJECT / "dbt_project" / "models" / "marts").glob("*/*.yml")):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", ()):
            made = {
                name
                for (name,) in marts.execute(
                    "select column_name from duckdb_columns() where table_name = ?", [model["name"]]
                ).fetchall()
            }
            missing = {column["name"] for column in model["columns"]} - made - LINEAGE
            assert not missing, f"{model['name']}: {sorted(missing)}"
            checked += 1
    assert checked >= 12


def test_the_script_knows_the_people_and_gives_the_verdicts(marts, home):
    """Prevents: a join that loses or multiplies rows, which would make the baseline a lie."""
    people, distinct = marts.execute(
        "select count(*), count(distinct id_number) from person"
    ).fetchone()
    true_people = marts.execute(
        f"select count(distinct person_id) from '{home.sample_truth}/person.parquet'"
    ).fetchone()[0]
    assert people == distinct
    # wrong numbers make persons of their own: nothing is checked
    assert true_people * 0.99 < people < true_people * 1.02
    agreeing, total = marts.execute(
        "select count(*) filter (where given.verdict = truth.verdict), count(*) from "
        f"'{home.sample_truth}/verdict.parquet' as truth "
        "left join enrolment_verification as given using (application_number, claim)"
    ).fetchone()
    assert total > 50
    assert agreeing / total > 0.95


def test_pandas_and_gx_find_the_planted_defects(home):
    """Prevents: a slow baseline that does not even check, or checks something else."""
    import great_expectations as gx

    contracts = {c.table: c for c in read_catalogue(PROJECT / "pipelines" / "sources").contracts}
    contract = contracts["human_resources__social_insurance_payment"]
    frames = {
        table: frame
        for table, known in contracts.items()
        if (frame := pandas_checks.read(home.landing, known)) is not None
    }
    frame, expectations, left_out = pandas_checks.prepare(contract, frames, NIGHT)
    with duckdb.connect() as connection:
        planted = connection.execute(
            f"select rule_id, line_number - 2 from '{home.sample_truth}/defect.parquet' "
            "where dataset = 'social_insurance_payment'"
        ).fetchall()
    context = gx.get_context(mode="ephemeral")
    batch = context.data_sources.add_pandas("pandas").add_dataframe_asset("payment")
    suite = context.suites.add(gx.ExpectationSuite("payment", expectations=expectations))
    definition = gx.ValidationDefinition(
        name="payment", data=batch.add_batch_definition_whole_dataframe("all"), suite=suite
    )
    outcome = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame}, result_format={"result_format": "COMPLETE"}
    )
    found = {
        row for result in outcome.results for row in result.result.get("unexpected_index_list", ())
    }
    assert left_out < len(contract.rules) / 10
    assert len(planted) > 10
    assert {row for _, row in planted} <= found
