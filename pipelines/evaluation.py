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
from quality.catalogue import Catalogue

THRESHOLD = 0.99
"""What recall, precision and accuracy must reach."""

ROW_DEFECT, VERDICT = "row defect", "verdict"
REFUSED = "application refused"
"""Group of the claims that got no verdict because the application lies in quarantine."""


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
        """Names of the figures that have a threshold and are below it.

        Of row defects every figure of every dimension has one; of verdicts the recall over
        all, which is their accuracy, and the precision of `contradicted`: no honest family is
        accused.
        """
        figures = {"recall": self.recall, "precision": self.precision}
        if self.subject == VERDICT:
            judged = {"all": ["recall"], "contradicted": ["precision"]}.get(self.group, [])
            figures = {name: figures[name] for name in judged}
        return [name for name, value in figures.items() if value is not None and value < THRESHOLD]


def evaluate(home: Home, catalogue: Catalogue) -> list[Measure]:
    """Detection of planted row defects by dimension, and verification verdicts by verdict.

    A defect between rows (a copy, a reference into nothing) is expected for as long as it
    stands: until its correction has come, and in the newest file of a full dataset. A claim of
    an application that the door has refused has no verdict; such claims are counted apart.

    Raises:
        NoTruthError: no sample city, or no night has run on it.
    """
    truth = home.sample_truth
    if not (truth / "defect.parquet").exists():
        raise NoTruthError(f"{truth} holds no truth; make a city with: yishu sample")
    if not home.warehouse.exists():
        raise NoTruthError("no night has run on this city; run: yishu nightly")
    with open_warehouse(home) as connection:
        _write_relation_rules(connection, catalogue)
        connection.execute(
            f"""
            create temp table planted_defect as
            select distinct truth.department, truth.dataset, truth.file_name, truth.line_number,
                truth.dimension
            from '{truth}/defect.parquet' as truth
            inner join meta.delivery using (department, dataset, file_name)
            left join relation_rule using (department, dataset, rule_id)
            where delivery.status = 'loaded' and (
                relation_rule.rule_id is null
                or (
                    coalesce(truth.corrected_on > (select business_date from meta.night), true)
                    and (
                        relation_rule.delivery <> 'full'
                        or delivery.business_date = (
                            select max(newest.business_date) from meta.delivery as newest
                            where newest.department = truth.department
                                and newest.dataset = truth.dataset and newest.status = 'loaded'
                        )
                    )
                )
            );
            create temp table found_defect as
            select distinct department, dataset, file_name, line_number, dimension
            from quality.defect
            where (department, dataset) in (select (department, dataset) from planted_defect);
            create temp table true_verdict as
            select application_number, claim,
                if(application_number in (
                    select application_number from staging.stg_education__enrolment_application
                ), verdict, '{REFUSED}') as verdict
            from '{truth}/verdict.parquet';
            create temp table given_verdict as
            select application_number, claim, verdict from scenario.enrolment_verification
            """
        )
        measures = [
            *_measures(connection, ROW_DEFECT, "dimension", "planted_defect", "found_defect"),
            *_measures(connection, VERDICT, "verdict", "true_verdict", "given_verdict"),
        ]
    if not any(measure.planted for measure in measures):
        raise NoTruthError("none of the sample's deliveries was loaded; run: yishu nightly")
    return measures


def _write_relation_rules(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    connection.execute(
        "create temp table relation_rule "
        "(department varchar, dataset varchar, rule_id varchar, delivery varchar)"
    )
    rows = [
        (contract.department, contract.dataset, rule.rule_id, contract.delivery)
        for contract in catalogue.contracts
        for rule in contract.rules_of("relation")
    ]
    connection.executemany("insert into relation_rule values (?, ?, ?, ?)", rows)


def _measures(
    connection: duckdb.DuckDBPyConnection, subject: str, group: str, planted: str, reported: str
) -> list[Measure]:
    """One measure a group, and one over all; rows agree where all their columns do."""
    rows = connection.execute(
        f"""
        with
        agreed as (select * from {planted} intersect select * from {reported}),
        counts as (
            select {group} as name, count(*) as planted, 0 as reported, 0 as agreed
            from {planted} group by all
            union all
            select {group}, 0, count(*), 0 from {reported} group by all
            union all
            select {group}, 0, 0, count(*) from agreed group by all
        ),
        sums as (
            select name, sum(planted)::bigint as planted, sum(reported)::bigint as reported,
                sum(agreed)::bigint as agreed
            from counts group by name
        )
        select * from (from sums order by name)
        union all
        select 'all', sum(planted)::bigint, sum(reported)::bigint, sum(agreed)::bigint
        from sums where name <> '{REFUSED}'
        """
    ).fetchall()
    return [Measure(subject, *row) for row in rows]
