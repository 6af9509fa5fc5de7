"""An API that misbehaves costs time, never a row: nothing lost, nothing twice, nothing silent."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.fetch import fetch
from pipelines.fetch.error import FetchError
from pipelines.home import Home
from pipelines.ingest import store
from quality.contract import Contract
from tests.integration.fetch.conftest import FetchNight, free_port
from tests.integration.fetch.misbehaving_api import Api, Request, serve

DAY = date(2026, 3, 5)
COLUMNS = [
    {"name": "station", "physicalName": "站点", "required": True, "primaryKey": True},
    {"name": "level", "physicalName": "水位"},
]
START = {"records": "data.rows", "total": "data.total", "paging": "start", "pageSize": 10,
         "requestsPerSecond": 500, "patienceSeconds": 20, "timeoutSeconds": 5}  # fmt: skip


def stations(count: int) -> list[dict[str, Any]]:
    return [{"站点": f"S{n:04}", "水位": n / 100, "备注": "x"} for n in range(count)]


@pytest.fixture
def start_api() -> Iterator[Callable[[Api], Api]]:
    stops: list[Callable[[], None]] = []

    def start(api: Api) -> Api:
        stops.append(serve(api))
        return api

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def make_source(make_contract: Callable[..., Contract]) -> Callable[..., Contract]:
    def make(api: Api | str, columns: list[dict[str, Any]] = COLUMNS, **custom: Any) -> Contract:
        settings = {**START, **custom}
        location = api if isinstance(api, str) else api.address
        return make_contract(
            columns,
            server={
                "type": "api", "location": location,
                "customProperties": [
                    {"property": k, "value": v} for k, v in settings.items() if v is not None
                ],
            },
        )  # fmt: skip

    return make


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def names(path: Path) -> list[str]:
    return [row["站点"] for row in read(path)]


EVERY = [f"S{n:04}" for n in range(35)]


@pytest.mark.parametrize(
    ("paging", "states_total", "requests"),
    [("start", True, 4), ("start", False, 5), ("page", True, 4), ("page", False, 5),
     ("cursor", True, 4), ("cursor", False, 4), ("none", True, 1)],
)  # fmt: skip
def test_every_row_comes_once_whatever_the_paging(
    home: Home, start_api: Any, make_source: Any, paging: str, states_total: bool, requests: int
) -> None:
    api = start_api(Api(stations(35), states_total=states_total))
    total = "data.total" if states_total else None
    contract = make_source(api, paging=paging, total=total, nextCursor="data.next",
                           parameters={"day": "{business_date}", "kind": "hourly"})  # fmt: skip
    (path,) = fetch.fetch(home, contract, DAY)
    assert names(path) == EVERY
    assert len(api.requests) == requests
    assert {r.parameters["day"] for r in api.requests} == {"2026-03-05"}


def test_a_server_that_gives_shorter_pages_than_asked_loses_nothing(
    home: Home, start_api: Any, make_source: Any
) -> None:
    """A short page is not the last one: some servers cap the page length silently."""
    api = start_api(Api(stations(35), largest_page=7))
    for total in ("data.total", None):
        (path,) = fetch.fetch(home, make_source(api, total=total), DAY)
        assert names(path) == EVERY
        path.unlink()


def test_the_door_takes_it_from_there(
    home: Home, start_api: Any, make_source: Any, fetch_night: FetchNight
) -> None:
    """A fetched delivery is archived and judged as a file is; its facts stand in the receipt."""
    rows = [*stations(12), {"站点": None, "水位": 1, "备注": ""}]
    api = start_api(Api(rows, plan=[None, 500]))
    (receipt,) = fetch_night(home, make_source(api), DAY)
    assert (receipt.status, receipt.rows_read, receipt.rows_quarantined) == ("loaded", 13, 1)
    assert list(home.archive.rglob(f"{receipt.sm3}*"))
    assert not list(home.landing.glob("*/*")), "facts and files must leave landing"
    (stored,) = store.read_receipts(home.raw, "water", "meter")
    facts = stored.findings["fetch"]
    assert (facts["rows"], facts["pages"], facts["retries"], facts["stated_total"]) == (
        13,
        2,
        1,
        13,
    )
    assert facts["unexpected_fields"] == ["备注"]


def test_values_keep_their_text(home: Home, start_api: Any, make_source: Any) -> None:
    """18 digits as a JSON number, a trailing zero, a half character: none may be changed."""
    body = (
        b'{"data": {"total": 4, "rows": ['
        b'{"\\u7ad9\\u70b9": 371302199001011234, "\\u6c34\\u4f4d": 1.50},'
        b'{"\\u7ad9\\u70b9": "a,\\"b\\"\\n", "\\u6c34\\u4f4d": null},'
        b'{"\\u7ad9\\u70b9": "\\ud800x", "\\u6c34\\u4f4d": true},'
        b'{"\\u7ad9\\u70b9": "d", "\\u6c34\\u4f4d": {"v": [1.10, "\\u7c73"]}}]}}'
    )
    api = start_api(Api([], plan=[("body", body)]))
    (path,) = fetch.fetch(home, make_source(api), DAY)
    assert [(row["站点"], row["水位"]) for row in read(path)] == [
        ("371302199001011234", "1.50"), ('a,"b"\n', ""), ("\ufffdx", "true"),
        ("d", '{"v": [1.10, "米"]}'),
    ]  # fmt: skip


class TestPassingTrouble:
    """What passes is waited out, and the page asked for again."""

    def test_too_many_requests_is_waited_out_as_long_as_the_server_asks(
        self, home: Home, start_api: Any, make_source: Any
    ) -> None:
        """Coming back at once would get the city's address blocked."""
        api = start_api(Api(stations(35), plan=[None, ("headers", 429, {"Retry-After": "1"})]))
        (path,) = fetch.fetch(home, make_source(api), DAY)
        assert names(path) == EVERY
        assert api.requests[2].at - api.requests[1].at >= 1.0
        assert api.requests[2].parameters == api.requests[1].parameters

    def test_server_errors_and_cut_connections_cost_one_page_each(
        self, home: Home, start_api: Any, make_source: Any
    ) -> None:
        """A cut page must be repeated whole: half of it, or it twice, is a wrong count."""
        plan = [None, 500, None, ("cut", 60), ("cut", 0), ("body", b'{"data": {"rows": [{"')]
        api = start_api(Api(stations(35), plan=plan))
        (path,) = fetch.fetch(home, make_source(api), DAY)
        assert names(path) == EVERY
        assert len(api.requests) == 8

    def test_a_slow_answer_is_given_up_and_asked_for_again(
        self, home: Home, start_api: Any, make_source: Any
    ) -> None:
        api = start_api(Api(stations(5), plan=[("slow", 2)]))
        begun = time.monotonic()
        (path,) = fetch.fetch(home, make_source(api, timeoutSeconds=0.3), DAY)
        assert len(names(path)) == 5
        assert time.monotonic() - begun < 2

    def test_patience_ends(self, home: Home, start_api: Any, make_source: Any) -> None:
        """A server that is down all night must not hold the night."""
        for plan, rule in (
            ([503] * 99, "server_error"),
            ([("headers", 429, {"Retry-After": "3600"})] * 9, "server_busy"),
            ([("headers", 503, {"Retry-After": "Fri, 31 Dec 2999 23:59:59 GMT"})], "server_error"),
            ([("cut", 10)] * 99, "connection_lost"),
            ([("body", b"<html>login</html>")] * 99, "not_json"),
        ):
            api = start_api(Api(stations(5), plan=plan))
            begun = time.monotonic()
            with pytest.raises(FetchError, match=rule):
                fetch.fetch(home, make_source(api, patienceSeconds=1), DAY)
            assert time.monotonic() - begun < 3
        assert not list(home.landing.glob("*/*"))

    def test_requests_keep_the_agreed_rate(
        self, home: Home, start_api: Any, make_source: Any
    ) -> None:
        api = start_api(Api(stations(35)))
        fetch.fetch(home, make_source(api, requestsPerSecond=10), DAY)
        # Four requests, three waits of 0.1 s; the first may arrive late, on a new connection.
        assert api.requests[-1].at - api.requests[0].at >= 0.2


class TestPagesThatComeTwice:
    """A page that is a copy of an earlier one is never counted, and never hides a lost one."""

    def test_a_copy_is_asked_for_again(self, home: Home, start_api: Any, make_source: Any) -> None:
        api = start_api(Api(stations(35), plan=[None, None, ("page", 10)]))
        (path,) = fetch.fetch(home, make_source(api), DAY)
        assert names(path) == EVERY

    def test_copies_are_recorded(
        self, home: Home, start_api: Any, make_source: Any, fetch_night: FetchNight
    ) -> None:
        api = start_api(Api(stations(35), plan=[None, None, ("page", 10)]))
        (receipt,) = fetch_night(home, make_source(api), DAY)
        assert receipt.rows_read == 35
        assert receipt.findings["fetch"]["repeated_pages"] == 1

    def test_a_page_that_stays_a_copy_cannot_hide_the_lost_one(
        self, home: Home, start_api: Any, make_source: Any
    ) -> None:
        copies = [None, None, *[("page", 10)] * 3]
        api = start_api(Api(stations(35), plan=list(copies)))
        with pytest.raises(FetchError, match="wrong_total"):
            fetch.fetch(home, make_source(api), DAY)
        api = start_api(Api(stations(35), plan=list(copies), states_total=False))
        with pytest.raises(FetchError, match="repeated_page"):
            fetch.fetch(home, make_source(api, total=None), DAY)

    def test_a_server_that_knows_no_pages_does_not_loop_for_ever(
        self, home: Home, start_api: Any, make_source: Any
    ) -> None:
        api = start_api(Api(stations(10), plan=[("page", 0)] * 50, states_total=False))
        with pytest.raises(FetchError, match="repeated_page"):
            fetch.fetch(home, make_source(api, total=None), DAY)
        assert len(api.requests) <= 8

    def test_a_row_that_slid_onto_the_next_page_counts_once(
        self, home: Home, start_api: Any, make_source: Any
    ) -> None:
        """A row inserted while pages are read pushes the last row of a page onto the next."""
        api = start_api(Api(stations(19), plan=[None, ("page", 9)]))
        (path,) = fetch.fetch(home, make_source(api), DAY)
        assert names(path) == EVERY[:19]


class TestRefusals:
    """What cannot be trusted is not loaded, and its reason is told."""

    @pytest.mark.parametrize("total", [34, 36, 0])
    def test_a_wrong_total(self, home: Home, start_api: Any, make_source: Any, total: int) -> None:
        api = start_api(Api(stations(35), total=total))
        with pytest.raises(FetchError, match="wrong_total"):
            fetch.fetch(home, make_source(api, pageSize=40), DAY)
        assert not list(home.landing.glob("*/*"))

    @pytest.mark.parametrize(
        ("custom", "rule"),
        [({"records": "data.items"}, "no_records"), ({"total": "data.count"}, "no_total"),
         ({"records": "data"}, "no_records")],
    )  # fmt: skip
    def test_a_path_that_leads_nowhere(
        self, home: Home, start_api: Any, make_source: Any, custom: Any, rule: str
    ) -> None:
        api = start_api(Api(stations(5)))
        with pytest.raises(FetchError, match=rule):
            fetch.fetch(home, make_source(api, **custom), DAY)

    def test_a_renamed_field_is_named(self, home: Home, start_api: Any, make_source: Any) -> None:
        """Read as missing, it would empty a column of the whole dataset in silence."""
        rows = [{"站点": "S1", "水位（米）": 3}]
        with pytest.raises(FetchError, match=r"wrong_header.*水位"):
            fetch.fetch(home, make_source(start_api(Api(rows))), DAY)

    @pytest.mark.parametrize(("status", "rule"), [(404, "wrong_request"), (302, "wrong_request"),
                                                  (403, "access_denied")])  # fmt: skip
    def test_a_refusal_for_good_is_not_repeated(
        self, home: Home, start_api: Any, make_source: Any, status: int, rule: str
    ) -> None:
        api = start_api(Api(stations(5), plan=[status]))
        with pytest.raises(FetchError, match=rule):
            fetch.fetch(home, make_source(api), DAY)
        assert len(api.requests) == 1

    def test_nobody_listens(self, home: Home, make_source: Any) -> None:
        for location, rule in (
            (f"http://127.0.0.1:{free_port()}/", "connection_refused"),
            ("http://nowhere.invalid/", "unknown_host"),
        ):
            with pytest.raises(FetchError, match=rule):
                fetch.fetch(home, make_source(location), DAY)

    def test_the_night_s_receipt_tells_of_it(
        self, home: Home, start_api: Any, make_source: Any, fetch_night: FetchNight
    ) -> None:
        api = start_api(Api(stations(5), total=6))
        assert fetch_night(home, make_source(api), DAY) == []
        (receipt,) = store.read_receipts(home.raw, "water", "meter")
        assert (receipt.status, receipt.file_name) == ("refused", "meter_20260305 (api)")
        assert "6 条" in (receipt.reason or "")


class TestSignedHeaders:
    """The provincial portal: client id, millisecond timestamp, nonce, Base64(HMAC-SHA256)."""

    @pytest.fixture(autouse=True)
    def credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORTAL_ID", "client-7")
        monkeypatch.setenv("PORTAL_SECRET", "s3cr3t")

    def portal(self, ahead: float = 0.0) -> Api:
        """Admits a right, fresh, never used signature by the server's own clock."""
        api = Api(stations(35), clock_ahead=ahead)
        nonces: set[str] = set()

        def admits(request: Request) -> bool:
            headers = request.headers
            identity, stamp, nonce = (
                headers[f"X-{n}"] for n in ("Client-Id", "Timestamp", "Nonce")
            )
            text = f"{identity}{stamp}{nonce}".encode()
            right = base64.b64encode(hmac.new(b"s3cr3t", text, hashlib.sha256).digest()).decode()
            fresh = abs(int(stamp) / 1000 - (time.time() + ahead)) < 60
            new = nonce not in nonces
            nonces.add(nonce)
            return headers["X-Signature"] == right and fresh and new and len(stamp) == 13

        api.admits = admits
        return api

    def source(self, make_source: Any, api: Api) -> Contract:
        return make_source(api, authentication="signature", credentials="PORTAL")

    def test_each_request_is_signed_anew(
        self, home: Home, start_api: Any, make_source: Any
    ) -> None:
        api = start_api(self.portal())
        (path,) = fetch.fetch(home, self.source(make_source, api), DAY)
        assert names(path) == EVERY
        assert len(api.requests) == 4

    @pytest.mark.parametrize("ahead", [-7200.0, 900.0])
    def test_a_clock_that_differs_costs_one_request(
        self, home: Home, start_api: Any, make_source: Any, ahead: float
    ) -> None:
        api = start_api(self.portal(ahead))
        (path,) = fetch.fetch(home, self.source(make_source, api), DAY)
        assert names(path) == EVERY
        assert len(api.requests) == 5

    def test_a_wrong_secret_is_refused_once_and_not_told(
        self, home: Home, start_api: Any, make_source: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Endless tries with a wrong secret would lock the city's account."""
        monkeypatch.setenv("PORTAL_SECRET", "wrong-secret")
        for ahead, requests in ((0.0, 1), (900.0, 2)):
            api = start_api(self.portal(ahead))
            with pytest.raises(FetchError, match="access_denied") as caught:
                fetch.fetch(home, self.source(make_source, api), DAY)
            assert "wrong-secret" not in str(caught.value)
            assert "client-7" not in str(caught.value)
            assert len(api.requests) == requests

    def test_tokens_and_passwords_go_where_they_belong(
        self, home: Home, start_api: Any, make_source: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("TOKEN", "USER", "PASSWORD"):
            monkeypatch.setenv(f"PORTAL_{name}", f"my-{name}")
        basic = base64.b64encode(b"my-USER:my-PASSWORD").decode()
        for kind, expected in (("bearer", "Bearer my-TOKEN"), ("basic", f"Basic {basic}")):
            api = start_api(Api(stations(3)))
            contract = make_source(api, authentication=kind, credentials="PORTAL")
            fetch.fetch(home, contract, DAY)[0].unlink()
            assert api.requests[0].headers["Authorization"] == expected
