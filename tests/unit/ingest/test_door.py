"""The way of one delivery: nothing is lost, nothing is loaded twice, nothing leaks."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.home import Home
from pipelines.ingest import door, store
from pipelines.ingest.arrive import arrivals
from pipelines.ingest.store import Receipt
from quality.catalogue import BrokenContract, Catalogue
from quality.contract import Contract
from quality.contract_reader import Problem
from tests.conftest import Land, MakeContract, TakeUp

NIGHT = date(2026, 6, 30)
NEXT = date(2026, 7, 1)
HEADER = "居住证编号,公民身份号码,姓名,居住地址,居住地区划代码,联系电话,签发日期,有效期至"
GOOD = "JZ0000000001,11010519491231002X,张三,兰山区一路1号,371302,13812345678,2026-01-05,2027-01-05"
WRONG_CHECK = GOOD.replace("0001,", "0002,").replace("31002X", "310020")
FILE = "residence_permit_20260630.csv"
DEPARTMENT = "public_security"


@pytest.fixture(scope="module")
def permit(shipped: Catalogue) -> Contract:
    return shipped.by_name["public_security/residence_permit"]


def delivery(*rows: str) -> str:
    return "\n".join([HEADER, *rows, ""])


def rows_of(root: Path, receipt: Receipt) -> pl.DataFrame:
    folder = store.place(root, receipt.department, receipt.dataset, receipt.business_date)
    path = folder / f"{receipt.delivery_id}.parquet"
    return pl.read_parquet(path) if path.exists() else pl.DataFrame()


def parquet_bytes(home: Home) -> dict[str, str]:
    """Every Parquet file below raw and quarantine → SM3 of its bytes."""
    return {
        str(path.relative_to(home.root)): hashlib.new("sm3", path.read_bytes()).hexdigest()
        for root in (home.raw, home.quarantine)
        for path in sorted(root.rglob("*.parquet"))
    }


# -- accounting --------------------------------------------------------------------------


def test_every_row_is_accepted_or_quarantined_with_its_reason(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, DEPARTMENT, FILE, delivery(GOOD, WRONG_CHECK, "a,b", "", GOOD.replace("张三", "")))
    (receipt,) = take_up(home, permit, NIGHT)
    assert (receipt.rows_read, receipt.rows_accepted, receipt.rows_quarantined) == (4, 1, 3)
    assert (receipt.status, receipt.reason) == ("loaded", None)
    assert receipt.findings["blank_records"] == 1
    refused = rows_of(home.quarantine, receipt)
    assert refused.select("_line_number", "_rules", "_columns").rows() == [
        (3, "id_number_check_digit", "id_number"),
        (4, "row_shape", ""),
        (6, "full_name__required", "full_name"),
    ]
    accepted = rows_of(home.raw, receipt)
    assert accepted["_line_number"].to_list() == [2]
    assert accepted["issued_on"].to_list() == [date(2026, 1, 5)]
    assert accepted["_delivery_id"].to_list() == [receipt.delivery_id]
    assert accepted["_business_date"].to_list() == [NIGHT]


def test_a_warning_keeps_the_row_and_flags_it(
    home: Home, make_contract: MakeContract, land: Land, take_up: TakeUp
) -> None:
    def rule(name: str, pattern: str, severity: str) -> dict[str, str]:
        return {
            "name": name, "type": "custom", "engine": "yishu", "severity": severity,
            "implementation": f'matches("{pattern}")', "dimension": "conformity",
            "description": "请更正。",
        }  # fmt: skip

    rules = [rule("odd", "^a", "warning"), rule("long", "^.{3}$", "warning"),
             rule("wrong", "^[ab]", "error")]  # fmt: skip
    contract = make_contract([{"name": "v", "quality": rules}, {"name": "w"}])
    land(home, "water", "meter_20260630.csv", "v,w\naaa,\nbbb,\nbb,\nc,\n")
    (receipt,) = take_up(home, contract, NIGHT)
    assert rows_of(home.raw, receipt).select("v", "_flags").rows() == [
        ("aaa", None),
        ("bbb", "odd"),
        ("bb", "odd,long"),
    ]
    assert rows_of(home.quarantine, receipt).select("v", "_flags", "_rules").rows() == [
        ("c", "odd,long", "wrong")
    ]


fields = st.sampled_from(
    [
        "", " ", "JZ0000000001", "JZ1", "11010519491231002X", "110105194912310020", "张三", "李 四",
        "371302", "999999", "13812345678", "2026-01-05", "20270105", "2026-02-30", "\ufffd", '"',
        "a\nb", "a,b", "；",
    ]
)  # fmt: skip
random_rows = st.lists(st.lists(fields, min_size=1, max_size=9), max_size=15)


@settings(max_examples=60)
@given(random_rows, st.booleans())
def test_rows_read_are_rows_accepted_plus_rows_quarantined_whatever_comes(
    shipped: Catalogue, take_up: TakeUp, found: list[list[str]], quoted: bool
) -> None:
    contract = shipped.by_name["public_security/residence_permit"]

    def field(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quoted else text.replace("\n", " ")

    text = delivery(*(",".join(field(value) for value in row) for row in found))
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name)).create()
        path = home.landing / DEPARTMENT / FILE
        path.parent.mkdir()
        path.write_text(text, "utf-8", newline="")
        (receipt,) = take_up(home, contract, NIGHT)
        accepted, refused = rows_of(home.raw, receipt), rows_of(home.quarantine, receipt)
    if receipt.status == "refused":
        assert receipt.reason is not None
        assert receipt.reason.startswith("unclosed_quote")
        return
    assert receipt.rows_read == receipt.rows_accepted + receipt.rows_quarantined
    assert (accepted.height, refused.height) == (receipt.rows_accepted, receipt.rows_quarantined)
    lines = [*accepted.get_column("_line_number", default=pl.Series([])),
             *refused.get_column("_line_number", default=pl.Series([]))]  # fmt: skip
    assert len(set(lines)) == receipt.rows_read
    if quoted:
        blank = [row for row in found if len(row) == 8 and not any(v.strip() for v in row)]
        assert receipt.rows_read == len(found) - len(blank)
    if refused.height:
        assert refused["_rules"].str.len_chars().min() > 0


def test_a_receipt_that_does_not_add_up_cannot_be_written(permit: Contract) -> None:
    with pytest.raises(AssertionError, match="3 rows read, but 1 accepted and 1 quarantined"):
        Receipt("x", DEPARTMENT, "d", NIGHT, NIGHT, 1, "f", "s", 0, 3, 1, 1, "loaded", None, None)


def test_a_quarantined_row_is_kept_whole_as_it_was_delivered(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    """The department gets its own text back, not what the platform made of it."""
    row = WRONG_CHECK.replace("2026-01-05", "２０２６０１０５").replace("张三", " 张三 ")
    land(home, DEPARTMENT, FILE, delivery(row, "只,有,三"))
    (receipt,) = take_up(home, permit, NIGHT)
    whole, misshapen = map(json.loads, rows_of(home.quarantine, receipt)["_original"])
    assert list(whole) == [column.name for column in permit.columns]
    assert list(whole.values()) == row.split(",")
    assert misshapen == {"_row": ["只", "有", "三"]}


def test_the_columns_of_a_garbled_row_are_those_that_are_garbled(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    content = delivery(GOOD).encode().replace("张三".encode(), b"\xff\xff")
    land(home, DEPARTMENT, FILE, content)
    (receipt,) = take_up(home, permit, NIGHT)
    refused = rows_of(home.quarantine, receipt)
    assert refused.select("_rules", "_columns").rows() == [("readable_text", "full_name")]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (FILE, "", "empty_file: "),
        (FILE, "张三,11010519491231002X,13812345678\n", "wrong_header: "),
        (FILE, delivery(GOOD).encode("gb18030"), "wrong_header: "),
        (FILE, delivery('"' + GOOD, GOOD), "unclosed_quote: "),
        ("residence_permit.csv", delivery(GOOD), "file_name: "),
        ("residence_permit_20261301.csv", delivery(GOOD), "file_name: "),
    ],
)
def test_an_unreadable_delivery_is_refused_with_a_reason_and_without_a_person(
    home: Home, permit: Contract, land: Land, take_up: TakeUp, name: str, content: str, reason: str
) -> None:
    path = land(home, DEPARTMENT, name, content)
    (receipt,) = take_up(home, permit, NIGHT)
    assert receipt.status == "refused"
    assert (receipt.reason or "").startswith(reason)
    written = "".join(p.read_text("utf-8") for p in home.raw.rglob("*.json"))
    for value in ("张三", "11010519491231002X", "13812345678", "兰山区一路"):
        assert value not in written
    assert parquet_bytes(home) == {}
    assert not path.exists()


def test_a_header_alone_is_loaded_as_nothing_changed(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, DEPARTMENT, FILE, delivery())
    (receipt,) = take_up(home, permit, NIGHT)
    assert (receipt.status, receipt.rows_read) == ("loaded", 0)
    assert parquet_bytes(home) == {}


# -- once however often seen -------------------------------------------------------------


def test_the_same_content_again_is_told_and_not_loaded(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, DEPARTMENT, FILE, delivery(GOOD))
    (first,) = take_up(home, permit, NIGHT)
    before = parquet_bytes(home)
    for again in (1, 2):
        land(home, DEPARTMENT, "residence_permit_20260630_5.csv", delivery(GOOD))
        (receipt,) = take_up(home, permit, NEXT)
        assert receipt.status == "repeated"
        assert receipt.rows_read == 0
        assert receipt.delivery_id.endswith(f"-{again}")
    assert parquet_bytes(home) == before
    known = store.read_receipts(home.raw, DEPARTMENT, "residence_permit")
    assert [r.status for r in known].count("loaded") == 1
    assert len(known) == 3
    assert first in known


def test_the_same_content_on_another_day_is_another_delivery(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    """An increment that changes nothing twice in a row has the same bytes."""
    land(home, DEPARTMENT, FILE, delivery(GOOD))
    land(home, DEPARTMENT, "residence_permit_20260701.csv", delivery(GOOD))
    receipts = take_up(home, permit, NEXT)
    assert [(r.status, r.sequence) for r in receipts] == [("loaded", 1), ("loaded", 2)]


def test_after_a_refusal_the_same_file_is_tried_again(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    """The contract may have been mended meanwhile; 'repeated' would lose the delivery. Each night
    keeps its own receipt of it: what it told must not change when it is run again."""
    land(home, DEPARTMENT, FILE, "wrong\n")
    (refused,) = take_up(home, permit, NIGHT)
    land(home, DEPARTMENT, FILE, "wrong\n")
    (again,) = take_up(home, permit, NEXT)
    assert (refused.status, again.status) == ("refused", "refused")
    land(home, DEPARTMENT, FILE, delivery(GOOD))
    (loaded,) = take_up(home, permit, NEXT)
    assert (loaded.status, loaded.sequence) == ("loaded", 3)
    known = store.read_receipts(home.raw, DEPARTMENT, permit.dataset)
    assert [(r.status, r.night) for r in known] == [
        ("refused", NIGHT),
        ("refused", NEXT),
        ("loaded", NEXT),
    ]


def test_files_of_a_broken_contract_wait_and_are_loaded_once_it_is_mended(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    path = land(home, DEPARTMENT, FILE, delivery(GOOD))
    problem = Problem(permit.path, 3, "yaml", "x")
    broken = BrokenContract(DEPARTMENT, permit.dataset, permit.path, (problem,))
    arrived = arrivals(home.landing, frozenset({permit.name}))
    (refused,) = door.refuse_all(home, broken, arrived, NIGHT)
    assert (refused.status, path.exists()) == ("refused", True)
    assert (refused.reason or "").startswith("contract_invalid: ")
    (loaded,) = take_up(home, permit, NEXT)
    assert (loaded.status, loaded.rows_accepted, path.exists()) == ("loaded", 1, False)
    assert store.read_receipts(home.raw, DEPARTMENT, permit.dataset) == [loaded]


def test_later_deliveries_have_higher_sequences(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    for number in (10, 2, 1):
        text = delivery(GOOD.replace("0001,", f"{number:04d},"))
        land(home, DEPARTMENT, f"residence_permit_20260630_{number}.csv", text)
    receipts = take_up(home, permit, NIGHT)
    assert [(r.file_name.split("_")[-1], r.sequence) for r in receipts] == [
        ("1.csv", 1),
        ("2.csv", 2),
        ("10.csv", 3),
    ]


# -- originals and crashes ---------------------------------------------------------------


def test_the_original_lies_in_the_archive_under_its_sm3_and_landing_is_empty(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    content = delivery(GOOD, WRONG_CHECK).encode()
    path = land(home, DEPARTMENT, FILE, content)
    (receipt,) = take_up(home, permit, NIGHT)
    sm3 = hashlib.new("sm3", content).hexdigest()
    assert (receipt.sm3, receipt.bytes) == (sm3, len(content))
    original = home.archive / sm3[:2] / f"{sm3}.csv"
    assert original.read_bytes() == content
    assert stat.S_IMODE(original.stat().st_mode) == 0o444
    assert not path.exists()
    assert [p for p in home.archive.rglob("*") if p.is_file()] == [original]


class Crash(BaseException):
    """The power goes."""


@pytest.fixture
def interrupted(
    home: Home, permit: Contract, land: Land, take_up: TakeUp, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """`interrupted(step)` takes up two deliveries and crashes at a step of `store`."""

    def run(step: str) -> None:
        def crash(*_: object) -> None:
            raise Crash

        land(home, DEPARTMENT, FILE, delivery(GOOD, WRONG_CHECK))
        with monkeypatch.context() as patch:
            patch.setattr(store, step, crash)
            with pytest.raises(Crash):
                take_up(home, permit, NIGHT)

    return run


def test_a_crash_before_the_receipt_leaves_nothing_that_counts_and_the_rerun_gives_the_same_bytes(
    home: Home, permit: Contract, land: Land, take_up: TakeUp, interrupted: Callable[[str], None],
    tmp_path: Path,
) -> None:  # fmt: skip
    interrupted("write_receipt")
    assert store.read_receipts(home.raw, DEPARTMENT, permit.dataset) == []
    assert (home.landing / DEPARTMENT / FILE).exists()
    left = parquet_bytes(home)
    assert len(left) == 2
    (receipt,) = take_up(home, permit, NIGHT)
    assert (receipt.status, receipt.sequence) == ("loaded", 1)
    assert parquet_bytes(home) == left


@pytest.mark.parametrize("method", ["append", "finish"])
def test_a_crash_while_writing_leaves_no_half_file(
    home: Home, permit: Contract, land: Land, take_up: TakeUp, monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:  # fmt: skip
    land(home, DEPARTMENT, FILE, delivery(GOOD, WRONG_CHECK))

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(store.RowWriter, method, crash)
        with pytest.raises(Crash):
            take_up(home, permit, NIGHT)
    assert store.read_receipts(home.raw, DEPARTMENT, permit.dataset) == []
    assert parquet_bytes(home) == {}
    (receipt,) = take_up(home, permit, NIGHT)
    assert (receipt.rows_accepted, receipt.rows_quarantined) == (1, 1)
    assert not list(home.root.rglob("*.tmp"))


def test_a_crash_between_receipt_and_landing_does_not_load_the_file_twice(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    content = delivery(GOOD)
    land(home, DEPARTMENT, FILE, content)
    take_up(home, permit, NIGHT)
    before = parquet_bytes(home)
    land(home, DEPARTMENT, FILE, content)  # as if it had never been removed
    (receipt,) = take_up(home, permit, NIGHT)
    assert receipt.status == "repeated"
    assert parquet_bytes(home) == before


def test_two_homes_give_identical_bytes(
    tmp_path: Path, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    """The same deliveries must give the same warehouse, wherever and whenever they are loaded."""
    found = []
    for name in ("one", "another"):
        home = Home(tmp_path / name).create()
        land(home, DEPARTMENT, FILE, delivery(GOOD, WRONG_CHECK, "a,b", GOOD.replace("-", "/")))
        take_up(home, permit, NIGHT)
        land(home, DEPARTMENT, "residence_permit_20260701.csv", delivery(WRONG_CHECK, GOOD))
        take_up(home, permit, NEXT)
        found.append(parquet_bytes(home))
        receipts = store.read_receipts(home.raw, DEPARTMENT, permit.dataset)
        found[-1] |= {r.delivery_id: str(r) for r in receipts}
    assert found[0] == found[1]
    assert len(found[0]) == 6


def test_the_bytes_do_not_depend_on_the_borders_of_blocks(
    tmp_path: Path, permit: Contract, land: Land, take_up: TakeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.ingest import decode

    rows = [GOOD.replace("0001,", f"{n:04d},") for n in range(30)]
    found = []
    for name, size in (("one", 1 << 20), ("another", 300)):
        monkeypatch.setattr(decode, "BLOCK_BYTES", size)
        home = Home(tmp_path / name).create()
        land(home, DEPARTMENT, FILE, delivery(*rows))
        (receipt,) = take_up(home, permit, NIGHT)
        found.append(rows_of(home.raw, receipt))
    assert found[0].equals(found[1])


def test_an_xlsx_delivery_goes_the_same_way(
    home: Home, shipped: Catalogue, land: Land, take_up: TakeUp
) -> None:
    import xlsxwriter

    contract = next(c for c in shipped.contracts if c.file_format == "xlsx")
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet(contract.sheet or "Sheet1")
        sheet.write_row(0, 0, contract.headers)
        sheet.write_row(1, 0, ["x"] * len(contract.headers))
    land(home, contract.department, f"{contract.dataset}_20260630.xlsx", buffer.getvalue())
    (receipt,) = take_up(home, contract, NIGHT)
    assert (receipt.status, receipt.rows_read, receipt.rows_quarantined) == ("loaded", 1, 1)
    assert json.loads(rows_of(home.quarantine, receipt)["_original"][0]) == dict.fromkeys(
        (column.name for column in contract.columns), "x"
    )


def test_the_archive_survives_the_same_content_under_two_names(
    home: Home, permit: Contract, land: Land, take_up: TakeUp
) -> None:
    land(home, DEPARTMENT, FILE, delivery(GOOD))
    land(home, DEPARTMENT, "residence_permit_20260629.csv", delivery(GOOD))
    receipts = take_up(home, permit, NIGHT)
    assert len({r.sm3 for r in receipts}) == 1
    assert len([p for p in home.archive.rglob("*") if p.is_file()]) == 1
