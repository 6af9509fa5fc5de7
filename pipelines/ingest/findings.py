"""What the door found out about a file while reading it.

Belongs here: the record, which goes into the receipt of the delivery as JSON. Does not belong
here: any value of a row.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.ingest import limits

MEMBER_LINES = 100_000_000_000
SHEET_LINES = 10_000_000


@dataclass
class Part:
    """One table of the file: a member of an archive, a sheet of a workbook, or the file itself.

    `_line_number` = `first_line` + line or row in the part, with `first_line` = member ×
    100,000,000,000 + sheet × 10,000,000, both counted from 0: unique in the delivery, and of a
    file of one table simply its line.
    """

    member: str | None
    sheet: str | None
    first_line: int
    header_line: int | None
    """Line or row in this part; None where there is no header."""
    title_rows: int


@dataclass
class Findings:
    """How a file was read."""

    file_format: str | None = None
    container: str | None = None
    """gzip or zip, where the file was packed."""
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    """`doubled` or `escaped`: how a quote inside quotes is written, where quotes occur."""
    sheet: str | None = None
    record: str | None = None
    """Path of one record in XML or JSON."""
    headers: list[str] = field(default_factory=list)
    header_rows: int = 1
    header_line: int | None = None
    title_rows: int = 0
    unexpected_headers: list[str] = field(default_factory=list)
    blank_records: int = 0
    total_rows: int = 0
    """Rows of sums, left out: not among the rows read."""
    total_row_lines: list[int] = field(default_factory=list)
    """Their `_line_number`; the first thousand."""
    note_rows: int = 0
    """Rows of signatures and notes (填表人：…, 注：…), left out: not among the rows read."""
    note_row_lines: list[int] = field(default_factory=list)
    """Likewise."""
    repeated_headers: int = 0
    """Rows that say the header again, left out: not among the rows read."""
    repeated_header_lines: list[int] = field(default_factory=list)
    """Likewise."""
    filled_cells: int = 0
    """Cells that got the value of the merged cell they belong to."""
    parts: list[Part] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """What else lies in the file and was not read, each with its reason (Chinese)."""
    certainty: dict[str, str] = field(default_factory=dict)
    """Finding → `declared`, `sure`, `likely` or `guess`."""

    def leave_out_totals(self, lines: list[int]) -> None:
        """Count rows of sums, and note where they stood."""
        self.total_rows += len(lines)
        _note(self.total_row_lines, lines)

    def leave_out_notes(self, lines: list[int]) -> None:
        """Count rows of signatures and notes, and note where they stood."""
        self.note_rows += len(lines)
        _note(self.note_row_lines, lines)

    def leave_out_headers(self, lines: list[int]) -> None:
        """Count rows that say the header again, and note where they stood."""
        self.repeated_headers += len(lines)
        _note(self.repeated_header_lines, lines)

    def skip(self, note: str) -> None:
        """Note once what was not read, and why."""
        if note not in self.skipped:
            self.skipped.append(note)


def _note(known: list[int], lines: list[int]) -> None:
    room = limits.NOTED_LINES - len(known)
    known += lines[: max(room, 0)]
