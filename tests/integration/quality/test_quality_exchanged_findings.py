"""What stands from last night, with what is exchanged, is what a night from nothing writes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from quality import nightly
from quality.catalogue import Catalogue
from quality.results import RuleResult
from tests.integration.quality.builds import CREDITS, ENTERPRISES, Builds

FLAGS = ["", "", "", "phone_format", "phone_format,industry_code_format"]
REFUSED = [
    {"_rules": "phone_format", "_columns": "phone"},
    {"_rules": "unified_code_format", "_columns": "unified_code"},
    {"_rules": "phone_format,industry_code_format", "_columns": "phone,industry_code"},
]


def judge(builds: Builds, number: int) -> tuple[list[RuleResult], list[Any]]:
    city = builds.city
    results = nightly.judge(city.path, city.catalogue, city.night(number))
    tables = ("defect", "disagreement")
    return results, [city.ask(f"from quality.{table} order by all") for table in tables]


@pytest.mark.parametrize("seed", range(2))
def test_findings_are_exchanged_as_if_they_were_written_anew(
    tmp_path, catalogue, enterprise, credit, seed
):
    """Rows that are refused, put right, flagged and replaced; keys that come to be known; and a
    delivery that is withdrawn."""
    builds = Builds(tmp_path / "warehouse.duckdb", catalogue)
    city = builds.city
    chance = random.Random(seed)  # noqa: S311  (no secret)
    codes = [f"91371302MA3C0000{n:02}" for n in range(16)]
    names = ["临沂蒙山食品有限公司", "临沂沂河商贸有限公司"]
    seen: list[set[Any]] = [set(), set()]
    for number in range(1, 8):
        first = city.deliver(ENTERPRISES, number, [
            enterprise(unified_code=chance.choice(codes), enterprise_name=chance.choice(names),
                       enterprise_status=chance.choice(["在营", "注销"]),
                       _flags=chance.choice(FLAGS),
                       **(chance.choice(REFUSED) if chance.random() < 0.4 else {}))
            for _ in range(5)
        ])  # fmt: skip
        city.deliver(CREDITS, number, [
            credit(record_number=f"XY20260000{chance.randrange(20):02}",
                   unified_code=chance.choice(codes), enterprise_name=chance.choice(names),
                   severity_grade=chance.choice(["一般", "严重"]),
                   **({"_rules": "reason_length"} if chance.random() < 0.2 else {}))
            for _ in range(8)
        ])  # fmt: skip
        if number == 6:
            builds.withdraw(first)
        builds.build(str(number))
        results, written = judge(builds, number)
        base = city.ask("from quality.relation_base order by all")
        assert base, "the next night has nothing to go on from"
        city.ask("drop table quality.defect")
        city.ask("drop table quality.disagreement")
        city.ask("truncate quality.relation_base")
        anew, expected = judge(builds, number)
        assert written == expected, number
        assert results == anew, number
        assert base == city.ask("from quality.relation_base order by all")
        for rows, before in zip(written, seen, strict=True):
            assert number == 1 or set(rows) - before, "nothing came"
            assert number == 1 or before - set(rows), "nothing went"
            assert number == 1 or before & set(rows), "nothing stood"
            before.clear()
            before.update(rows)


def test_a_dataset_that_cannot_be_judged_keeps_no_findings(tmp_path, catalogue, enterprise, credit):
    """Neither one without its tables, nor one without a contract."""
    builds = Builds(tmp_path / "warehouse.duckdb", catalogue)
    city = builds.city
    city.deliver(
        ENTERPRISES, 1, [enterprise(unified_code="91371302MA3C000009", _flags="phone_format")]
    )
    city.deliver(CREDITS, 1, [credit(_flags="reason_length")])
    builds.build("1")
    _, (defects, disagreements) = judge(builds, 1)
    assert {row[2] for row in defects} == {"enterprise", "credit_record"}
    assert {row[2] for row in disagreements} == {"enterprise", "credit_record"}
    city.ask("drop table quarantine.development_reform__credit_record")
    _, (defects, disagreements) = judge(builds, 1)
    assert {row[2] for row in defects} == {"enterprise"}
    assert "credit_record" not in {row[2] for row in disagreements}
    alone = Catalogue((catalogue.by_name[CREDITS],), ())
    nightly.judge(city.path, alone, city.night(1))
    assert city.ask("select dataset from quality.defect") == []
