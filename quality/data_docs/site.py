"""Building the static site of Data Docs.

Belongs here: the GX context with its one site on disk, and putting the site in its place.
Does not belong here: what the pages say (`suites`), how they look (`view`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)

from quality.contract import Contract
from quality.data_docs.suites import results_of, run_of, suite_of
from quality.expectations.context import quiet_context
from quality.results import RuleResult

BATCH = "as_of_the_night"
INDEX = "index.html"
_SITE = "data_docs"
_VIEWS = "quality.data_docs.view"


class DataDocsError(Exception):
    """A page could not be drawn; the site that was there stays."""


def build_data_docs(
    contracts: Sequence[Contract],
    results: Iterable[RuleResult],
    business_date: date,
    folder: Path,
) -> Path:
    """Write the suites and the night's results of all contracts; returns the index page.

    The folder is replaced as a whole. It opens without a server and without a network.

    Raises:
        DataDocsError: a page is missing (GX logs why, and goes on).
    """
    results = list(results)
    incoming = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(incoming, ignore_errors=True)
    try:
        _build(contracts, results, business_date, incoming)
        missing = [page for page in pages_of(contracts, business_date)
                   if not (incoming / page).is_file()]  # fmt: skip
        if missing or not (incoming / INDEX).is_file():
            raise DataDocsError(f"Data Docs lack {len(missing) or 1} pages: {missing[:3] or INDEX}")
        shutil.rmtree(folder, ignore_errors=True)
        incoming.replace(folder)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    return folder / INDEX


def pages_of(contracts: Iterable[Contract], business_date: date) -> list[str]:
    """Suite page and result page of each contract, as paths within the site."""
    night = "/".join(run_of(business_date).to_tuple())  # type: ignore[no-untyped-call]
    return [
        page
        for contract in contracts
        for page in (
            f"expectations/{contract.table}.html",
            f"validations/{contract.table}/{night}/{BATCH}.html",
        )
    ]


def _build(
    contracts: Sequence[Contract], results: list[RuleResult], business_date: date, folder: Path
) -> None:
    context = quiet_context()
    for name in context.get_site_names():
        context.delete_data_docs_site(name)
    context.add_data_docs_site(_SITE, _configuration(folder))
    for contract in contracts:
        context.suites.add(suite_of(contract))
        context.validation_results_store.store_validation_results(
            results_of(contract, business_date, results),
            ValidationResultIdentifier(
                expectation_suite_identifier=ExpectationSuiteIdentifier(contract.table),
                run_id=run_of(business_date),
                batch_identifier=BATCH,
            ),
        )
    context.build_data_docs([_SITE])
    # Fonts, logos and walk-through pictures of GX's own frame, which our pages do not use.
    shutil.rmtree(folder / "static", ignore_errors=True)


def _configuration(folder: Path) -> Any:
    page = {"module_name": _VIEWS, "class_name": "OfflinePageView"}
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(folder),
        },
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "view": {"module_name": _VIEWS, "class_name": "OfflineIndexView"},
        },
        "site_section_builders": {
            "expectations": {"view": page},
            "validations": {"view": page},
            "profiling": "None",
        },
    }
