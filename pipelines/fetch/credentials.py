"""Credentials, from environment variables that the contract names, and from nowhere else.

They are handed to the driver and kept nowhere; no error here or elsewhere repeats one.
"""

from __future__ import annotations

import os

from pipelines.fetch.error import FetchError


def credential(prefix: str | None, name: str) -> str:
    """The value of `<prefix>_<name>`.

    Raises:
        FetchError: the variable is not set; names it.
    """
    variable = f"{prefix}_{name}"
    value = os.environ.get(variable)
    if not value:
        raise FetchError("no_credentials", f"环境变量 {variable} 没有设置，请由管理员设置后重试。")
    return value


def optional_credential(prefix: str | None, name: str) -> str | None:
    """The value of `<prefix>_<name>`, or None."""
    return os.environ.get(f"{prefix}_{name}") or None
