"""What the texts of a sampled column show.

Belongs here: counting, over whole columns. Does not belong here: what follows from the counts
(`kinds`), and any value in words: evidence is told as numbers (`told`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from pipelines.ingest import readings
from pipelines.ingest.frames import column_name
from pipelines.onboarding.names import read_resource
from pipelines.onboarding.sample import FILE
from quality.contract import Column

TEXT, FOLDED, COUNT, FILES = "text", "folded", "count", "files"
MASK = r"[*＊●✱]|[xX×]{3,}"
_PUNCTUATION = r"^[\p{P}\s]{1,4}$"
_NO_PLACEHOLDER = r"[*#%@&＊√]"
_SHORT_LIST = 30
_DATA = r"^[-+]?[0-9][0-9,./:年月日\-% ]*$|^[0-9A-Z]{6,}$"
_MOSTLY = 0.9
_SAME = 50
"""Rows from which on one value alone is worth a look."""


@dataclass(frozen=True)
class Evidence:
    """One column of a sample.

    `values` has one row a distinct text that says something: `text` without surrounding space,
    `folded` (full-width made plain, apostrophe off), `count`, and `files` in which it stands.
    """

    header: str
    rows: int
    files: int
    missing: int
    """Rows without a value, whatever the spelling."""
    spellings: tuple[str, ...]
    """Texts, besides the empty one, that stand for "missing"."""
    values: pl.DataFrame = field(repr=False)

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int:
        """Different texts among them."""
        return self.values.height

    def share(self, test: pl.Expr) -> float:
        """Share of the filled rows whose text passes; 0 where nothing is filled."""
        if not self.filled:
            return 0.0
        passed = self.values.filter(test.fill_null(False))[COUNT].sum()
        return float(passed) / self.filled

    def matching(self, pattern: str) -> float:
        """Share of the filled rows whose folded text matches."""
        return self.share(pl.col(FOLDED).str.contains(pattern))

    def reading(self, logical: str, physical: str, parse: str | None = None) -> float:
        """Share of the filled rows that the door would read as this type."""
        return self.share(readings.reading(trial_column(logical, physical, parse)).is_not_null())

    def greatest(self, number: pl.Expr) -> int:
        """The largest of a whole number over all texts; 0 where there is none."""
        found = self.values.select(number.max()).item() if self.distinct else None
        return int(found or 0)

    def constant(self) -> tuple[str, ...]:
        """A note where one value fills every row of a sample that is not tiny."""
        same = self.distinct == 1 and self.filled == self.rows and self.rows >= _SAME
        return ("the same value in every row",) if same else ()

    def told(self, *more: str) -> str:
        """The evidence in Chinese, as a contract keeps it: numbers, and never a value."""
        share = self.missing / self.rows if self.rows else 0.0
        said = f"样本 {self.rows} 行：缺失 {percent(share)}"
        if self.filled:
            said += f"，不同值 {self.distinct} 个"
        return "，".join((said, *(text for text in more if text)))


def percent(share: float) -> str:
    """A share for people; never rounded up to 100 % nor down to 0."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(max(share * 100, 0.1), 99.9):.1f}%"


def trial_column(logical: str, physical: str, parse: str | None = None) -> Column:
    """A column over the texts of `Evidence.values`, to try the door's readings with."""
    return Column(TEXT, TEXT, TEXT, logical, physical, False, "L1", parse=parse)


def gather(rows: pl.DataFrame, headers: Iterable[str]) -> list[Evidence]:
    """The evidence of each column of a sample."""
    return [_of_column(rows, header) for header in headers]


def _of_column(rows: pl.DataFrame, header: str) -> Evidence:
    text = rows[column_name(header)].str.strip_chars(readings.SPACE).alias(TEXT)
    values = (
        pl.DataFrame([text, rows[FILE]])
        .group_by(TEXT)
        .agg(pl.len().alias(COUNT), pl.col(FILE).n_unique().alias(FILES))
        .sort(COUNT, TEXT, descending=[True, False])
        .with_columns(
            pl.col(TEXT).str.normalize("NFKC").str.strip_prefix("'")
            .str.strip_chars(readings.SPACE).alias(FOLDED)
        )
    )  # fmt: skip
    spellings = _missing_spellings(values)
    is_missing = pl.col(TEXT).is_in(["", *spellings])
    filled = values.filter(~is_missing)
    missing = rows.height - int(filled[COUNT].sum())
    files = rows[FILE].n_unique()
    return Evidence(header, rows.height, files, missing, spellings, filled)


def _missing_spellings(values: pl.DataFrame) -> tuple[str, ...]:
    """Which texts stand for "missing": well-known words, and punctuation alone."""
    words, in_data, in_text = _words()
    plain = pl.col(FOLDED).str.to_lowercase()
    punctuation = pl.col(TEXT).str.contains(_PUNCTUATION) & ~pl.col(TEXT).str.contains(
        _NO_PLACEHOLDER
    )
    known = (punctuation | plain.is_in(words)) & (pl.col(TEXT) != "")
    doubtful = values.filter(~known & plain.is_in([*in_data, *in_text]))
    if doubtful.height:
        others = values.filter(~known & ~plain.is_in([*in_data, *in_text]) & (pl.col(TEXT) != ""))
        data = others.filter(pl.col(FOLDED).str.contains(_DATA))[COUNT].sum()
        if others.height and int(data) >= _MOSTLY * int(others[COUNT].sum()):
            known |= plain.is_in(in_data)
        elif others.height > _SHORT_LIST:
            known |= plain.is_in(in_text)
    found = values.filter(known & (pl.col(TEXT) != ""))
    return tuple(found[TEXT].to_list())


@cache
def _words() -> tuple[list[str], list[str], list[str]]:
    words = read_resource("spellings.yaml")
    lower = [str(word).lower() for word in words["missing"]]
    return lower, words["in_data"], words["in_text"]


@cache
def surname_pattern() -> str:
    """A Chinese name of two to four characters that begins with a common surname."""
    words = read_resource("spellings.yaml")
    single = "".join(dict.fromkeys(words["surnames"]))
    compound = "|".join(words["compound_surnames"])
    return rf"^(?:(?:{compound})\p{{Han}}{{1,2}}|[{single}]\p{{Han}}{{1,2}}(?:·?\p{{Han}})?)$"
