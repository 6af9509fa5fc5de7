"""The GX context that everything of ours runs in.

Belongs here: keeping GX from the disk, the network and the console. Does not belong here: what is
expected (`suites`), or what is run (`runner`).
"""

from __future__ import annotations

import logging

import great_expectations as gx
from great_expectations.data_context.data_context.ephemeral_data_context import (
    EphemeralDataContext,
)
from great_expectations.data_context.types.base import ProgressBarsConfig


def quiet_context() -> EphemeralDataContext:
    """A context that keeps nothing, reports nothing home and shows no progress.

    GX tells of its temporary folders at level INFO, which a night's console would show.
    """
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context
