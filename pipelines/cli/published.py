"""What a command that reads the published marts needs first.

Belongs here: the file, or the word that there is none. Does not belong here: reading it.
"""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from pipelines.home import Home
from pipelines.publish import current


def published_or_exit(console: Console) -> Path:
    """The published file of this home.

    Raises:
        typer.Exit: nothing is published yet (exit code 1); the console says what to do.
    """
    path = current(Home.from_environment())
    if path is None:
        console.print("[red]nothing is published yet[/red]; run: yishu nightly")
        raise typer.Exit(1)
    return path
