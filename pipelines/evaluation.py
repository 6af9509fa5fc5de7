"""Scoring a night against the planted truth of the sample city.

Belongs here: comparing what the platform found with what was planted. This module and the
tests are the only readers of `sample_truth/`.
Does not belong here: anything that a night needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipelines.home import Home
from pipelines.warehouse import open_warehouse

THRESHOLD = 0.99
"""What recall, precision and accuracy must reach."""


class NoTruthError(Exception):
    """There is nothing to score: says what is missing and how to make it."""


@dataclass(frozen=True)
class Measure:
    """One scored group: `found` of `planted` were found, `right` of `reported` are planted."""

    subject: str
    group: str
    planted: int
    reported: int
    agreed: int

    @property
    def recall(self) -> float | None:
        """Share of the planted that was found; None where nothing was planted."""
        return self.agreed / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """Share of the reported that is planted; None where nothing was reported."""
        return self.agreed / self.reported if self.reported else None

    @property
    def misses(self) -> list[str]:
        """Names of the figures below the threshold."""
        figures = {"recall": self.recall, "precision": self.precision}
        return [name for name, value in figures.items() if value is not None and value < THRESHOLD]


def evaluate(home: Home) -> list[Measure]:
    """Detection of planted row defects by dimension, and verification verdicts by verdict.

    Raises:
        NoTruthError: no sample city, or no night has run on it.
    """
    truth = home.sample_truth
    if not (truth / "defect.parquet").exists():
        raise NoTruthError(f"{truth} holds no truth; make a city with: yishu sample")
    if not home.warehouse.exists():
        raise NoTruthError("no night has run on this city; run: yishu nightly")
    with open_warehouse(home) as connection:
        connection.execute(
            f"""
            create temp table planted_defect as
            select distinct truth.department, truth.dataset, truth.file_name, truth.line_number,
                truth.dimension
            from '{truth}/defect.parquet' as truth
            inner join meta.delivery using (department, dataset, file_name)
            where delivery.status = 'loaded';
            create temp table found_defect as
            select distinct department, dataset, file_name, line_number, dimension
            from quality.defect
            where (department, dataset) in (select (department, dataset) from planted_defect);
            create temp table true_verdict as
            select application_number, claim, verdict from '{truth}/verdict.parquet';
            create temp table given_verdict as
            select application_number, claim, verdict from scenario.enrolment_verification
            """
        )
        measures = [
            *_measures(connection, "row defect", "dimension", "planted_defect", "found_defect"),
            *_measures(connection, "verdict", "verdict", "true_verdict", "given_verdict"),
        ]
    if not any(measure.planted for measure in measures):
        raise NoTruthError("none of the sample's deliveries was loaded; run: yishu nightly")
    return measures


def _measures(
    connection: duckdb.DuckDBPyConnection, subject: str, group: str, planted: str, reported: str
) -> list[Measure]:
    """One measure a group, and one over all; rows agree where all their columns do."""
    rows = connection.execute(
        f"""
        with agreed as (select * from {planted} intersect select * from {reported}),
        counts as (
            select {group} as name, count(*) as planted, 0 as reported, 0 as agreed
            from {planted} group by all
            union all
            select {group}, 0, count(*), 0 from {reported} group by all
            union all
            select {group}, 0, 0, count(*) from agreed group by all
        )
        select coalesce(name, 'all'), sum(planted)::bigint, sum(reported)::bigint,
            sum(agreed)::bigint
        from counts group by rollup (name) order by name nulls last
        """
    ).fetchall()
    return [Measure(subject, *row) for row in rows]
