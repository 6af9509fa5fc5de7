"""What is true of the sample city: planted defects, verdicts, who is whom.

Belongs here: collecting the truth while deliveries are written, and writing `sample_truth/`.
Does not belong here: comparing it with what the platform found (`yishu evaluate`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from pipelines.sample_city.defects import REPEATED_ROW, DefectKind
from pipelines.sample_city.deliveries import DeliveredFile
from pipelines.sample_city.world import Plan
from quality.contract import Contract

CLAIMS = (
    "household", "real_estate", "residence_permit",
    "social_insurance", "business_licence", "tax_payment",
)  # fmt: skip
_PERSON = "_person__"


def start(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty tables for what is collected."""
    connection.execute("""
        create table defect_truth (
          department varchar, dataset varchar, file_name varchar, line_number bigint,
          column_name varchar, kind varchar, dimension varchar, rule_id varchar,
          corrected_on date);
        create table sighting (
          person_id bigint, department varchar, dataset varchar, id_number varchar);
        create table delivered (
          department varchar, dataset varchar, file_name varchar, business_date date,
          delivered_rows bigint);
        create table kind_truth (
          department varchar, dataset varchar, kind varchar, column_name varchar,
          dimension varchar, rule_id varchar);
    """)


def note_kinds(
    connection: duckdb.DuckDBPyConnection, contract: Contract, kinds: tuple[DefectKind, ...]
) -> None:
    """Remember what each kind of defect of a dataset breaks."""
    for kind in kinds:
        rule = kind.broken_rule(contract)
        connection.execute(
            "insert into kind_truth values (?, ?, ?, ?, ?, ?)",
            [contract.department, contract.dataset, kind.kind, kind.column, rule.dimension,
             rule.rule_id],
        )  # fmt: skip


def note_people(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Remember who stands in `honest`: its columns `_person__<identifier>` tell.

    A register with many rows of one person may name the person in one of them alone.
    """
    columns = connection.execute("select column_name from (describe honest)").fetchall()
    for (column,) in columns:
        if column.startswith(_PERSON):
            connection.execute(
                f"insert into sighting select distinct {column}, ?, ?, "
                f"{column.removeprefix(_PERSON)} from honest where {column} is not null "
                "order by all",
                [contract.department, contract.dataset],
            )


def note_delivery(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rows: str,
    business_date: date,
    files: Sequence[DeliveredFile],
) -> None:
    """Remember the size of one delivery's files and the place of each defect in them.

    `rows` is the query of `defects.delivered_rows`, and the files hold its rows in its order,
    each below one line of headers.
    """
    connection.execute(f"""
        create or replace temp table position as
        select * from (
          select _id, _kind, _copy, _corrected_night, row_number() over () as row_number
          from ({rows}))
        where _kind is not null and (_kind = '{REPEATED_ROW}') = (_copy = 1)
    """)
    passed = 0
    for file in files:
        connection.execute(
            "insert into delivered values (?, ?, ?, ?, ?)",
            [contract.department, contract.dataset, file.name, business_date, file.rows],
        )
        connection.execute(
            """
            insert into defect_truth
            select department, dataset, $file, row_number - $passed + 1, column_name, kind,
              dimension, rule_id, night_date(_corrected_night)
            from position
            inner join kind_truth on kind = _kind
            where department = $department and dataset = $dataset
              and row_number > $passed and row_number <= $passed + $rows
            """,
            {"file": file.name, "passed": passed, "rows": file.rows,
             "department": contract.department, "dataset": contract.dataset},
        )  # fmt: skip
        passed += file.rows


def write(connection: duckdb.DuckDBPyConnection, plan: Plan, folder: Path) -> None:
    """Write defect.parquet, verdict.parquet, person.parquet and manifest.json to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    verdicts = " union all ".join(
        f"select application_number, '{claim}' as claim, {claim} as verdict "
        f"from claim where {claim} is not null"
        for claim in CLAIMS
    )
    queries = {
        "defect": "from defect_truth order by department, dataset, file_name, line_number",
        "verdict": f"from ({verdicts}) order by application_number, claim",
        "person": "from sighting",  # each dataset's part was put there sorted
    }
    for name, query in queries.items():
        target = str(folder / f"{name}.parquet").replace("'", "''")
        connection.execute(f"copy ({query}) to '{target}' (format parquet)")
    manifest = json.dumps(_manifest(connection, plan), ensure_ascii=False, indent=2)
    (folder / "manifest.json").write_text(manifest + "\n", encoding="utf-8")


def _manifest(connection: duckdb.DuckDBPyConnection, plan: Plan) -> dict[str, object]:
    datasets: dict[str, dict[str, dict[str, int]]] = {}
    deliveries = connection.execute("""
        select department || '/' || dataset, file_name, delivered_rows
        from delivered order by all
    """).fetchall()
    for name, file_name, rows in deliveries:
        entry = datasets.setdefault(name, {"rows": {}, "defects": {}})
        entry["rows"][file_name] = rows
    planted = connection.execute("""
        select department || '/' || dataset as name, kind, count(*)
        from defect_truth group by all order by all
    """).fetchall()
    for name, kind, count in planted:
        datasets[name]["defects"][kind] = count
    return {
        "residents": plan.residents,
        "seed": plan.seed,
        "date": plan.first_date.isoformat(),
        "nights": plan.nights,
        "change_rate": plan.change_rate,
        "datasets": datasets,
    }
