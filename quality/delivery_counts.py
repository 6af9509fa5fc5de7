"""Looking at a delivery once, however many nights it counts: `quality.counted_delivery`.

Belongs here: which deliveries were not looked at yet, and the one pass through their rows for all
that depends on a delivery alone.
Does not belong here: what is counted (`profiles`, `repeated_keys`).

The pass leaves a narrow table of numbers, for grouping the texts of a whole city takes the time.
"""

from __future__ import annotations

import duckdb

from quality import profiles, repeated_keys
from quality.anomalies import OFF
from quality.contract import Contract
from quality.sql_text import quoted_list

COUNTED_TABLE = """
create schema if not exists quality;
create table if not exists quality.counted_delivery (
    delivery_id varchar not null,
    department varchar not null,
    dataset varchar not null,
    contract_version varchar not null,
    content varchar not null,
    key varchar not null
)
"""
"""`content` tells rows from those that were loaded anew under the same name (`meta.in_force`),
`key` lists the columns of the key: with another of them a delivery is counted again."""


def count_deliveries(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Count the dataset's deliveries in force that were not counted yet as they are.

    Needs `raw`, `quarantine` and `meta.delivery`; reads `meta.in_force` where it is.

    Raises:
        duckdb.Error: a table is missing or unreadable.
    """
    for table in (COUNTED_TABLE, profiles.PROFILE_TABLE, repeated_keys.REPEATED_KEY_TABLE):
        connection.execute(table)
    is_profiled = contract.sensitivity != OFF
    _note_uncounted(connection, contract, is_profiled=is_profiled)
    deliveries = [
        delivery_id
        for (delivery_id,) in connection.execute(
            "select delivery_id from uncounted order by place"
        ).fetchall()
    ]
    if not deliveries:
        return
    connection.execute(
        "delete from quality.counted_delivery "
        "where delivery_id in (select delivery_id from uncounted)"
    )
    connection.execute(_arrived(contract, deliveries, is_profiled=is_profiled))
    if is_profiled:
        profiles.count(connection, contract)
    if repeated_keys.asked(contract):
        repeated_keys.count(connection, contract)
    connection.execute("drop table arrived")
    connection.execute(
        "insert into quality.counted_delivery "
        "select delivery_id, ?, ?, contract_version, content, ? from uncounted",
        [contract.department, contract.dataset, ",".join(contract.key)],
    )


def _note_uncounted(
    connection: duckdb.DuckDBPyConnection, contract: Contract, *, is_profiled: bool
) -> None:
    """The temporary table `uncounted`: the deliveries to look at, each with a small number."""
    kept = connection.execute(
        "select count(*) from duckdb_tables() "
        "where (schema_name, table_name) = ('meta', 'in_force') and not temporary"
    ).fetchone() == (1,)
    content = "coalesce(in_force.content, '')" if kept else "''"
    source = "left join meta.in_force as in_force using (delivery_id)" if kept else ""
    # A profile may be lost, or may not have been asked for when the delivery was counted.
    has_profile = (
        "inner join (select distinct delivery_id from quality.profile "
        "where department = $department and dataset = $dataset and measure = 'rows') as profiled "
        "using (delivery_id)"
        if is_profiled
        else ""
    )
    connection.execute(
        f"""
        create or replace temp table uncounted as
        with standing as (
            select delivery.delivery_id, delivery.business_date,
                coalesce(delivery.contract_version, '') as contract_version, {content} as content
            from meta.delivery as delivery {source}
            where delivery.department = $department and delivery.dataset = $dataset
                and delivery.status = 'loaded' and delivery.superseded_by is null
        ),
        counted as (
            select counted.delivery_id, counted.contract_version, counted.content
            from quality.counted_delivery as counted {has_profile}
            where counted.department = $department and counted.dataset = $dataset
                and counted.key = $key
        )
        select (row_number() over (order by business_date, delivery_id) - 1)::integer as place,
            delivery_id, business_date, contract_version, content
        from standing
        anti join counted using (delivery_id, contract_version, content)
        """,
        {
            "department": contract.department,
            "dataset": contract.dataset,
            "key": ",".join(contract.key),
        },
    )


def _arrived(contract: Contract, deliveries: list[str], *, is_profiled: bool) -> str:
    """The statement that makes `arrived`: a row each of the deliveries' rows, as numbers.

    `_place` stands for the delivery in `uncounted`; `_content` is a hash of the row and `_key` of
    its delivery and key. Each profiled column holds the class of its value.
    """
    own = f"_delivery_id in ({quoted_list(deliveries)})"
    place, source = "0::integer", ""
    if len(deliveries) > 1:
        place = "uncounted.place"
        source = "inner join uncounted on uncounted.delivery_id = rows._delivery_id"
    counted = profiles.classes(contract) if is_profiled else []
    if repeated_keys.asked(contract):
        counted.append(f"hash({', '.join([place, *contract.key])}) as _key")
    selected = ", ".join([f"{place} as _place", "_line_number", *counted])
    return (
        "create or replace temp table arrived as "
        f"select {selected}, true as _is_accepted "
        f"from raw.{contract.table} as rows {source} where {own} "
        f"union all select {selected}, false "
        f"from quarantine.{contract.table} as rows {source} where {own}"
    )
