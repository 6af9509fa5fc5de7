"""The header that came against the header that was agreed: one verdict for each difference.

Belongs here: new, missing, renamed, repeated and reordered columns, and what follows from each.
Does not belong here: finding the header (`header`) or the values below it.

A new column is left out, a missing one is null where it is not required: both are recorded, and
the rule `schema_agrees` tells the department. A file without a required column is refused. A
name that looks like the missing one is proposed to people and never taken for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from quality.contract import Contract

LIKENESS = 0.5
"""From which share of common characters on a new name is proposed for a missing one."""
_SHOWN = 12
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Rename:
    """A proposal: `found` stands where `missing` was agreed; `likeness` from 0 to 1."""

    missing: str
    found: str
    likeness: float


@dataclass(frozen=True)
class Drift:
    """How a header differs from the contract's; empty where they agree."""

    missing: tuple[str, ...] = ()
    """Agreed headers that did not come, required or not."""
    required: tuple[str, ...] = ()
    """Those of them without which nothing can be loaded."""
    unknown: tuple[str, ...] = ()
    """Headers that nobody agreed on; empty where the row is no header at all, for then these
    would be values."""
    repeated: tuple[str, ...] = ()
    """Agreed headers that stand twice, so that nobody can tell which column is meant."""
    reordered: bool = False
    rename: Rename | None = None
    is_header: bool = True
    """Whether the row holds more than half of the agreed headers."""

    @property
    def disagrees(self) -> bool:
        """Whether the department has to hear of it; another order of columns changes nothing."""
        return bool(self.missing or self.unknown)

    def refusal(self, hint: str = "") -> str | None:
        """Why the file cannot be loaded, in Chinese; None where it can.

        `hint` is a sentence that explains missing headers, such as the encoding in which the
        file has them all; then even one that is not required must come.
        """
        if self.missing and (self.required or hint or not self.is_header):
            shown = self.required or self.missing
            return f"表头缺少：{_list(shown)}。{self._proposal()}{hint}请按约定的表头重新报送。"
        if self.repeated:
            return f"表头重复：{_list(self.repeated)}，请每列只保留一个。"
        return None

    def sentence(self) -> str:
        """What a loaded file's header differs in, in Chinese; empty where it agrees."""
        said = ""
        if self.missing:
            said += f"缺少列：{_list(self.missing)}（按空值装载）。"
        if self.unknown:
            said += f"多出列：{_list(self.unknown)}（未装载）。"
        return said + self._proposal()

    def record(self) -> dict[str, Any]:
        """What goes into the receipt of a loaded delivery; empty where nothing differs."""
        if not (self.disagrees or self.reordered):
            return {}
        found: dict[str, Any] = {
            "missing": list(self.missing),
            "unknown": list(self.unknown),
            "reordered": self.reordered,
            "disagrees": self.disagrees,
            "sentence": self.sentence(),
        }
        if self.rename:
            found["rename"] = {
                "missing": self.rename.missing,
                "found": self.rename.found,
                "likeness": self.rename.likeness,
            }
        return found

    def _proposal(self) -> str:
        if self.rename is None:
            return ""
        return (
            f"「{self.rename.missing}」疑似改名为「{self.rename.found}」"
            f"（相似度 {self.rename.likeness:.0%}），平台不会自动认定。"
        )


def verdict(headers: Sequence[str], contract: Contract) -> Drift:
    """Judge one header.

    Args:
        headers: the names that came, in their order, without the space around them; unnamed
            columns as empty texts.
        contract: names the agreed headers, which of them are required, and those that may
            come and are left out knowingly.
    """
    came = [header for header in headers if header]
    missing = tuple(header for header in contract.headers if header not in came)
    present = [header for header in contract.headers if header in came]
    if missing and 2 * len(present) <= len(contract.headers):
        return Drift(missing=missing, required=_required(missing, contract), is_header=False)
    known = {*contract.headers, *contract.ignored_headers}
    unknown = tuple(dict.fromkeys(header for header in came if header not in known))
    ordered = list(dict.fromkeys(header for header in came if header in present))
    return Drift(
        missing=missing,
        required=_required(missing, contract),
        unknown=unknown,
        repeated=tuple(header for header in present if came.count(header) > 1),
        reordered=ordered != present,
        rename=_rename(missing, unknown),
    )


def found(headers: Sequence[str], contract: Contract) -> dict[str, Any]:
    """What a receipt's findings say of a loaded file's header: `drift`, where there is any.

    Without headers (a file that has none, or names its fields in each record) there is none.
    """
    recorded = verdict(headers, contract).record() if any(headers) else {}
    return {"drift": recorded} if recorded else {}


def _required(missing: tuple[str, ...], contract: Contract) -> tuple[str, ...]:
    """A key is required whatever the contract says of it: without it no row has its place."""
    needed = {
        column.header
        for column in contract.columns
        if column.required or column.key_position is not None
    }
    return tuple(header for header in missing if header in needed)


def _rename(missing: tuple[str, ...], unknown: tuple[str, ...]) -> Rename | None:
    """The one new name that is most like the one missing name; None where two are as like."""
    if len(missing) != 1 or not unknown:
        return None
    ranked = sorted(((likeness(missing[0], name), name) for name in unknown), reverse=True)
    best, name = ranked[0]
    if best < LIKENESS or (len(ranked) > 1 and ranked[1][0] == best):
        return None
    return Rename(missing[0], name, round(best, 2))


def likeness(one: str, other: str) -> float:
    """Share of characters that two headers have in common, in order: 0 to 1."""
    return SequenceMatcher(None, _plain(one), _plain(other), autojunk=False).ratio()


def _plain(header: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", header)).lower()


def _list(headers: tuple[str, ...]) -> str:
    more = f"等 {len(headers)} 列" if len(headers) > _SHOWN else ""
    return "、".join(headers[:_SHOWN]) + more
