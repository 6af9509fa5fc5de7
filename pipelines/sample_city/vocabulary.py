"""Words and weights that the sample city is made of, as small DuckDB tables.

Belongs here: reading `resources/*.yaml` and spreading weights over slots, so that SQL draws a
word by joining on a slot.
Does not belong here: what is drawn for whom (`sql/`), and the defects (`defects`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any

import duckdb
import pyarrow as pa
import yaml

_CHARACTER_SLOTS = 256


def read_resource(name: str) -> Any:
    """One YAML file of this package's `resources`."""
    return yaml.safe_load((_package() / "resources" / name).read_text(encoding="utf-8"))


def read_sql(name: str) -> str:
    """One SQL file of this package's `sql`, by its path below it."""
    return (_package() / "sql" / name).read_text(encoding="utf-8")


def has_register(table: str) -> bool:
    """Whether the sample city keeps this register (`department__dataset`)."""
    return bool((_package() / "sql" / "registers" / f"{table}.sql").is_file())


def _package() -> Any:
    return resources.files("pipelines.sample_city")


def spread(weights: Sequence[float], slots: int) -> list[int]:
    """For each of `slots` slots the position of the weight that it falls to, in order.

    Every position gets its share of the slots, to within one slot.
    """
    total = float(sum(weights))
    bounds, reached = [], 0.0
    for weight in weights:
        reached += weight
        bounds.append(round(slots * reached / total))
    positions, position = [], 0
    for slot in range(slots):
        while slot >= bounds[position]:
            position += 1
        positions.append(position)
    return positions


def load(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables division_slot, surname, given_character and industry_slot."""
    places, names, industries = (
        read_resource(f"{name}.yaml") for name in ("places", "names", "industries")
    )
    divisions = places["divisions"]
    _table(connection, "division_slot", (
        {"slot": slot, "division_code": divisions[i]["code"], "division_name": divisions[i]["name"],
         "old_code": divisions[i]["old_code"], "townships": divisions[i]["townships"]}
        for slot, i in enumerate(spread([d["weight"] for d in divisions], 1000))
    ))  # fmt: skip
    surnames = list(names["surnames"])
    _table(connection, "surname", (
        {"slot": slot, "surname": surnames[i]}
        for slot, i in enumerate(spread(list(names["surnames"].values()), 1000))
    ))  # fmt: skip
    _table(connection, "given_character", _given_characters(names))
    kinds = industries["industries"]
    _table(connection, "industry_slot", (
        {"slot": slot, "industry_code": kinds[i]["code"], "word": kinds[i]["word"],
         "turnover": kinds[i]["turnover"], "power": kinds[i]["power"]}
        for slot, i in enumerate(spread([kind["share"] for kind in kinds], 100))
    ))  # fmt: skip


def lists() -> dict[str, str]:
    """The lists that SQL picks from, as SQL literals by placeholder."""
    places, industries = read_resource("places.yaml"), read_resource("industries.yaml")
    return {
        "roads": _literal(places["roads"]),
        "outside_codes": _literal(places["outside_codes"]),
        "trade_names": _literal(industries["trade_names"]),
    }


def _given_characters(names: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Group 0-2 men, 3-5 women, each from the old generation to the young."""
    for group, (sex, generation) in enumerate(
        (sex, generation) for sex in ("male", "female") for generation in ("old", "middle", "young")
    ):
        characters = names["given"][sex][generation]
        weights = [2.0 * len(characters) - place for place in range(len(characters))]
        for slot, i in enumerate(spread(weights, _CHARACTER_SLOTS)):
            character = characters[i]
            yield {"name_group": group, "slot": slot, "name_character": character,
                   "variant": names["variants"].get(character)}  # fmt: skip


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, rows: Iterable[dict[str, Any]]
) -> None:
    connection.register("rows_to_load", pa.Table.from_pylist(list(rows)))
    connection.execute(f"create table {name} as from rows_to_load")
    connection.unregister("rows_to_load")


def _literal(words: Sequence[str]) -> str:
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"
