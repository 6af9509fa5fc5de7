"""Where a workbook holds too few defect rows, a list beside it names the places of all."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from quality import nightly
from quality.feedback import contents, listing, workbook

DEPARTMENT = "market_regulation"
PHONES = ["1380000000", "1390000000", "12345"]


@pytest.fixture
def ordered(city: Any, enterprise: Any) -> Any:
    """A night on which one order has three rows and another one row."""
    rows = [
        enterprise(unified_code=f"91371302MA3C00000{number}", _rules="phone_format",
                   _columns="phone", phone=phone)
        for number, phone in enumerate(PHONES)
    ]  # fmt: skip
    rows.append(
        enterprise(unified_code="91371302MA3C000009", registered_capital=-1,
                   _rules="registered_capital_positive", _columns="registered_capital")
    )  # fmt: skip
    city.deliver("market_regulation/enterprise", 1, rows)
    night = city.night(1)
    nightly.judge(city.path, city.catalogue, night)
    nightly.score(city.path, night)
    nightly.order(city.path, night, city.catalogue)
    return city


def send(city: Any, outbox: Path) -> nightly.FeedbackSummary:
    return nightly.send_home(city.path, city.catalogue, DEPARTMENT, city.night(1), outbox)


def test_all_rows_stand_in_the_list_by_their_places(ordered, tmp_path, monkeypatch):
    for module in (contents, listing, workbook):
        monkeypatch.setattr(module, "ROWS_PER_ORDER", 1)
    folder = tmp_path / DEPARTMENT
    folder.mkdir()
    (folder / "缺陷清单_20000101.csv").write_text("its page and workbook name it")
    sent = send(ordered, tmp_path)
    assert sent.listing is not None
    assert (folder / "缺陷清单_20000101.csv").exists(), "its page and workbook name it"
    text = sent.listing.read_text(encoding="utf-8")
    assert text.startswith("\ufeff"), "Excel takes it for GBK otherwise"
    lines = list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))
    assert len(lines) == sent.defects >= len(PHONES)
    phones = [line for line in lines if line["字段"] == "联系电话"]
    assert [int(line["行号"]) for line in phones] == sorted(int(line["行号"]) for line in phones)
    assert len(phones) == len(PHONES)
    assert not any(phone in text for phone in PHONES), "no values"
    orders = load_workbook(sent.path)["工单"]
    names = [cell.value for cell in orders["A"][1:]]
    assert [name for name in names if name in {line["工单号"] for line in lines}] == list(
        dict.fromkeys(line["工单号"] for line in lines)
    ), "in the order of the workbook"
    assert sent.listing.name in " ".join(str(cell.value) for cell in orders["L"])
    assert sent.listing.name in sent.page.read_text(encoding="utf-8").replace("%E7%BC%BA%E9%99%B7"
        "%E6%B8%85%E5%8D%95", "缺陷清单")  # fmt: skip


def test_there_is_no_list_where_the_workbook_shows_every_row(ordered, tmp_path):
    former_run = tmp_path / DEPARTMENT / listing.listing_name(ordered.night(1))
    former_run.parent.mkdir()
    former_run.write_text("what was open before a rule was changed")
    sent = send(ordered, tmp_path)
    assert sent.listing is None
    assert list((tmp_path / DEPARTMENT).glob("*.csv")) == []
    assert "清单" not in sent.page.read_text(encoding="utf-8")
