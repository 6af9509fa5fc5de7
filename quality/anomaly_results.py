"""Results of the rules on unusual deliveries, and what they rest on.

Belongs here: which unusual deliveries still count tonight, as verdicts of the rules.
Does not belong here: what is unusual (`anomalies`), what fault lies behind it (`faults`).

An unusual number of rows, or a content sent again, counts until the file is replaced or confirmed:
rows that are missing do not come by themselves. A column that is wrong as a whole counts as long as
rows of that delivery are in force; a gradual change as long as the newest delivery shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb

from quality.anomalies import (
    HISTORY,
    OFF,
    SENSITIVITIES,
    Sensitivity,
    Unusual,
    judgeable,
    stale_deliveries,
    unusual_volumes,
)
from quality.contract import Contract, Rule
from quality.distributions import unusual_distributions, unusual_missing
from quality.profiles import Profile, read_profiles
from quality.results import FAIL, NOT_APPLICABLE, PASS, RuleResult, result_of

_SHOWN = 3


@dataclass(frozen=True)
class Anomalies:
    """The profiles of a dataset's deliveries and what is unusual about those that count."""

    profiles: tuple[Profile, ...] = ()
    unusual: Mapping[str, tuple[Unusual, ...]] = field(default_factory=dict)
    """Rule → unusual deliveries that count tonight, oldest first; without an entry, none."""

    def dates(self, rule_id: str) -> set[date]:
        """Business dates of the deliveries that a rule tells of."""
        return {found.business_date for found in self.unusual.get(rule_id, ())}


def find_anomalies(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rows_in_force: Mapping[str, int]
) -> Anomalies:
    """Judge all deliveries of one dataset that count tonight, by their profiles.

    Raises:
        duckdb.Error: a table is missing or unreadable.
    """
    if contract.sensitivity == OFF:
        return Anomalies()
    profiles = read_profiles(connection, contract)
    confirmed = _confirmed_dates(connection, contract)
    unusual = {
        rule.rule_id: tuple(
            found
            for found in _unusual(contract, rule, profiles)
            if _counts(contract, rule, found, profiles, rows_in_force)
            and not (rule.check in ("volume", "freshness") and found.business_date in confirmed)
        )
        for rule in contract.rules_of("anomaly")
    }
    return Anomalies(tuple(profiles), unusual)


def _unusual(contract: Contract, rule: Rule, profiles: Sequence[Profile]) -> list[Unusual]:
    sensitivity: Sensitivity = SENSITIVITIES[contract.sensitivity]
    is_full = contract.delivery == "full"
    if rule.check == "volume":
        return unusual_volumes(profiles, sensitivity, is_full=is_full)
    if rule.check == "freshness":
        return stale_deliveries(profiles, is_full=is_full)
    if rule.check == "null_rate":
        return unusual_missing(profiles, rule.columns[0], sensitivity)
    return unusual_distributions(profiles, rule.columns[0], sensitivity)


def _counts(
    contract: Contract,
    rule: Rule,
    found: Unusual,
    profiles: Sequence[Profile],
    rows_in_force: Mapping[str, int],
) -> bool:
    if found.business_date == profiles[-1].business_date:
        return True
    if contract.delivery == "full":
        return False
    if rule.check in ("volume", "freshness"):
        return True
    deliveries = next(p.delivery_ids for p in profiles if p.business_date == found.business_date)
    return found.is_gross and any(rows_in_force.get(delivery, 0) for delivery in deliveries)


def _confirmed_dates(connection: duckdb.DuckDBPyConnection, contract: Contract) -> set[date]:
    """Business dates of which the same content was sent again as `…_confirmed`."""
    rows = connection.execute(
        "select distinct business_date from meta.delivery where department = ? and dataset = ? "
        "and status in ('repeated', 'loaded') and regexp_matches(file_name, '_confirmed\\.')",
        [contract.department, contract.dataset],
    ).fetchall()
    return {day for (day,) in rows}


def rows_in_force(connection: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, int]:
    """Delivery → rows of it in staging or in the unresolved quarantine.

    Needs the temporary table `held` that `build_defects` leaves.
    """
    rows = connection.execute(
        f"""
        with standing as (
            select _delivery_id from staging.{contract.staging_model}
            union all
            select _delivery_id from held where resolved_by is null
        )
        select _delivery_id, count(*) from standing group by all
        """
    ).fetchall()
    return dict(rows)


def anomaly_results(
    contract: Contract, business_date: date, anomalies: Anomalies
) -> Iterator[RuleResult]:
    """One result per rule; `failed` and `total` count deliveries."""
    total = len(anomalies.profiles)
    is_full = contract.delivery == "full"
    for rule in contract.rules_of("anomaly"):
        found = anomalies.unusual.get(rule.rule_id, ())
        if found:
            counted = (len(found), total)
            said = _with_evidence(rule, found)
            yield result_of(contract, rule, business_date, FAIL, counted, message=said)
        elif judgeable(anomalies.profiles, rule.check, is_full=is_full):
            yield result_of(contract, rule, business_date, PASS, (0, total))
        else:
            message = f"历史报送不足 {HISTORY} 次，暂不比较。"
            yield result_of(contract, rule, business_date, NOT_APPLICABLE, message=message)


def _with_evidence(rule: Rule, found: Sequence[Unusual]) -> str:
    details = "；".join(evidence(rule.check, unusual) for unusual in found[-_SHOWN:])
    more = f"；共 {len(found)} 次报送" if len(found) > _SHOWN else ""
    wrong, comma, remedy = rule.message.partition("，请")
    return f"{wrong}（{details}{more}）{comma}{remedy}"


def evidence(check: str, found: Unusual) -> str:
    """What was measured of one delivery, in Chinese."""
    day = found.business_date.isoformat()
    if check == "volume":
        return f"{day} 报送 {found.found:.0f} 行，往常约 {found.usual:.0f} 行"
    if check == "freshness":
        return f"{day} 的 {found.found:.0f} 行与 {found.alike} 完全相同"
    if check == "null_rate":
        return f"{day} 空值 {found.found:.0%}，往常 {found.usual:.0%}"
    return f"{day} 与往常的差异（JS 散度）为 {found.divergence:.2f}"
