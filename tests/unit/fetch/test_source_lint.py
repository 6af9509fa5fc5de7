"""What a contract may say of a source, and that no secret can stand in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from quality.contract import Contract
from quality.contract_reader import ContractError, read_contract
from quality.source import ApiSource, DatabaseSource, FileSource

COLUMNS = [
    {"name": "number", "primaryKey": True},
    {"name": "changed_at", "logicalType": "timestamp", "physicalType": "timestamp"},
]
POSTGRES = {"type": "postgres", "host": "db.tax", "database": "tax", "format": None,
            "path": None, "encoding": None, "delimiter": None}  # fmt: skip
QUERY = {"query": "select * from t", "credentials": "TAX_DB"}
API = {"type": "api", "location": "https://portal/api", "format": None, "path": None,
       "encoding": None, "delimiter": None}  # fmt: skip

Read = Callable[..., Contract]


@pytest.fixture
def read(
    tmp_path: Path,
    make_document: Callable[..., dict[str, Any]],
    write_document: Callable[[Path, Mapping[str, Any]], Path],
) -> Read:
    def run(server: Mapping[str, Any], custom: Mapping[str, Any] | None = None) -> Contract:
        properties = [{"property": k, "value": v} for k, v in (custom or {}).items()]
        document = make_document(COLUMNS, server={**server, "customProperties": properties})
        document["servers"][0] = {k: v for k, v in document["servers"][0].items() if v is not None}
        return read_contract(write_document(tmp_path, document))

    return run


def test_a_database_needs_little(read: Read) -> None:
    contract = read(POSTGRES, {**QUERY, "incrementalBy": "changed_at", "timeoutSeconds": 30})
    assert contract.source == DatabaseSource(
        "postgres", "db.tax", 5432, "tax", "select * from t", "TAX_DB",
        incremental_by="changed_at", timeout_seconds=30,
    )  # fmt: skip
    assert (contract.file_format, contract.encoding, contract.delimiter) == ("csv", "utf-8", ",")
    assert contract.file_pattern == "meter_*.csv"


def test_an_api_says_how_it_pages(read: Read) -> None:
    contract = read(API, {"paging": "page", "pageSize": 100, "parameters": {"year": 2026}})
    assert isinstance(contract.source, ApiSource)
    assert (contract.source.paging, contract.source.page_size) == ("page", 100)
    assert contract.source.parameters == {"year": "2026"}


def test_files_elsewhere_keep_their_format(read: Read) -> None:
    contract = read({"path": "/srv/exchange/meter_*.csv"})
    assert contract.source == FileSource("folder", "/srv/exchange", "meter_*.csv")
    sftp = {"type": "sftp", "path": None, "location": "sftp://files.water:2222/out/meter_*.csv"}
    contract = read(sftp, {"credentials": "WATER_SFTP"})
    assert contract.source == FileSource(
        "sftp", "/out", "meter_*.csv", "files.water", 2222, "WATER_SFTP"
    )
    assert contract.encoding == "utf-8"


def test_a_file_that_arrives_by_itself_has_no_source(read: Read) -> None:
    assert read({}).source is None


@pytest.mark.parametrize(
    ("server", "custom", "told"),
    [
        ({"type": "oracle"}, {}, "type must be one of"),
        ({**POSTGRES, "host": None}, QUERY, "needs host"),
        ({**POSTGRES, "port": 70000}, QUERY, "port must be"),
        (POSTGRES, {**QUERY, "query": "delete from t"}, "one select"),
        (POSTGRES, {**QUERY, "query": "select 1; drop table t"}, "without a semicolon"),
        (POSTGRES, {**QUERY, "incrementalBy": "number"}, "incrementalBy must name"),
        (POSTGRES, {**QUERY, "incrementalBy": "gone"}, "incrementalBy must name"),
        (POSTGRES, {**QUERY, "credentials": "tax_db"}, "credentials"),
        (POSTGRES, {**QUERY, "password": "x"}, "must not stand in a contract"),
        (POSTGRES, {**QUERY, "timeoutSecond": 5}, "unknown here"),
        (POSTGRES, {**QUERY, "timeoutSeconds": 0}, "more than 0"),
        (POSTGRES, {**QUERY, "timezone": "Mars/Base"}, "timezone"),
        (POSTGRES, {**QUERY, "tls": "perhaps"}, "tls must be one of"),
        ({**API, "location": "ftp://portal/api"}, {}, "http(s)"),
        ({**API, "location": "https://user:word@portal/"}, {}, "without a user"),
        (API, {"paging": "endless"}, "paging must be one of"),
        (API, {"authentication": "signature"}, "credentials"),
        (API, {"parameters": "year=2026"}, "parameters must be a dict"),
        (API, {"secret": "x"}, "must not stand in a contract"),
        (API, {"signatureHeaders": ["a", "b"]}, "four names"),
        ({"path": "/srv/*/meter.csv"}, {}, "file name or pattern"),
        ({"type": "sftp", "location": "sftp://h/out/m_*.csv"}, {}, "credentials"),
        ({"type": "sftp", "location": "/out/m_*.csv"}, {"credentials": "W"}, "sftp://"),
    ],
)
def test_each_mistake_is_named_with_its_remedy(
    read: Read, server: dict[str, Any], custom: dict[str, Any], told: str
) -> None:
    """A mistake that shows only at two in the morning costs a night."""
    with pytest.raises(ContractError) as caught:
        read(server, custom)
    assert told in str(caught.value)
    assert all(problem.line > 1 for problem in caught.value.problems)
    assert "word@" not in str(caught.value)
