"""A fetch that failed, and what the people on both ends are told.

Belongs here: the typed reason. Nothing of what a server said is repeated in it unless it is
known to hold neither a row's value nor a secret.
"""

from __future__ import annotations

from pipelines.ingest.refusal import RefusedError


class FetchError(RefusedError):
    """A source could not be fetched: `rule` names why, `message` (Chinese) what to do.

    The dataset's delivery of that night counts as refused with this reason; the night goes on.
    """


def driver_missing(package: str) -> FetchError:
    """The optional package that one kind of source needs is not installed."""
    return FetchError(
        "driver_missing", f"本机没有安装 {package}，请运行 pip install 'yishu[sources]'。"
    )
