"""What the tests of the contracts, the door, the warehouse and the publication share.

Belongs here: a contract made to measure, a home, a file that lands.
Does not belong here: anything that one test module alone needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, settings

from pipelines.home import PROJECT, Home
from pipelines.ingest import door
from pipelines.ingest.arrive import arrivals
from pipelines.ingest.store import Receipt
from quality.catalogue import Catalogue, read_catalogue
from quality.contract import Contract
from quality.contract_reader import read_contract

# Two cores are shared with other work: a slow example is not a wrong one, and the same
# examples every time make a red run reproducible.
settings.register_profile(
    "yishu",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("yishu")

SOURCES = PROJECT / "pipelines" / "sources"
MakeContract = Callable[..., Contract]
Land = Callable[..., Path]
TakeUp = Callable[..., list[Receipt]]


@pytest.fixture(scope="session")
def shipped() -> Catalogue:
    """The contracts that the project ships."""
    return read_catalogue(SOURCES)


def contract_document(
    columns: Sequence[Mapping[str, Any]],
    *,
    department: str = "water",
    dataset: str = "meter",
    server: Mapping[str, Any] | None = None,
    custom: Mapping[str, Any] | None = None,
    quality: Sequence[Mapping[str, Any]] = (),
    **top: Any,
) -> dict[str, Any]:
    """A sound contract as plain data; columns need a name and say only what is unusual."""
    properties = [
        {
            "physicalName": column["name"],
            "businessName": column["name"],
            "logicalType": "string",
            "physicalType": "varchar",
            "classification": "L1",
            **column,
        }
        for column in columns
    ]
    own = {
        "department": department,
        "dataset": dataset,
        "delivery": "full",
        "shareType": "unconditional",
        "openType": "none",
        **(custom or {}),
    }
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"{department}-{dataset}",
        "name": "水表",
        "version": "1.0.0",
        "status": "active",
        "domain": "population",
        "description": {"purpose": "测试"},
        "team": {"name": "临沂市水务局", "members": [{"username": "供水科", "role": "owner"}]},
        "servers": [
            {
                "server": "landing",
                "type": "local",
                "format": "csv",
                "path": f"landing/{department}/{dataset}_*.csv",
                "encoding": "utf-8",
                "delimiter": ",",
                **(server or {}),
            }
        ],
        "slaProperties": [
            {"property": "frequency", "value": 1, "unit": "d"},
            {"property": "latency", "value": 24, "unit": "h"},
            {"property": "retention", "value": 10, "unit": "y"},
        ],
        "customProperties": [{"property": k, "value": v} for k, v in own.items()],
        "schema": [
            {
                "name": dataset,
                "logicalType": "object",
                "physicalType": "file",
                "description": "一行为一块水表。",
                "properties": properties,
                **({"quality": list(quality)} if quality else {}),
            }
        ],
        **top,
    }


def write_contract(sources: Path, document: Mapping[str, Any]) -> Path:
    """Put a contract where its department and dataset say, and return its path."""
    own = {item["property"]: item["value"] for item in document["customProperties"]}
    path = sources / own["department"] / f"{own['dataset']}.odcs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")
    return path


@pytest.fixture(scope="session")
def make_contract(tmp_path_factory: pytest.TempPathFactory) -> MakeContract:
    """`make_contract(columns, **see contract_document)` → the contract, read from a file."""

    def make(columns: Sequence[Mapping[str, Any]], **options: Any) -> Contract:
        sources = tmp_path_factory.mktemp("sources")
        return read_contract(write_contract(sources, contract_document(columns, **options)))

    return make


@pytest.fixture(scope="session")
def make_document() -> Callable[..., dict[str, Any]]:
    """`contract_document`, for tests that spoil a contract."""
    return contract_document


@pytest.fixture(scope="session")
def write_document() -> Callable[[Path, Mapping[str, Any]], Path]:
    """`write_contract`, for tests that fill a folder of contracts."""
    return write_contract


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home").create()


@pytest.fixture(scope="session")
def land() -> Land:
    """`land(home, department, file_name, content)` puts a file into landing."""

    def put(home: Home, department: str, name: str, content: str | bytes) -> Path:
        path = home.landing / department / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


@pytest.fixture(scope="session")
def take_up() -> TakeUp:
    """`take_up(home, contract, night)` runs the door as a night does, for one dataset."""

    def run(home: Home, contract: Contract, night: date) -> list[Receipt]:
        arrived = [
            arrival
            for arrival in arrivals(home.landing, frozenset({contract.name}))
            if arrival.name == contract.name and (arrival.business_date or night) <= night
        ]
        return door.take_up(home, contract, arrived, night)

    return run
