"""When which incident is planted: one plan for a seed, every kind as often as the others.

Belongs here: choosing datasets, nights and answers. Does not belong here: files (`post`).

In one dataset one thing goes wrong at a time, with a few quiet nights between two. A fault that
is never put right does not happen to the dataset again, for it would be the same fault.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pipelines.sample_city.incidents.calendar import has_telling_volume
from pipelines.sample_city.incidents.incident import (
    ASK_TIME,
    CUT_FILE,
    DISAGREEMENT,
    DISPUTE,
    DRIFT,
    DUPLICATED_LOAD,
    KINDS,
    LATE_DELIVERY,
    MISSING_COLUMN,
    NEED_HISTORY,
    SHIFTED_COLUMNS,
    STALE_FILE,
    UNIT_CHANGE,
    VOLUME_DROP,
    VOLUME_JUMP,
    WRONG_ENCODING,
    Incident,
)
from pipelines.sample_city.world import Plan

HISTORY_NIGHTS = 35
"""Nights of deliveries before the first incident that shows only beside earlier ones."""
_FIRST_INCIDENT = 4
_QUIET_NIGHTS = 3
_DRIFT_NIGHTS = 24
_SILENT_SHARE = 0.5


@dataclass(frozen=True)
class Place:
    """A dataset and, where the kind needs one, a column in which it can happen."""

    name: str
    column: str = ""
    cause: str = ""
    """The right name, where the kind alone does not give it."""
    never_corrected: bool = False
    """Whether silence leaves it standing without hiding what row rules find."""


_INCREMENTS = (
    "approval_service/electronic_certificate",
    "human_resources/social_insurance_enrolment",
    "market_regulation/enterprise",
    "natural_resources/real_estate",
    "power_supply/electricity_usage",
    "public_security/residence_permit",
    "public_security/resident",
    "taxation/tax_payment",
    "water_supply/water_reading",
)
_FULL = ("development_reform/credit_record", "education/enrolment_application")
_LARGE = (
    "approval_service/electronic_certificate",
    "human_resources/social_insurance_enrolment",
    "power_supply/electricity_usage",
    "public_security/resident",
    "taxation/tax_payment",
)

PLACES: dict[str, tuple[Place, ...]] = {
    MISSING_COLUMN: (
        Place("public_security/residence_permit", "phone", never_corrected=True),
        Place("market_regulation/enterprise", "phone", never_corrected=True),
        Place("taxation/tax_payment", "tax_due"),
        Place("public_security/resident", "birth_date"),
        Place("education/enrolment_application", "guardian_phone"),
        Place("development_reform/credit_record", "reason"),
    ),
    SHIFTED_COLUMNS: (
        Place("natural_resources/real_estate", "owner_name"),
        Place("taxation/tax_payment", "taxpayer_name"),
        Place("human_resources/social_insurance_enrolment", "full_name"),
        Place("public_security/resident", "full_name"),
    ),
    WRONG_ENCODING: tuple(Place(name) for name in _INCREMENTS),
    UNIT_CHANGE: (
        Place("taxation/tax_payment", "tax_due", never_corrected=True),
        Place("power_supply/electricity_usage", "usage_kwh", never_corrected=True),
        Place("natural_resources/real_estate", "floor_area_m2"),
        Place("market_regulation/enterprise", "registered_capital"),
    ),
    CUT_FILE: tuple(Place(name) for name in (*_INCREMENTS, *_FULL)),
    STALE_FILE: tuple(Place(name, never_corrected=True) for name in _INCREMENTS),
    LATE_DELIVERY: tuple(Place(name) for name in (*_INCREMENTS, *_FULL)),
    DUPLICATED_LOAD: tuple(Place(name) for name in (*_INCREMENTS, *_FULL)),
    VOLUME_JUMP: tuple(Place(name) for name in _LARGE),
    VOLUME_DROP: tuple(Place(name) for name in _LARGE),
    DRIFT: (
        Place("taxation/tax_payment", "tax_kind"),
        Place("power_supply/electricity_usage", "usage_kwh"),
        Place("natural_resources/real_estate", "floor_area_m2"),
    ),
    DISAGREEMENT: (
        Place("human_resources/social_insurance_enrolment", "employer_code",
              "employer_is_registered"),
        Place("taxation/tax_payment", "unified_code", "taxpayer_is_registered"),
        Place("power_supply/electricity_usage", "unified_code", "customer_is_registered"),
    ),
}  # fmt: skip

_CAUSES = {
    SHIFTED_COLUMNS: ("shifted_columns",),
    WRONG_ENCODING: ("wrong_encoding",),
    CUT_FILE: ("cut_file",),
    STALE_FILE: ("stale",),
    LATE_DELIVERY: ("delivered_on_time",),
    DUPLICATED_LOAD: ("duplicated_load",),
    VOLUME_JUMP: ("volume_anomaly",),
    VOLUME_DROP: ("volume_anomaly",),
}


def draw(seed: int, *purpose: object) -> float:
    """A number from 0 to 1 that follows from the seed and what it is for."""
    text = "|".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56


def schedule(plan: Plan, history_nights: int = HISTORY_NIGHTS) -> tuple[Incident, ...]:
    """All incidents of a simulation, by their first night."""
    planned = _Planned(plan, history_nights)
    for number, place in enumerate(PLACES[DRIFT]):
        first = history_nights + 5 * number
        if first + _DRIFT_NIGHTS < plan.nights:
            planned.add(DRIFT, place, first, _DRIFT_NIGHTS)
    for night in range(_FIRST_INCIDENT, plan.nights - 1):
        for name in sorted((*_INCREMENTS, *_FULL), key=lambda n: draw(plan.seed, n, night)):
            planned.plant_one(name, night)
    return tuple(sorted(planned.incidents, key=lambda incident: (incident.first, incident.name)))


def each_kind_once(plan: Plan, first: int) -> tuple[Incident, ...]:
    """Every kind but the slow drift, each in a dataset of its own, from the night `first` on.

    All are corrected on the second night after their own, the last of them on `first + 3`, unless
    the next night's file replaces them. Of three departments that still have something to answer
    one disputes, one asks for time and one is silent.
    """
    planned = _Planned(plan, first - 1)
    kinds = sorted((kind for kind in KINDS if kind != DRIFT), key=lambda kind: len(PLACES[kind]))
    for number, kind in enumerate(kinds):
        place = next(place for place in PLACES[kind] if not planned.taken[place.name])
        planned.add(kind, place, first + number % 2, 1, lag=2)
    answering = [
        replace(incident, reply=("", DISPUTE, ASK_TIME)[incident.number % 3])
        if incident.corrected and (incident.corrected - incident.first).days > 1
        else incident
        for incident in planned.incidents
    ]
    return tuple(sorted(answering, key=lambda incident: (incident.first, incident.name)))


class _Planned:
    """What is planted so far, and until when each dataset is left alone."""

    def __init__(self, plan: Plan, history_nights: int) -> None:
        self.plan, self.history_nights = plan, history_nights
        self.incidents: list[Incident] = []
        self.counts: Counter[str] = Counter()
        self.taken: dict[str, set[int]] = {name: set() for name in (*_INCREMENTS, *_FULL)}
        self.standing: set[tuple[str, str, str]] = set()

    def plant_one(self, name: str, night: int) -> None:
        """Plant the kind that is rarest so far among those that can happen here and now."""
        nights = range(night - _QUIET_NIGHTS, night + 6 + _QUIET_NIGHTS)
        pause = 3 * draw(self.plan.seed, "pause", name, night)
        if pause > 1 or self.taken[name] & set(nights):
            return
        choices = [
            (self.counts[kind], draw(self.plan.seed, kind, name, night), kind, place)
            for kind in KINDS
            if kind != DRIFT
            and (kind not in NEED_HISTORY or night > self.history_nights)
            and (
                kind not in (VOLUME_JUMP, VOLUME_DROP)
                or has_telling_volume(self.plan.business_date(night))
            )
            for place in PLACES[kind]
            if place.name == name and (name, kind, place.column) not in self.standing
        ]
        if choices:
            _, _, kind, place = min(choices, key=lambda choice: choice[:3])
            lasts = kind in (MISSING_COLUMN, UNIT_CHANGE, LATE_DELIVERY)
            self.add(kind, place, night, 1 + (lasts and draw(self.plan.seed, night, name) < 0.5))

    def add(self, kind: str, place: Place, first: int, nights: int, lag: int | None = None) -> None:
        """Plant one incident where it ends before the simulation does.

        `lag` is how many nights after the last wrong delivery the right ones come; drawn, and
        now and then never, unless given.
        """
        seed, purpose = self.plan.seed, (place.name, kind, first)
        may_be_silent = place.never_corrected and lag is None
        lag = lag or 1 + int(4 * draw(seed, "lag", *purpose))
        if kind in (LATE_DELIVERY, DRIFT) or place.name in _FULL:
            lag = 1
        corrected: int | None = first + nights - 1 + lag
        if may_be_silent and draw(seed, "silent", *purpose) < _SILENT_SHARE:
            corrected = None
            self.standing.add((place.name, kind, place.column))
        elif corrected is not None and corrected > self.plan.nights:
            return
        answer = draw(seed, "answer", *purpose)
        reply = ""
        if lag > 1 and corrected is not None:
            reply = DISPUTE if answer < 0.25 else ASK_TIME if answer < 0.5 else ""
        day = self.plan.business_date
        department, dataset = place.name.split("/")
        self.counts[kind] += 1
        self.incidents.append(
            Incident(
                number=len(self.incidents) + 1,
                department=department,
                dataset=dataset,
                kind=kind,
                column=place.column,
                first=day(first),
                nights=nights,
                corrected=day(corrected) if corrected else None,
                reply=reply,
                causes=_causes(kind, place),
            )
        )
        self.taken[place.name] |= set(range(first, (corrected or first + nights) + 1))


def _causes(kind: str, place: Place) -> tuple[str, ...]:
    if place.cause:
        return (place.cause,)
    if kind == DRIFT:
        return (f"{place.column}__distribution",)
    if kind in (MISSING_COLUMN, UNIT_CHANGE):
        return (f"{kind}:{place.column}",)
    return _CAUSES[kind]


def blocked_nights(incidents: Sequence[Incident], plan: Plan) -> dict[str, set[int]]:
    """Dataset → numbers of the nights on which its row defects neither begin nor end.

    Those from an incident's first night to its correction: what row rules find then may hang
    under the incident. A slow drift hides no row rule, so its nights are free.
    """
    blocked: dict[str, set[int]] = {}
    for incident in incidents:
        if incident.kind == DRIFT:
            continue
        last = incident.corrected or incident.first + timedelta(days=incident.nights)
        nights = range(_number(plan, incident.first), _number(plan, last) + 1)
        blocked.setdefault(incident.name, set()).update(nights)
    return blocked


def _number(plan: Plan, day: date) -> int:
    return (day - plan.first_date).days + 1
