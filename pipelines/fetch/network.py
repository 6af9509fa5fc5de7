"""Whether a server can be reached at all, asked before a driver is.

Drivers tell a wrong name, a closed port and silence apart badly or not at all; this does.
"""

from __future__ import annotations

import socket

from pipelines.fetch.error import FetchError

CONNECT_SECONDS = 10.0
"""How long a server may take to accept a connection."""


def reach(host: str, port: int, seconds: float = CONNECT_SECONDS) -> None:
    """Open a connection and close it again.

    Raises:
        FetchError: no such name, refused, silent, or no way there.
    """
    where = f"{host}:{port}"
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except socket.gaierror as error:
        message = f"找不到服务器 {host}（域名无法解析），请核对合同中的地址或检查 DNS。"
        raise FetchError("unknown_host", message) from error
    except ConnectionRefusedError as error:
        message = f"服务器 {where} 拒绝连接，请确认服务已启动、端口正确。"
        raise FetchError("connection_refused", message) from error
    except TimeoutError as error:
        message = f"服务器 {where} 在 {seconds:g} 秒内没有响应，请检查网络和防火墙。"
        raise FetchError("connection_timeout", message) from error
    except OSError as error:
        message = f"无法连接服务器 {where}（{type(error).__name__}），请检查网络。"
        raise FetchError("unreachable", message) from error
