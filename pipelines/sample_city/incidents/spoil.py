"""How an incident spoils a delivery: SQL over its rows, or the bytes of its file.

Belongs here: one function a way of spoiling. Does not belong here: when (`schedule`).

Queries give texts under the headers of the contract, ready to be written; what an incident does
to them it does to the whole file.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.sample_city.incidents.incident import (
    CUT_FILE,
    DISAGREEMENT,
    DRIFT,
    DUPLICATED_LOAD,
    MISSING_COLUMN,
    SHIFTED_COLUMNS,
    UNIT_CHANGE,
    WRONG_ENCODING,
    Incident,
)
from quality.contract import Contract

UNIT = 10_000
"""元 told as 万元, or the other way round."""
_DRIFT_A_NIGHT = 0.02
_DRIFT_AT_MOST = 0.5
_GROWTH_A_NIGHT = 0.06
_DISAGREEING_SHARE = 0.25
_CUT_AT = 0.55


def query(base: str, contract: Contract, incident: Incident, first_night: int) -> str:
    """The rows of a spoilt delivery.

    Args:
        base: the query of the right one; it gives `_id`, `_copy` and `_told` beside the headers.
        contract: of the dataset.
        incident: what goes wrong.
        first_night: number of the night on which it began.
    """
    headers = [column.header for column in contract.columns]
    if incident.kind == MISSING_COLUMN:
        return f'select * exclude ("{contract.column(incident.column).header}") from ({base})'
    if incident.kind == SHIFTED_COLUMNS:
        return f"select {_shifted(headers, contract, incident)}, _id, _copy, _told from ({base})"
    if incident.kind == DUPLICATED_LOAD:
        return f"{base} union all select * replace (_copy + 2 as _copy) from ({base})"
    value = _value(contract, incident, first_night)
    if value is None:
        return base
    header = contract.column(incident.column).header
    return f'select * replace ({value} as "{header}") from ({base})'


def _shifted(headers: list[str], contract: Contract, incident: Incident) -> str:
    """From the column on every value stands one place to the right; the last one is lost."""
    place = headers.index(contract.column(incident.column).header)
    sources = [*headers[:place], None, *headers[place:-1]]
    return ", ".join(
        f'"{source}" as "{header}"' if source else f'null::varchar as "{header}"'
        for header, source in zip(headers, sources, strict=True)
    )


def _value(contract: Contract, incident: Incident, first_night: int) -> str | None:
    """SQL for what stands in the incident's column.

    How far a slow drift has gone is asked of the night on which a row's values were told first: a
    department that corrects one value of a row leaves the others as they were, also when the drift
    is over.
    """
    if not incident.column:
        return None
    column = contract.column(incident.column)
    own = f'"{column.header}"'
    purpose = f"'incident {incident.number}'"
    since = f"_told - {first_night - 1}"
    in_drift = f"_told >= {first_night} and _told < {first_night + incident.nights}"
    if incident.kind == UNIT_CHANGE:
        return _times(own, f"{float(UNIT)!r}")
    if incident.kind == DISAGREEMENT:
        return f"if(draw(_id, {purpose}) < {_DISAGREEING_SHARE}, unregistered_code(_id), {own})"
    if incident.kind == DRIFT and column.domain:
        share = f"least({_DRIFT_AT_MOST!r}, {_DRIFT_A_NIGHT!r} * ({since}))"
        gone = f"{in_drift} and draw(_id, {purpose}) < {share}"
        return f"if({gone}, '{column.domain[-1]}', {own})"
    if incident.kind == DRIFT:
        return f"if({in_drift}, {_times(own, f'{1 + _GROWTH_A_NIGHT!r} ** ({since})')}, {own})"
    return None


def _times(value: str, factor: str) -> str:
    """A number as text, multiplied; what is none, because a row defect stands there, stays."""
    product = f"try_cast({value} as double) * {factor}"
    return f"coalesce(({product})::decimal(18, 2)::varchar, {value})"


def file(path: Path, contract: Contract, incident: Incident) -> None:
    """Spoil a finished file in its place, where the incident is one of bytes."""
    if incident.kind == CUT_FILE:
        content = path.read_bytes()
        path.write_bytes(content[: round(len(content) * _CUT_AT)])
    elif incident.kind == WRONG_ENCODING:
        encoding = contract.encoding or "utf-8"
        header, _, body = path.read_bytes().decode(encoding).partition("\n")
        # The program that wrote the rows took UTF-8 for GB18030, and wrote what it then saw.
        misread = body.encode("utf-8").decode("gb18030", errors="replace")
        path.write_bytes(f"{header}\n{misread}".encode(encoding, errors="replace"))
