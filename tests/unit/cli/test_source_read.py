"""`yishu source read`: what it says of a file, and what it writes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.home import PROJECT

REAL = PROJECT.parent / "shared" / "data" / "real"
RUNNER = CliRunner()


def run(*arguments: str | Path) -> tuple[int, str]:
    result = RUNNER.invoke(app, ["source", "read", *map(str, arguments)])
    return result.exit_code, result.output


def finding(path: Path, *arguments: str) -> dict:
    code, output = run(path, "--json", *arguments)
    assert code == 0, output
    return json.loads(output)


def test_a_file_is_told_about_without_its_values(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("统计表;\r\n姓名;电话\r\n张三;13812345678\r\n李四\r\n".encode("gbk"))
    code, output = run(path)
    assert code == 0
    for part in ("gb18030", "';'", "line 2", "1 title rows above", "row_shape", "1: lines 4"):
        assert part in output
    assert "13812345678" not in output
    assert "张三" not in output


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_rows_are_written_where_they_are_asked_for(tmp_path: Path, ending: str) -> None:
    path, out = tmp_path / "x.dat", tmp_path / f"out.{ending}"
    path.write_bytes("编号|名称\n0012|沂,河\n".encode("utf-16"))
    code, _ = run(path, "--to", out)
    assert code == 0
    if ending == "csv":
        with out.open(encoding="utf-8", newline="") as file:
            rows = [tuple(row) for row in csv.reader(file)]
        assert rows == [("编号", "名称", "_line_number"), ("0012", "沂,河", "2")]
    else:
        assert pl.read_parquet(out).rows() == [("0012", "沂,河", 2)]
    assert sorted(tmp_path.iterdir()) == sorted([path, out])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_headers_that_a_tool_takes_for_patterns_are_written_as_they_are(
    tmp_path: Path, ending: str
) -> None:
    path, out = tmp_path / "x.csv", tmp_path / f"out.{ending}"
    path.write_text("编号,^.*$,*\n1,2,3\n", "utf-8")
    assert run(path, "--to", out)[0] == 0
    written = pl.read_csv(out) if ending == "csv" else pl.read_parquet(out)
    assert written.columns == ["编号", "^.*$", "*", "_line_number"]
    assert written.row(0) == ((1, 2, 3, 2) if ending == "csv" else ("1", "2", "3", 2))


def test_a_refused_file_is_exit_code_1_with_its_rule_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,"2\n3,4\n', "utf-8")
    code, output = run(path, "--to", tmp_path / "out.csv")
    assert (code, "unclosed_quote" in output) == (1, True)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("arguments", [["--format", "docx"], ["--encoding", "latin-1"],
                                       ["--delimiter", "||"], ["--widths", "1,x"],
                                       ["--to", "out.xlsx"]])  # fmt: skip
def test_a_wrong_argument_is_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    assert run(path, *arguments)[0] == 2
    assert run(tmp_path / "nothing.csv")[0] == 2


REAL_FILES = {
    "air/cnemc_2018-02-20T07_300_stations.geojson": ("geojson", 300, 29),
    "divisions/areacodes_shandong_1981_2024.csv": ("csv", None, 9),
    "divisions/linyi_areas.csv": ("csv", 13, 4),
    "divisions/linyi_streets.csv": ("csv", 156, 5),
    "divisions/linyi_villages.csv": ("csv", 4_186, 6),
    "enterprise/linyi_enterprises_2009_2011.csv": ("csv", 4_490, 10),
    "geo/linyi_counties_gcj02.geojson": ("geojson", 12, 11),
    "hotline/messages_labelled.xlsx": ("workbook", 495, 6),
    "hotline/taxonomy.xlsx": ("workbook", 517, 3),
    "portal/linyi_agri_2017_2019.csv": ("csv", 117, 6),
    "portal/linyi_social_insurance_regions.csv": ("csv", 18, 2),
}


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("name", REAL_FILES)
def test_a_real_file_reads_right(name: str) -> None:
    """Rows and columns as its publisher counts them; no row refused, none left out."""
    kind, rows, columns = REAL_FILES[name]
    found = finding(REAL / name)
    assert (found["file_format"], len(found["headers"])) == (kind, columns)
    assert rows is None or found["rows"] == rows
    assert found["total_rows"] == found["title_rows"] == 0
    assert all(rule["rows"] == 0 for rule in found["refused_rows"].values())


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not here")
def test_no_real_file_is_left_untried() -> None:
    files = {str(path.relative_to(REAL)) for path in REAL.glob("*/*")}
    assert files == set(REAL_FILES)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not here")
def test_a_real_csv_reads_as_pythons_own_reader_reads_it(tmp_path: Path) -> None:
    for name, (kind, _, _) in REAL_FILES.items():
        if kind != "csv":
            continue
        out = tmp_path / "out.parquet"
        assert run(REAL / name, "--to", out)[0] == 0
        with (REAL / name).open(encoding="utf-8-sig", newline="") as file:
            expected = [tuple(row) for row in list(csv.reader(file))[1:] if any(row)]
        assert pl.read_parquet(out).drop("_line_number").rows() == expected
