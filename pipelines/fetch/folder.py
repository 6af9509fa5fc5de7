"""A watched folder → deliveries: files are copied in once they have settled.

The department's file stays where it is; whether it is new is told by its content.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from time import time

from pipelines.fetch.error import FetchError
from pipelines.fetch.found_file import FoundFile, Wanted, keep_if_new, scratch_file, wanted
from pipelines.home import Home
from quality.contract import Contract
from quality.source import FileSource


def fetch(home: Home, source: FileSource, contract: Contract, night: date) -> list[Path]:
    """Copy the new files of a folder into landing.

    Returns:
        Their paths in landing.

    Raises:
        FetchError: the folder is missing or may not be read, or names are ambiguous.
    """
    folder = Path(source.folder)
    try:
        found = [
            _found(path) for path in folder.iterdir() if path.is_file() and not path.is_symlink()
        ]
        chosen = wanted(home, contract, source, found, night, time())
        return [item.landing for item in chosen if _copy(home, contract, folder, item)]
    except FileNotFoundError as error:
        message = f"文件夹 {folder} 或其中的文件不存在，请核对合同中的 path 和挂载。"
        raise FetchError("no_folder", message) from error
    except PermissionError as error:
        message = f"无权读取文件夹 {folder} 或其中的文件，请由管理员授权。"
        raise FetchError("access_denied", message) from error


def _copy(home: Home, contract: Contract, folder: Path, item: Wanted) -> bool:
    """Whether the file was new and stayed unchanged while it was copied."""
    original = folder / item.file.name
    with scratch_file(item) as scratch:
        shutil.copyfile(original, scratch)
        return keep_if_new(home, contract, item, scratch, _found(original))


def _found(path: Path) -> FoundFile:
    status = path.stat()
    return FoundFile(path.name, status.st_size, status.st_mtime)
