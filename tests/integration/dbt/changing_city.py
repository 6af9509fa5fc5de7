"""A city of a few people whose departments deliver at random, night after night.

Belongs here: random deliveries (late, corrected, repeated, out of order, loaded anew, with
deletions) and the warehouse as the door leaves it. Does not belong here: building or comparing.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb

from pipelines import last_build
from pipelines.home import Home
from quality.catalogue import Catalogue
from quality.contract import META_COLUMNS, Contract

Row = dict[str, Any]
DELETED = "注销"


@dataclass
class Delivery:
    """One loaded delivery; `content` changes when its rows are loaded anew."""

    delivery_id: str
    contract: Contract
    business_date: date
    part: int
    sequence: int
    content: int = 1
    superseded_by: str | None = None


@dataclass
class ChangingCity:
    """The deliveries so far, in one warehouse; the same seed brings the same deliveries."""

    home: Home
    catalogue: Catalogue
    seed: int
    today: date = date(2026, 1, 28)
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311  (not for secrets)
        people = [
            f"371302{self._day(20_000):%Y%m%d}{number:03}{self.random.choice('0123456789X')}"
            for number in range(30)
        ]
        self.people = people
        self.codes = [f"91371302MA3ABCD{number:02}X" for number in range(8)]
        self.names = ["张伟", "张炜", "王芳", "王 芳", "李强"]
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute("create schema raw; create schema store; create schema meta")
            for contract in self.catalogue.contracts:
                columns = {c.name: c.sql_type for c in contract.columns} | META_COLUMNS
                definition = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                connection.execute(f"create table store.{contract.table} ({definition})")
        self._write_night()

    def next_night(self) -> None:
        """Let some days pass, or none, and the departments deliver."""
        self.today += timedelta(days=self.random.choice([0, 1, 1, 1, 3, 9]))
        with duckdb.connect(str(self.home.warehouse)) as connection:
            for contract in self.catalogue.contracts:
                if self.random.random() < 0.6:
                    self._deliver(connection, contract)
        self._write_night()

    def _deliver(self, connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
        own = [d for d in self.deliveries if d.contract is contract and d.superseded_by is None]
        kind = self.random.random()
        if own and kind < 0.08:
            again = self.random.choice(own)  # the same file, loaded under the contract anew
            again.content += 1
            connection.execute(
                f"delete from store.{contract.table} where _delivery_id = ?", [again.delivery_id]
            )
            self._store(connection, again)
            return
        day, part = self.today, self.random.randint(0, 2)
        if kind < 0.35:
            day -= timedelta(days=self.random.randint(1, 8))
        sequence = 1 + sum(d.contract is contract for d in self.deliveries)
        new = Delivery(f"{contract.dataset}-{sequence}", contract, day, part, sequence)
        if own and kind > 0.85:
            corrected = self.random.choice(own)
            new.business_date, new.part = corrected.business_date, corrected.part
            corrected.superseded_by = new.delivery_id
        self.deliveries.append(new)
        self._store(connection, new)

    def _store(self, connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
        contract = delivery.contract
        make: Callable[[], Row] = getattr(
            self, f"_{contract.dataset}", partial(self._any, contract)
        )
        rows = [make() for _ in range(self.random.choice([0, 1, 3, 6]))]
        if contract.delivery == "full":
            rows += self._as_they_were(connection, contract)
        for line, row in enumerate(rows, start=2):
            row |= {
                "_delivery_id": delivery.delivery_id,
                "_business_date": delivery.business_date,
                "_sequence": delivery.sequence,
                "_line_number": line,
                "_flags": "",
            }
            marks = ", ".join("?" * len(row))
            connection.execute(
                f"insert into store.{contract.table} ({', '.join(row)}) values ({marks})",
                list(row.values()),
            )

    def _as_they_were(self, connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[Row]:
        """Most rows that some earlier delivery had, among them of keys that come twice."""
        if self.random.random() < 0.1:
            return []  # the department cleared its register
        names = [column.name for column in contract.columns]
        every = f"select {', '.join(names)} from store.{contract.table}"
        rows = connection.execute(f"{every} order by _sequence, _line_number").fetchall()
        newest = rows[-12:]
        self.random.shuffle(newest)
        return [dict(zip(names, row, strict=True)) for row in newest if self.random.random() < 0.9]

    def _write_night(self) -> None:
        """What `warehouse.prepare` leaves: night, ledger, deliveries in force, raw views."""
        in_force = [
            (d.delivery_id, d.contract.department, d.contract.dataset, d.business_date,
             str(d.content))
            for d in self.deliveries if d.superseded_by is None
        ]  # fmt: skip
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute(
                "create or replace table meta.night as select ? as business_date", [self.today]
            )
            connection.execute(
                "create or replace table meta.delivery (delivery_id varchar, department varchar, "
                "dataset varchar, business_date date, sequence bigint, status varchar, "
                "superseded_by varchar, part bigint)"
            )
            for d in self.deliveries:
                connection.execute(
                    "insert into meta.delivery values (?, ?, ?, ?, ?, 'loaded', ?, ?)",
                    [d.delivery_id, d.contract.department, d.contract.dataset, d.business_date,
                     d.sequence, d.superseded_by, d.part],
                )  # fmt: skip
            last_build.write_in_force(connection, "the code", in_force)
            for contract in self.catalogue.contracts:
                connection.execute(
                    f"create or replace view raw.{contract.table} as "
                    f"select * from store.{contract.table} "
                    "where _delivery_id in (select delivery_id from meta.in_force)"
                )

    def _day(self, back: int, ahead: int = 0) -> date:
        return date(2026, 2, 1) + timedelta(days=self.random.randint(-back, ahead))

    def _month(self) -> str:
        return f"{self._day(700, 60):%Y-%m}"

    def _some(self, values: list[Any]) -> Any:
        return self.random.choice(values)

    def _resident(self) -> Row:
        number = self._some(self.people)
        day = number[6:14]
        return {
            "id_number": number, "full_name": self._some(self.names),
            "sex_code": "男", "ethnicity": "汉族",
            "birth_date": date(int(day[:4]), int(day[4:6]), int(day[6:])),
            "household_number": f"H{self.random.randint(1, 6)}",
            "relation_to_head": self._some(["户主", "子女"]),
            "division_code": self._some(["371302", "371311"]),
            "registration_status": self._some(["正常", "正常", "迁出", "死亡注销"]),
        }  # fmt: skip

    def _residence_permit(self) -> Row:
        return {
            "permit_number": f"P{self.random.randint(1, 15)}",
            "id_number": self._some(self.people), "full_name": self._some(self.names),
            "residence_address": self._some(["沂蒙路", "解放路", DELETED]),
            "division_code": "371302", "phone": self._some([None, "13905390001"]),
            "valid_until": self._day(30, 60),
        }  # fmt: skip

    def _social_insurance_enrolment(self) -> Row:
        return {
            "id_number": self._some(self.people), "full_name": self._some(self.names),
            "insurance_kind": self._some(["养老", "医疗"]),
            "employer_code": self._some([None, *self.codes]), "employer_name": "某公司",
            "enrolment_status": self._some(["参保缴费", "暂停缴费"]),
        }  # fmt: skip

    def _social_insurance_payment(self) -> Row:
        return {
            "id_number": self._some(self.people), "payment_month": self._month(),
            "employer_code": self._some(self.codes), "contribution_base": 5_000,
            "employer_amount": 800, "personal_amount": 400,
            "payment_kind": self._some(["正常缴费", "补缴"]), "paid_on": self._day(400, 30),
        }  # fmt: skip

    def _water_reading(self) -> Row:
        return {
            "account_number": f"W{self.random.randint(1, 9)}", "reading_month": self._month(),
            "division_code": self._some(["371302", "371311"]), "previous_reading_m3": 10,
            "current_reading_m3": 20, "usage_m3": self.random.randint(0, 30), "amount_due": 30,
            "reading_kind": self._some(["实抄", "估抄"]), "read_on": self._day(400, 30),
        }  # fmt: skip

    def _real_estate(self) -> Row:
        return {
            "unit_number": f"U{self.random.randint(1, 10)}",
            "owner_id_number": self._some(self.people), "owner_name": self._some(self.names),
            "right_status": self._some(["现势", "历史"]), "usage": "住宅",
        }  # fmt: skip

    def _enterprise(self) -> Row:
        return {
            "unified_code": self._some(self.codes), "enterprise_name": self._some(["甲", "乙"]),
            "legal_representative_id_number": self._some(self.people),
            "legal_representative": self._some(self.names),
            "enterprise_status": self._some(["在营", "吊销"]),
            "established_on": self._day(3_000), "registered_capital": self.random.randint(1, 9),
        }  # fmt: skip

    def _enterprise_register_extract(self) -> Row:
        return {
            "unified_code": self._some(self.codes), "enterprise_name": self._some(["甲", "丙"]),
            "registered_on": self._day(3_000),
        }  # fmt: skip

    def _tax_payment(self) -> Row:
        return {
            "voucher_number": f"V{self.random.randint(1, 40)}",
            "unified_code": self._some(self.codes), "taxpayer_name": self._some(["甲", "乙"]),
            "tax_period": self._month(), "tax_due": 500, "tax_paid": self._some([0, 500]),
            "paid_on": self._day(400, 30),
        }  # fmt: skip

    def _electricity_usage(self) -> Row:
        return {
            "customer_number": f"C{self.random.randint(1, 9)}", "usage_month": self._month(),
            "unified_code": self._some(self.codes), "customer_name": self._some(["甲", "丁"]),
            "usage_kwh": self.random.randint(1, 900), "amount_due": 90,
            "amount_paid": self._some([0, 90]), "payment_status": self._some(["欠费", "已缴"]),
        }  # fmt: skip

    def _credit_record(self) -> Row:
        return {
            "record_number": f"R{self.random.randint(1, 12)}",
            "unified_code": self._some(self.codes), "enterprise_name": "甲",
            "record_kind": self._some(["行政处罚", "守信激励"]), "severity_grade": "严重",
            "decided_on": self._day(300), "published_until": self._day(30, 60),
        }  # fmt: skip

    def _enrolment_application(self) -> Row:
        return {
            "application_number": f"A{self.random.randint(1, 20)}",
            "child_id_number": self._some(self.people), "child_name": self._some(self.names),
            "child_birth_date": self._day(4_000), "guardian_id_number": self._some(self.people),
            "guardian_name": self._some(self.names), "guardian_phone": "13905390001",
            "claims_social_insurance": "是", "claims_tax_payment": "是",
            "claimed_licence_code": self._some([None, *self.codes]),
            "applied_on": self._day(30),
        }  # fmt: skip

    def _any(self, contract: Contract) -> Row:
        """A row of a dataset of which nothing hangs: few keys, values of the right type."""
        return {c.name: self._value(c.sql_type.partition("(")[0]) for c in contract.columns}

    def _value(self, kind: str) -> Any:
        if kind in ("date", "timestamp"):
            return self._day(5)
        if kind == "boolean":
            return self._some([True, False])
        return str(self.random.randint(1, 4))
