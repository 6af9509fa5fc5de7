"""Texts within SQL that is put together here: quoted, so that a value stays one.

Belongs here: quoting, and the places of rows in deliveries, where literal values let DuckDB pass
over whole Parquet files. Does not belong here: queries.
"""

from __future__ import annotations

from collections.abc import Iterable


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted_list(texts: Iterable[str]) -> str:
    """Texts as the inside of an `in (…)`, each once; of none, a null, which nothing equals."""
    return ", ".join(quoted(text) for text in dict.fromkeys(texts)) or "null"


def at_places(deliveries: Iterable[str], picked: str) -> str:
    """A condition on `raw` or `quarantine` that leaves the rows that may be in `picked`.

    The lines alone and a literal list let the reader pass over most of the Parquet files; a join by
    both would read them whole. Whoever asks joins the rows with `picked` (delivery_id,
    line_number) by both.
    """
    return (
        f"_delivery_id in ({quoted_list(deliveries)}) "
        f"and _line_number in (select {picked}.line_number from {picked})"
    )
