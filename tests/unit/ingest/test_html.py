"""HTML pages under the name .xls."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest import limits, parse
from pipelines.ingest.findings import Findings
from pipelines.ingest.frames import LINE
from pipelines.ingest.layout import Layout
from pipelines.ingest.refusal import RefusedError

PAGE = """<!DOCTYPE html><HTML><!-- <table><tr><td>x</td></tr></table> --><head>
<style>td > a</style>
<script>if (1 < 2) document.write("<table><tr><td>y</td></tr></table>")</script></head><body>
<table border=1><tr><th rowspan="2">县区<th colspan='2'>人口</tr><tr><th>男</th><th>女</th></tr>
<tr><td rowspan=2>兰山区</td><td>1</td><td>2 &lt; 3 &amp; 4</td></tr>
<tr><td>3</td><td> a<br/>b </td></tr><tr><td>罗庄区<td>5<td>&nbsp;</table></body></HTML>"""


def read(path: Path, content: str, findings: Findings | None = None) -> pl.DataFrame:
    path.write_text(content, "utf-8")
    return pl.concat(parse.read(path, Layout(), findings or Findings()))


def test_spans_tags_left_open_and_entities(tmp_path: Path) -> None:
    findings = Findings()
    frame = read(tmp_path / "x.xls", PAGE, findings)
    assert frame.select("县区", "人口_男", "人口_女", LINE).rows() == [
        ("兰山区", "1", "2 < 3 & 4", 3),
        ("兰山区", "3", "a\nb", 4),
        ("罗庄区", "5", "", 5),
    ]
    assert findings.filled_cells == 1


def test_the_table_of_the_data_is_taken_and_not_that_of_the_layout(tmp_path: Path) -> None:
    page = "<table><tr><td>菜单</td></tr></table><table><tr><td>甲</td><td>乙</td></tr>"
    page += "<tr><td>一</td><td>二</td></tr></table>"
    findings = Findings()
    assert read(tmp_path / "x.html", page, findings).select("甲", "乙").rows() == [("一", "二")]
    assert findings.sheet == "第 2 个表格"


@pytest.mark.parametrize("content", ["<html><body>请登录</body></html>", "<table></table>"])
def test_a_page_without_a_table_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(RefusedError, match="empty_file"):
        read(tmp_path / "x.xls", content)


@pytest.mark.parametrize("piece", ["<!--", "<td", "<table>", "<td colspan=1000 rowspan=1000>", "<",
                                   "<script>", "&#"])  # fmt: skip
def test_a_page_made_to_keep_a_parser_busy_does_not(
    tmp_path: Path, piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WORKBOOK_CELLS", 2_000_000)
    path = tmp_path / "x.xls"
    path.write_text("<table><tr><td>a</td><td>b</td></tr>" + piece * 20_000, "utf-8")
    start = time.monotonic()
    with suppress(RefusedError):
        for frame in parse.read(path, Layout(), Findings()):
            assert frame.width <= limits.COLUMNS + 3
    assert time.monotonic() - start < 10
