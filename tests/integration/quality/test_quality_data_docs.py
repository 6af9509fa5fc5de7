"""Data Docs: whole, without a value of any row, and without a foreign host."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from quality import nightly
from quality.data_docs.site import build_data_docs, pages_of
from quality.data_docs.suites import results_of, suite_of
from quality.results import STATUSES, RuleResult

PERSON = "371302199003071230"
"""A made-up resident number with a wrong check digit, which lies in the quarantine."""
NAME = "欧阳沂蒙"
_FOREIGN = re.compile(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)


@pytest.fixture
def site(city, catalogue, enterprise, credit, tmp_path: Path):
    refused = enterprise(
        unified_code="91371302MA3C000002",
        legal_representative=NAME,
        legal_representative_id_number=PERSON,
        _rules="legal_representative_id_number_check_digit",
        _columns="legal_representative_id_number",
    )
    unknown = credit(unified_code="91371302MA3C999999", enterprise_name=NAME)
    city.deliver("market_regulation/enterprise", 1, [enterprise(), refused])
    city.deliver("development_reform/credit_record", 1, [unknown])
    night = city.night(1)
    results = nightly.judge(city.path, catalogue, night)
    folder = tmp_path / "data_docs"
    build_data_docs(catalogue.contracts, results, night, folder)
    return folder, results, night


def test_every_dataset_has_its_rules_and_the_nights_verdicts(site, catalogue):
    folder, results, night = site
    index = (folder / "index.html").read_text("utf-8")
    for page in pages_of(catalogue.contracts, night):
        assert (folder / page).is_file()
        assert page in index.replace("%3A", ":")
    shown = "".join((folder / p).read_text("utf-8") for p in pages_of(catalogue.contracts, night))
    for contract in catalogue.contracts:
        assert all(rule.rule_id in shown for rule in contract.rules)
    failed = [r for r in results if r.status == "fail"]
    assert failed, "the planted faults failed nothing, and the next lines would prove nothing"
    assert f"{failed[0].failed:,} / {failed[0].total:,}" in shown
    assert "未通过" in shown


def test_no_value_of_a_row_reaches_the_site(site):
    """A masked key, a sample or GX's own list of unexpected values would be a leak."""
    folder, results, _ = site
    assert any(result.sample_keys for result in results), "there was nothing to leak"
    text = "".join(p.read_text("utf-8") for p in folder.rglob("*") if p.is_file())
    for value in (PERSON, NAME, "91371302MA3C999999", "91371302MA3C000002", "unexpected_list"):
        assert value not in text
    assert not [key for r in results for key in r.sample_keys if len(key) > 6 and key in text]


def test_the_site_asks_nothing_of_a_foreign_host(site):
    """GX's own pages load styles and scripts from six hosts and are empty without them."""
    folder, _, _ = site
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".html"}
    for path in folder.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not _FOREIGN.search(text), path
        assert "<script" not in text


def test_a_rule_without_a_result_was_not_run(catalogue):
    """A rule that nobody ran must not look as if it had passed."""
    contract = catalogue.contracts[0]
    shown = results_of(contract, night := date(2026, 6, 28), [])
    assert not shown.success
    assert {verdict.meta["status"] for verdict in shown.results} == {"not_run"}
    rule = contract.rules[0]
    verdicts = set()
    for status in STATUSES:
        result = RuleResult(night, contract.department, contract.dataset, rule.rule_id,
                            "pandera", rule.dimension, rule.severity, status)  # fmt: skip
        verdicts.add(results_of(contract, night, [result]).results[0].meta["status"])
    assert verdicts == set(STATUSES)


def test_suites_name_each_rule_once(catalogue):
    for contract in catalogue.contracts:
        words = [e.description.split("　")[0] for e in suite_of(contract).expectations]
        assert words == [rule.rule_id for rule in contract.rules]
