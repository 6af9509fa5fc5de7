"""An HTTP API → a delivery, page by page.

Belongs here: pages, their order and their end, pages that come twice, the count that must come
out. Does not belong here: one request (`http_client`).

A page is asked for by itself, so a cut connection costs that page alone. Memory holds one page
and a digest of each earlier one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from pipelines.fetch.delivery import RowFile
from pipelines.fetch.error import FetchError
from pipelines.fetch.http_client import HttpClient
from pipelines.fetch.json_text import at, text_of
from quality.contract import Contract
from quality.source import ApiSource

_REPEATS = 2
"""How often a page that came before is asked for again."""
_MAX_PAGES = 1_000_000

Record = tuple[str | None, ...]


def fetch(source: ApiSource, contract: Contract, day: date, rows: RowFile) -> dict[str, Any]:
    """Ask for all pages and write their records.

    Returns:
        The facts of the fetch: pages, requests, repeated pages and records, what the API said
        about the total, fields that the contract does not know.

    Raises:
        FetchError: refused, unreadable, not all of it, or a header that no record has.
    """
    parameters = {
        name: text.replace("{business_date}", day.isoformat())
        for name, text in source.parameters.items()
    }
    with HttpClient(source) as client:
        reading = _Reading(source, contract, client)
        for records in reading.pages(parameters):
            rows.append_records(records)
        reading.check(rows.rows)
        return {
            "source": "api",
            "rows": rows.rows,
            "pages": reading.page_count,
            "stated_total": reading.total,
            "repeated_pages": reading.repeated_pages,
            "repeated_records": reading.repeated_records,
            "unexpected_fields": sorted(reading.fields - set(contract.headers)),
            "requests": client.requests,
            "retries": client.retries,
            "clock_offset_seconds": round(client.clock_offset),
        }


@dataclass
class _Reading:
    """What is known while the pages come."""

    source: ApiSource
    contract: Contract
    client: HttpClient
    total: int | None = None
    page_count: int = 0
    received: int = 0
    repeated_pages: int = 0
    repeated_records: int = 0
    unmended: bool = False
    """A page stayed a copy of an earlier one; only a stated total can tell that none is lost."""
    fields: set[str] = field(default_factory=set)
    _seen: set[bytes] = field(default_factory=set)
    _last: frozenset[Record] = frozenset()

    def pages(self, parameters: Mapping[str, str]) -> Iterator[list[Record]]:
        """The new records of each page."""
        position, copies = self._first_position(), 0
        for _ in range(_MAX_PAGES):
            answer, records = self._page({**parameters, **self._paging(position)})
            is_copy = self._is_copy(records)
            copies = copies + 1 if is_copy else 0
            if not is_copy:
                yield self._new(records)
            following = self._next_position(position, answer, records)
            if following is None or copies > 1:
                return
            position = following
        message = f"{self._host} 的页数没有尽头，请核对合同中的分页方式。"
        raise FetchError("endless_pages", message)

    def check(self, written: int) -> None:
        """All that the API has must have come, and every header must stand in some record."""
        if self.total is not None and self.total != written:
            message = (
                f"{self._host} 声明共 {self.total} 条，实际收到 {written} 条"
                f"（重复 {self.repeated_records} 条），没有装载，请对方核查后重试。"
            )
            raise FetchError("wrong_total", message)
        if self.unmended and self.total is None:
            message = f"{self._host} 反复返回同一页，也没有声明总数，无法确认数据完整。"
            raise FetchError("repeated_page", message)
        missing = [header for header in self.contract.headers if header not in self.fields]
        if missing and written:
            message = f"接口返回的记录中没有字段：{'、'.join(missing)}，请按约定的字段名提供。"
            raise FetchError("wrong_header", message)

    @property
    def _host(self) -> str:
        return urlsplit(self.source.location).netloc

    def _page(self, parameters: Mapping[str, str]) -> tuple[Any, list[Record]]:
        """One page; a copy of an earlier one is asked for again before it is believed."""
        answer = self.client.get(parameters)
        records = self._records(answer)
        for attempt in range(1, _REPEATS + 1):
            if not self._is_copy(records) or self._is_complete:
                break
            self.repeated_pages += 1
            if not self.client.wait_before_repeating(attempt):
                break
            answer = self.client.get(parameters)
            records = self._records(answer)
        self.page_count += 1
        if self._is_copy(records):
            self.unmended = True
            self.repeated_records += len(records)
        return answer, records

    def _records(self, answer: Any) -> list[Record]:
        found = at(answer, self.source.records)
        if found is None and self.total == 0:
            found = []
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            where = self.source.records or "（最外层）"
            message = f"{self._host} 的回答中「{where}」不是记录的列表，请核对合同中的 records。"
            raise FetchError("no_records", message)
        if self.source.total is not None:
            self.total = self._stated(at(answer, self.source.total))
        for item in found:
            self.fields.update(item)
        return [tuple(text_of(item.get(h)) for h in self.contract.headers) for item in found]

    def _stated(self, value: Any) -> int:
        if isinstance(value, str) and value.isdecimal():
            return int(value)
        message = f"{self._host} 的回答中「{self.source.total}」不是总数，请核对合同中的 total。"
        raise FetchError("no_total", message)

    def _is_copy(self, records: list[Record]) -> bool:
        return bool(records) and _digest(records) in self._seen

    @property
    def _is_complete(self) -> bool:
        return self.total is not None and self.received >= self.total

    def _new(self, records: list[Record]) -> list[Record]:
        """Without the records that the page before had, where a key says that they are the same."""
        if records:
            self._seen.add(_digest(records))
        new = records
        if self.contract.key:
            new = [record for record in records if record not in self._last]
            self._last = frozenset(records)
        self.repeated_records += len(records) - len(new)
        self.received += len(new)
        return new

    # -- where a page begins ---------------------------------------------------

    def _first_position(self) -> str:
        return str(self.source.first_page) if self.source.paging == "page" else "0"

    def _paging(self, position: str) -> dict[str, str]:
        source = self.source
        size = {source.size_parameter: str(source.page_size)}
        if source.paging == "start":
            return {source.start_parameter: position, **size}
        if source.paging == "page":
            return {source.page_parameter: position, **size}
        if source.paging == "cursor":
            return size if position == "0" else {source.cursor_parameter: position, **size}
        return {}

    def _next_position(self, position: str, answer: Any, records: list[Record]) -> str | None:
        """Where the next page begins; None after the last.

        A short page is not taken for the last: some APIs give fewer than were asked for. The end
        is an empty page, or the stated total.
        """
        if self.source.paging == "cursor":
            return text_of(at(answer, self.source.next_cursor)) or None
        if self.source.paging == "none" or not records or self._is_complete:
            return None
        step = len(records) if self.source.paging == "start" else 1
        return str(int(position) + step)


def _digest(records: list[Record]) -> bytes:
    text = json.dumps(records, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
