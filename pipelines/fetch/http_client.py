"""One GET that is repeated until it gives a whole JSON answer or must be given up.

Belongs here: authentication, time-outs, what is worth repeating, the size of an answer.
Does not belong here: pages (`api`).
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any
from urllib.parse import urlsplit

import requests

from pipelines.fetch.credentials import credential
from pipelines.fetch.error import FetchError
from pipelines.fetch.json_text import Number
from pipelines.fetch.network import CONNECT_SECONDS, reach
from pipelines.fetch.patience import Pace, Patience, moment_of, retry_after
from pipelines.fetch.signature import SKEW_SECONDS, sign
from quality.source import ApiSource

MAX_ANSWER_BYTES = 64 << 20
"""A larger answer to one page is refused: ask for smaller pages."""
MAX_ATTEMPTS = 8
_BLOCK = 1 << 16
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_DENIED = (401, 403)
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


class _PassingError(Exception):
    """A failure after which the same request may succeed."""

    def __init__(self, rule: str, message: str, wait: float | None = None) -> None:
        super().__init__(rule)
        self.failure = FetchError(rule, message)
        self.wait = wait


class HttpClient:
    """Asks one API; counts what it had to put up with."""

    def __init__(self, source: ApiSource) -> None:
        self.requests = 0
        self.clock_offset = 0.0
        """Seconds that the server's clock is ahead of ours, once it refused a signature."""
        self._source = source
        self._host = urlsplit(source.location).netloc
        self._pace = Pace(source.requests_per_second)
        self._patience = Patience(source.patience_seconds)
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"
        self._session.auth = lambda request: request  # else a ~/.netrc would sign in its own way

    @property
    def retries(self) -> int:
        """How often a request was repeated after waiting."""
        return self._patience.waits

    def __enter__(self) -> HttpClient:
        parts = urlsplit(self._source.location)
        if not requests.utils.get_environ_proxies(self._source.location):
            reach(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, parameters: Mapping[str, str]) -> Any:
        """The JSON answer; its numbers are `Number` texts.

        Raises:
            FetchError: refused for good, or failing for longer than the contract's patience.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            begun = monotonic()
            try:
                return self._ask(parameters)
            except _PassingError as passing:
                self._patience.spend(monotonic() - begun)
                if attempt == MAX_ATTEMPTS or not self._patience.wait(attempt, passing.wait):
                    raise passing.failure from passing
        raise AssertionError("unreachable: the last attempt returns or raises")

    def wait_before_repeating(self, attempt: int) -> bool:
        """Wait before the same page is asked for again; False where patience is spent."""
        return self._patience.wait(attempt, None)

    def _ask(self, parameters: Mapping[str, str]) -> Any:
        response = self._send(parameters)
        if response.status_code in _DENIED and self._adopt_clock(response):
            response = self._send(parameters)
        with response:
            self._check_status(response)
            return _parse(self._body(response), self._host)

    def _send(self, parameters: Mapping[str, str]) -> requests.Response:
        self._pace.wait()
        self.requests += 1
        try:
            return self._session.get(
                self._source.location,
                params=dict(parameters),
                headers=self._headers(),
                timeout=(CONNECT_SECONDS, self._source.timeout_seconds),
                stream=True,
                allow_redirects=False,  # a signature is for this host alone
            )
        except requests.exceptions.SSLError as error:
            message = f"{self._host} 的证书无法验证，请核对地址或安装其根证书。"
            raise FetchError("tls", message) from error
        except requests.Timeout as error:
            raise self._silent() from error
        except _BROKEN as error:
            raise self._cut() from error

    def _headers(self) -> dict[str, str]:
        source = self._source
        if source.authentication == "bearer":
            return {"Authorization": f"Bearer {credential(source.credentials, 'TOKEN')}"}
        if source.authentication == "basic":
            user = credential(source.credentials, "USER")
            password = credential(source.credentials, "PASSWORD")
            return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}
        if source.authentication == "signature":
            identity = credential(source.credentials, "ID")
            secret = credential(source.credentials, "SECRET")
            timestamp = str(int((time() + self.clock_offset) * 1000))
            nonce = secrets.token_hex(16)
            signature = sign(identity, secret, timestamp, nonce)
            values = (identity, timestamp, nonce, signature)
            return dict(zip(source.signature_headers, values, strict=True))
        return {}

    def _adopt_clock(self, response: requests.Response) -> bool:
        """Whether the server's clock explains its refusal; then later requests use its time."""
        moment = moment_of(response.headers.get("Date"))
        if self._source.authentication != "signature" or self.clock_offset or moment is None:
            return False
        ahead = (moment - datetime.now(UTC)).total_seconds()
        if abs(ahead) < SKEW_SECONDS:
            return False
        response.close()
        self.clock_offset = ahead
        return True

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if status == 200:
            return
        if status in _PASSING:
            wait = retry_after(response.headers.get("Retry-After"))
            message = f"{self._host} 一直回答 {status}，在合同规定的时间内没有恢复，请稍后重试。"
            raise _PassingError("server_busy" if status == 429 else "server_error", message, wait)
        if status in _DENIED:
            message = f"{self._host} 拒绝访问（{status}），请核对凭证、授权范围和本机时钟。"
            raise FetchError("access_denied", message)
        message = f"{self._host} 回答 {status}，请核对合同中的地址和参数。"
        raise FetchError("wrong_request", message)

    def _body(self, response: requests.Response) -> bytes:
        deadline = monotonic() + self._source.timeout_seconds
        body = bytearray()
        try:
            for block in response.iter_content(_BLOCK):
                body += block
                if len(body) > MAX_ANSWER_BYTES:
                    message = f"{self._host} 的一页超过 {MAX_ANSWER_BYTES >> 20} MB，请减小页长。"
                    raise FetchError("answer_too_large", message)
                if monotonic() > deadline:
                    raise self._silent()
        except requests.Timeout as error:
            raise self._silent() from error
        except _BROKEN as error:
            timed_out = "timed out" in str(error).lower()
            raise (self._silent() if timed_out else self._cut()) from error
        return bytes(body)

    def _silent(self) -> _PassingError:
        seconds = self._source.timeout_seconds
        message = f"{self._host} 在 {seconds:g} 秒内没有答完，请稍后重试或减小页长。"
        return _PassingError("answer_timeout", message)

    def _cut(self) -> _PassingError:
        message = f"与 {self._host} 的连接多次中断，请检查网络后重试。"
        return _PassingError("connection_lost", message)


def _parse(body: bytes, host: str) -> Any:
    try:
        return json.loads(body, parse_int=Number, parse_float=Number, parse_constant=Number)
    except (ValueError, RecursionError) as error:
        message = f"{host} 的回答不是完整的 JSON，请核对合同中的地址。"
        raise _PassingError("not_json", message) from error
