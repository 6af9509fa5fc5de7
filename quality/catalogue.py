"""All contracts of a city, read from a folder `<department>/<dataset>.odcs.yaml`.

Belongs here: finding the contracts, and what only shows when they are seen together.
Does not belong here: reading one contract (`contract_reader`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from quality import relation_lint
from quality.contract import Contract
from quality.contract_reader import ContractError, Problem, read_contract

SUFFIX = ".odcs.yaml"


@dataclass(frozen=True)
class BrokenContract:
    """A contract that the lint refuses: its place in the catalogue, and why."""

    department: str
    dataset: str
    path: Path
    problems: tuple[Problem, ...]

    @property
    def name(self) -> str:
        """`department/dataset`."""
        return f"{self.department}/{self.dataset}"


Entry = Contract | BrokenContract
"""A dataset of the catalogue, usable or not."""


@dataclass(frozen=True)
class Catalogue:
    """The usable contracts and the broken ones, both in the order of their names."""

    contracts: tuple[Contract, ...]
    broken: tuple[BrokenContract, ...]

    @cached_property
    def by_name(self) -> dict[str, Contract]:
        """`department/dataset` → contract."""
        return {contract.name: contract for contract in self.contracts}

    @cached_property
    def departments(self) -> dict[str, str]:
        """Department → Chinese name; a department with broken contracts alone keeps its code."""
        names = {contract.department: contract.department_name for contract in self.contracts}
        for entry in self.broken:
            names.setdefault(entry.department, entry.department)
        return dict(sorted(names.items()))

    @property
    def names(self) -> tuple[str, ...]:
        """`department/dataset` of every contract, usable or broken, in order."""
        return tuple(sorted((*self.by_name, *(entry.name for entry in self.broken))))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of every broken contract."""
        return tuple(problem for entry in self.broken for problem in entry.problems)


def read_catalogue(sources: Path) -> Catalogue:
    """Read every contract under `sources`; a broken one never hides the others.

    Raises:
        FileNotFoundError: the folder does not exist.
    """
    if not sources.is_dir():
        raise FileNotFoundError(
            f"{sources}: no such folder; set YISHU_SOURCES to the contracts' folder"
        )
    contracts: list[Contract] = []
    broken: list[BrokenContract] = []
    for path in sorted((*sources.glob("*/*.yaml"), *sources.glob("*/*.yml"))):
        if not path.name.endswith(SUFFIX):
            message = f"a contract must be named <dataset>{SUFFIX}; rename the file or remove it"
            broken.append(_broken(path, [Problem(path, 1, "place", message)]))
            continue
        try:
            contracts.append(read_contract(path))
        except ContractError as error:
            broken.append(_broken(path, error.problems))
    kept, refused = _check_together(contracts, {f"{b.department}__{b.dataset}" for b in broken})
    order = sorted([*broken, *refused], key=lambda entry: (entry.department, entry.dataset))
    return Catalogue(tuple(kept), tuple(order))


def _broken(path: Path, problems: list[Problem]) -> BrokenContract:
    dataset = path.name.removesuffix(SUFFIX).split(".")[0]
    return BrokenContract(path.parent.name, dataset, path, tuple(problems))


def _check_together(
    contracts: list[Contract], broken_tables: set[str]
) -> tuple[list[Contract], list[BrokenContract]]:
    """References must point to columns that exist; one department has one name; ids are unique."""
    tables = {contract.table: contract for contract in contracts}
    names: dict[str, str] = {}
    identifiers: dict[str, Contract] = {}
    kept, refused = [], []
    for contract in contracts:
        problems = [
            Problem(contract.path, line, "rule", message)
            for line, message in relation_lint.problems_of(contract, tables, broken_tables)
        ]
        known = names.setdefault(contract.department, contract.department_name)
        if known != contract.department_name:
            message = f"{contract.department} is called {known} in another contract; use one name"
            problems.append(Problem(contract.path, 1, "department", message))
        twin = identifiers.setdefault(contract.contract_id, contract)
        if twin is not contract:
            message = f"the id {contract.contract_id} belongs to {twin.name}; give a new one"
            problems.append(Problem(contract.path, 1, "identity", message))
        if problems:
            refused.append(_broken(contract.path, problems))
        else:
            kept.append(_with_neighbours(contract, tables))
    return kept, refused


def _with_neighbours(contract: Contract, tables: dict[str, Contract]) -> Contract:
    """The contract whose rules' messages name the other datasets by their titles."""
    rules = []
    for rule in contract.rules:
        other = tables.get(rule.arguments[0]) if rule.arguments else None
        message = rule.message
        if rule.family == "relation" and other is not None:
            message = message.replace("{their_dataset}", other.title)
            message = message.replace("{their_department}", other.department_name)
        rules.append(replace(rule, message=message))
    return replace(contract, rules=tuple(rules))
