"""A folder of an SFTP server → deliveries, through asyncssh.

Belongs here: connection, host key, transfer. Does not belong here: which file is which delivery
(`found_file`).

A host whose key is not in the known-hosts file is never talked to, and no key is ever added by
itself. Nothing of the user's own SSH settings (agent, keys, ~/.ssh) is used.
"""

from __future__ import annotations

import asyncio
import stat
from datetime import date
from pathlib import Path, PurePosixPath
from time import time
from typing import Any

from pipelines.fetch.credentials import credential, optional_credential
from pipelines.fetch.error import FetchError, driver_missing
from pipelines.fetch.found_file import FoundFile, Wanted, keep_if_new, scratch_file, wanted
from pipelines.fetch.network import CONNECT_SECONDS, reach
from pipelines.home import Home
from quality.contract import Contract
from quality.source import FileSource

_ATTEMPTS = 3


def fetch(home: Home, source: FileSource, contract: Contract, night: date) -> list[Path]:
    """Copy the new files of the server's folder into landing.

    Returns:
        Their paths in landing.

    Raises:
        FetchError: not reachable, an unknown host key, not admitted, no such folder, too slow.
    """
    try:
        import asyncssh
    except ImportError as error:
        raise driver_missing("asyncssh") from error
    reach(source.host or "", source.port)
    settings = _settings(home, source)
    where = f"{source.host}:{source.port}"
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            transfer = _fetch(home, source, contract, night, settings)
            return asyncio.run(asyncio.wait_for(transfer, source.timeout_seconds))
        except asyncssh.HostKeyNotVerifiable as error:
            message = f"{where} 的主机密钥与 known_hosts 不符或未登记，为安全起见没有连接。"
            raise FetchError("unknown_host_key", message) from error
        except (asyncssh.PermissionDenied, asyncssh.SFTPPermissionDenied) as error:
            message = f"{where} 拒绝访问，请核对环境变量中的用户、密码或密钥，以及文件夹权限。"
            raise FetchError("access_denied", message) from error
        except asyncssh.SFTPNoSuchFile as error:
            message = f"{where} 上没有 {source.folder} 或其中的文件，请核对合同中的 location。"
            raise FetchError("no_folder", message) from error
        except TimeoutError as error:
            message = f"{where} 在 {source.timeout_seconds:g} 秒内没有传完，请稍后重试。"
            raise FetchError("transfer_timeout", message) from error
        except (asyncssh.Error, ConnectionError) as error:
            if attempt == _ATTEMPTS:
                message = f"与 {where} 的连接多次中断（{type(error).__name__}），请稍后重试。"
                raise FetchError("connection_lost", message) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def _settings(home: Home, source: FileSource) -> dict[str, Any]:
    known_hosts = home.root / source.known_hosts
    if not known_hosts.is_file():
        message = f"没有主机密钥文件 {known_hosts}，请由管理员核实后登记服务器的公钥。"
        raise FetchError("unknown_host_key", message)
    settings: dict[str, Any] = {
        "host": source.host,
        "port": source.port,
        "username": credential(source.credentials, "USER"),
        "known_hosts": str(known_hosts),
        "client_keys": None,
        "agent_path": None,
        "config": [],
        "connect_timeout": CONNECT_SECONDS,
        "login_timeout": CONNECT_SECONDS,
        "keepalive_interval": CONNECT_SECONDS,
    }
    key = optional_credential(source.credentials, "KEY_FILE")
    if key is None:
        return settings | {"password": credential(source.credentials, "PASSWORD")}
    if not Path(key).is_file():
        message = f"环境变量 {source.credentials}_KEY_FILE 所指的密钥文件不存在。"
        raise FetchError("no_credentials", message)
    return settings | {"client_keys": [key]}


async def _fetch(
    home: Home, source: FileSource, contract: Contract, night: date, settings: dict[str, Any]
) -> list[Path]:
    import asyncssh

    async with asyncssh.connect(**settings) as connection, connection.start_sftp_client() as client:
        found = [
            _found(str(entry.filename), entry.attrs)
            async for entry in client.scandir(source.folder)
            if stat.S_ISREG(entry.attrs.permissions or 0)
        ]
        chosen = wanted(home, contract, source, found, night, time())
        return [
            item.landing for item in chosen if await _copy(home, source, contract, client, item)
        ]


async def _copy(
    home: Home, source: FileSource, contract: Contract, client: Any, item: Wanted
) -> bool:
    """Whether the file was new and stayed unchanged while it was copied."""
    remote = str(PurePosixPath(source.folder) / item.file.name)
    with scratch_file(item) as scratch:
        await client.get(remote, str(scratch))
        after = _found(item.file.name, await client.stat(remote))
        return keep_if_new(home, contract, item, scratch, after)


def _found(name: str, attributes: Any) -> FoundFile:
    return FoundFile(name, int(attributes.size or 0), float(attributes.mtime or 0))
