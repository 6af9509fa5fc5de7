"""Scores → `quality.indicator_score`, `dataset_score`, `department_score` and `city_score`.

Belongs here: the tables. Does not belong here: the arithmetic (`scoring`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date

import duckdb

from quality.results import replace_night
from quality.scoring import CityScore, DatasetScore, DepartmentScore, IndicatorScore, Scores

SCORE_TABLES = """
create schema if not exists quality;
create table if not exists quality.indicator_score (
    business_date date not null, department varchar not null, dataset varchar not null,
    indicator varchar not null, dimension varchar not null, score double,
    coverage double not null, rules_assessed bigint not null, rules_expected bigint not null,
    failed bigint not null, total bigint not null
);
create table if not exists quality.dataset_score (
    business_date date not null, department varchar not null, dataset varchar not null,
    dimension varchar not null, score double, coverage double not null,
    rules_assessed bigint not null, rules_expected bigint not null, grade varchar
);
alter table quality.dataset_score add column if not exists grade varchar;
create table if not exists quality.department_score (
    business_date date not null, department varchar not null, dimension varchar not null,
    score double, coverage double not null, grade varchar,
    datasets_assessed bigint not null, datasets_expected bigint not null
);
create table if not exists quality.city_score (
    business_date date not null, dimension varchar not null,
    score double, coverage double not null, grade varchar,
    departments_assessed bigint not null, departments_expected bigint not null
)
"""
"""The `alter` is for warehouses of version 0.1, whose datasets had no grade."""

Score = IndicatorScore | DatasetScore | DepartmentScore | CityScore


def write_scores(
    connection: duckdb.DuckDBPyConnection, business_date: date, scores: Scores
) -> None:
    """Replace that business date's scores."""
    connection.execute(SCORE_TABLES)
    tables: tuple[tuple[str, type, Sequence[Score]], ...] = (
        ("quality.indicator_score", IndicatorScore, scores.indicators),
        ("quality.dataset_score", DatasetScore, scores.datasets),
        ("quality.department_score", DepartmentScore, scores.departments),
        ("quality.city_score", CityScore, scores.city),
    )
    for table, record, rows in tables:
        columns = [field.name for field in fields(record)]
        replace_night(connection, table, business_date, columns, [asdict(row) for row in rows])
