"""docs/formats.md says which test proves each row: every one of them must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pipelines.home import PROJECT

FOLDER = PROJECT / "tests" / "unit" / "ingest"
TEXT = (PROJECT / "docs" / "formats.md").read_text(encoding="utf-8")


def rows() -> Iterator[tuple[str, str]]:
    """What each row of a table is about, and what it names as its proof."""
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and len(cells) == 3 and not re.fullmatch(r"test|-+", cells[2]):
            yield cells[0], cells[2]


def named(proof: str) -> Iterator[tuple[str, str]]:
    """`test_a: one, two…; test_b: three` → module and test."""
    for part in proof.split(";"):
        module, _, names = part.strip().partition(":")
        for name in names.split(","):
            yield module.strip(), name.strip()


@pytest.mark.parametrize(("subject", "proof"), list(rows()), ids=lambda text: text[:40])
def test_every_row_of_the_formats_names_tests_that_are_there(subject: str, proof: str) -> None:
    """A promise whose proof was renamed away proves nothing."""
    for module, name in named(proof):
        path = FOLDER / f"{module}.py"
        assert path.is_file(), f"{subject}: no {path.name}"
        text = path.read_text(encoding="utf-8")
        pattern = rf"^def test_{re.escape(name.removesuffix('…'))}"
        pattern += "" if name.endswith("…") else r"\("
        assert name, f"{subject}: {module} without a test"
        assert re.search(pattern, text, re.MULTILINE), f"{subject}: no test_{name} in {module}"


def test_there_are_rows_to_look_at() -> None:
    assert len(list(rows())) > 40
