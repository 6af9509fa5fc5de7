"""The fault behind many failing rules, recognised by its evidence and named.

Belongs here: which fault a dataset's deliveries show, as pure functions of `Evidence`.
Does not belong here: gathering evidence (`fault_evidence`); one cause out of results and faults
(`causes`).

Of what is wrong with a whole delivery the first that fits is named, for it explains the others: a
file of which no character is right also has odd lengths and refused rows. Beside that only single
columns are told of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from quality.anomalies import Unusual
from quality.causes import Fault
from quality.contract import Contract
from quality.fault_evidence import Delivery, Evidence
from quality.ledger import Told
from quality.text_evidence import misread_share, shift_of

_MISSING = re.compile(r"表头缺少：(.+?)。")
_ENCODING = re.compile(r"文件编码是 (\S+?)，约定为 (\S+?)。")
_BROKEN_OFF = re.compile(r"没有传完|损坏")
_MOST = 0.5
_SHOWN = 3

WRONG_ENCODING, SHIFTED, MISSING_COLUMN = "wrong_encoding", "shifted_columns", "missing_column"
UNIT_CHANGE, STALE, CUT_FILE = "unit_change", "stale", "cut_file"
DUPLICATED_LOAD, VOLUME = "duplicated_load", "volume_anomaly"

TITLES = {
    WRONG_ENCODING: "文件编码错误",
    SHIFTED: "列错位",
    MISSING_COLUMN: "缺列",
    UNIT_CHANGE: "单位变化",
    STALE: "重复报送旧数据",
    CUT_FILE: "文件被截断",
    DUPLICATED_LOAD: "整批重复",
    VOLUME: "行数异常",
}
"""Kind of fault → what it is called; `volume_anomaly` names the rule that tells of it."""


def recognise(evidence: Evidence) -> list[Fault]:
    """The faults of one dataset, those of whole files first."""
    whole = _WholeFiles(evidence)
    return [
        *whole.faults(),
        *_refused_columns(evidence),
        *_missing_columns(evidence, whole.explained),
        *_unit_changes(evidence, whole.explained),
    ]


class _WholeFiles:
    """Faults of whole deliveries; `explained` are the business dates that they account for."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.contract = evidence.contract
        self.by_kind: dict[str, list[Delivery]] = {}
        self.shifts: dict[str, str] = {}
        for delivery in evidence.deliveries:
            kind = self._kind(delivery)
            if kind:
                self.by_kind.setdefault(kind, []).append(delivery)
        self.explained: set[date] = {
            d.business_date for deliveries in self.by_kind.values() for d in deliveries
        }

    def faults(self) -> Iterator[Fault]:
        """One fault a kind, whatever number of deliveries show it."""
        for kind, told in self._refused().items():
            self.by_kind.setdefault(kind, [])
            yield self._fault(kind, self.by_kind.pop(kind), told)
        for kind, deliveries in self.by_kind.items():
            yield self._fault(kind, deliveries, ())

    def _kind(self, delivery: Delivery) -> str | None:
        day, contract = delivery.business_date, self.contract
        dates = self.evidence.anomalies.dates
        if delivery.share("readable_text") >= _MOST:
            return WRONG_ENCODING
        if delivery.texts and misread_share(delivery.texts) >= _MOST:
            return WRONG_ENCODING
        is_misshapen = delivery.share("row_shape") >= _MOST and delivery.rows > 1
        can_shift = delivery.texts and not is_misshapen
        shift = shift_of(delivery.texts, contract) if can_shift else None
        if shift is not None:
            title = contract.column(shift.first).title
            side = "右" if shift.places > 0 else "左"
            self.shifts[delivery.delivery_id] = f"自「{title}」起向{side}错一列"
            return SHIFTED
        if day in dates("fresh_content"):
            return STALE
        is_short = "row_shape" in delivery.last_row and not is_misshapen
        if is_short or delivery.delivery_id in self._cut():
            return CUT_FILE
        if delivery.repeats > 1 and delivery.repeats >= delivery.rows * _MOST / 2:
            return DUPLICATED_LOAD
        return VOLUME if day in dates(VOLUME) else None

    def _cut(self) -> set[str]:
        return {told.delivery_id for told in self.evidence.ledger.cut}

    def _refused(self) -> dict[str, list[Told]]:
        """Refused deliveries that were cut off or are in another encoding than agreed."""
        found: dict[str, list[Told]] = {}
        cut = self._cut()
        for rule, told in self.evidence.ledger.refused:
            if _ENCODING.search(told.reason):
                found.setdefault(WRONG_ENCODING, []).append(told)
            elif told.delivery_id in cut or (
                rule == "delivery_readable" and _BROKEN_OFF.search(told.reason)
            ):
                found.setdefault(CUT_FILE, []).append(told)
        return found

    def _fault(self, kind: str, deliveries: Sequence[Delivery], refused: Sequence[Told]) -> Fault:
        rules = list(self._rules(kind, deliveries))
        if refused:
            rules += ["delivery_readable", "not_shrunken", "file_whole"]
        return _named(
            self.contract,
            kind,
            kind,
            TITLES[kind],
            rules,
            self._said(kind, deliveries, refused),
            sum(d.rows for d in deliveries),
        )

    def _rules(self, kind: str, deliveries: Sequence[Delivery]) -> Iterator[str]:
        """What fails because of it: by rows of these deliveries, or by their being unusual."""
        days = {d.business_date for d in deliveries}
        yield from {STALE: ["fresh_content"], CUT_FILE: ["row_shape", "file_whole"],
                    DUPLICATED_LOAD: ["key_unique"]}.get(kind, [])  # fmt: skip
        if kind == CUT_FILE:
            yield from sorted(self._broken_by_the_cut(deliveries))
        if kind in (WRONG_ENCODING, SHIFTED):
            yield from sorted({rule for d in deliveries for rule in d.findings})
        for rule in self.contract.rules_of("anomaly"):
            told = self.evidence.anomalies.dates(rule.rule_id)
            if told & days and (told <= self.explained or rule.rule_id == VOLUME):
                yield rule.rule_id

    def _broken_by_the_cut(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Rules that only the last rows of these files break: what is left of a value is odd."""
        last = {d.delivery_id: d.last_row for d in deliveries}
        found: dict[str, int] = {}
        for delivery in self.evidence.deliveries:
            own = last.get(delivery.delivery_id, frozenset())
            for rule, counted in delivery.findings.items():
                found[rule] = found.get(rule, 0) + counted - (rule in own)
        return {rule for rules in last.values() for rule in rules if found.get(rule) == 0}

    def _said(self, kind: str, deliveries: Sequence[Delivery], refused: Sequence[Told]) -> str:
        files = [self._file(kind, delivery) for delivery in deliveries]
        files += [told.file_name for told in refused]
        wrong, remedy = _WORDS[kind]
        return f"{wrong}（{_listed(files)}），{remedy}"

    def _file(self, kind: str, delivery: Delivery) -> str:
        name = delivery.file_name
        if kind == SHIFTED:
            return f"{name} {self.shifts[delivery.delivery_id]}"
        if kind in (VOLUME, CUT_FILE):
            volumes = self.evidence.anomalies.unusual.get(VOLUME, ())
            for found in volumes:
                if found.business_date == delivery.business_date:
                    return f"{name} {found.found:.0f} 行，往常约 {found.usual:.0f} 行"
        if kind == STALE:
            for found in self.evidence.anomalies.unusual.get("fresh_content", ()):
                if found.business_date == delivery.business_date:
                    return f"{name} 与 {found.alike} 的内容相同"
        return f"{name}，{delivery.rows} 行"


_WORDS = {
    WRONG_ENCODING: ("文件的字符编码有误，文字成为乱码", "请按约定的编码重新导出后报送。"),
    SHIFTED: ("各列的值与表头错位", "请检查导出程序后重新报送。"),
    STALE: (
        "以新日期再次报送了旧数据",
        "请报送当日数据；确属没有变化的，请将原文件改名为以 _confirmed 结尾后再报送一次。",
    ),
    CUT_FILE: ("文件没有传完，在中途截断", "请重新导出并完整报送。"),
    DUPLICATED_LOAD: ("整批数据重复出现", "请检查导出程序，只保留一份后重新报送。"),
    VOLUME: (
        "报送行数与往常相差悬殊",
        "请核对是否漏报或重复报送；确属实情的，请将原文件改名为以 _confirmed 结尾后再报送一次。",
    ),
}  # fmt: skip
"""Kind → what is wrong, and what to do."""


def _refused_columns(evidence: Evidence) -> Iterator[Fault]:
    """Files that were refused because columns are missing; with hardly any header it is another
    file, and the plain rule tells of it."""
    by_names: dict[tuple[str, ...], list[Told]] = {}
    for rule, told in evidence.ledger.refused:
        missing = _MISSING.search(told.reason)
        if rule != "delivery_readable" or not missing or _ENCODING.search(told.reason):
            continue
        names = _columns(evidence.contract, missing.group(1).split("、"))
        if names and 2 * len(names) < len(evidence.contract.columns):
            by_names.setdefault(names, []).append(told)
    for names, files in by_names.items():
        yield _missing(evidence.contract, names, files, ["delivery_readable"])


def _missing_columns(evidence: Evidence, explained: set[date]) -> Iterator[Fault]:
    """Files that were loaded without columns that need not be filled."""
    by_names: dict[tuple[str, ...], list[Told]] = {}
    for told in evidence.ledger.drifted:
        names = _columns(evidence.contract, told.missing)
        if names and told.business_date not in explained:
            by_names.setdefault(names, []).append(told)
    for names, files in by_names.items():
        rules = ["schema_agrees", *(f"{name}__nulls" for name in names)]
        own = {told.delivery_id for told in files}
        rules += sorted(
            rule.rule_id
            for rule in evidence.contract.rules_of("row")
            if set(rule.columns) & set(names)
            and any(rule.rule_id in d.findings for d in evidence.deliveries if d.delivery_id in own)
        )
        yield _missing(evidence.contract, names, files, rules)


def _missing(
    contract: Contract, names: tuple[str, ...], files: Sequence[Told], rules: Sequence[str]
) -> Fault:
    titles = "、".join(f"「{contract.column(name).title}」" for name in names)
    message = (
        f"报送文件缺少{titles}列（{_listed([told.file_name for told in files])}），"
        "请补齐该列后以原文件名重新报送。"
    )
    cause = f"{MISSING_COLUMN}:{'+'.join(names)}"
    return _named(contract, cause, MISSING_COLUMN, f"缺列：{titles}", rules, message, len(files))


def _columns(contract: Contract, headers: Sequence[str]) -> tuple[str, ...]:
    """English names of the columns under these headers, in the contract's order."""
    return tuple(column.name for column in contract.columns if column.header in headers)


def _unit_changes(evidence: Evidence, explained: set[date]) -> Iterator[Fault]:
    for rule in evidence.contract.rules_of("anomaly"):
        if rule.check != "distribution":
            continue
        found = [
            unusual
            for unusual in evidence.anomalies.unusual.get(rule.rule_id, ())
            if unusual.times and unusual.business_date not in explained
        ]
        if found:
            yield _unit_change(evidence, rule.columns[0], rule.rule_id, found)


def _unit_change(evidence: Evidence, column: str, rule_id: str, found: Sequence[Unusual]) -> Fault:
    contract = evidence.contract
    days = {unusual.business_date for unusual in found}
    own = [d for d in evidence.deliveries if d.business_date in days]
    rules = [rule_id]
    rules += sorted(
        rule.rule_id
        for rule in contract.rules
        if column in rule.columns and any(rule.rule_id in d.findings for d in own)
    )
    title = contract.column(column).title
    last = found[-1]
    times = 10 ** abs(last.times)
    change = f"扩大 {times:,} 倍" if last.times > 0 else f"缩小为 {times:,} 分之一"
    message = (
        f"「{title}」的数值整体{change}（{_listed([d.file_name for d in own])}），单位可能有变，"
        "请核对单位后以原文件名重新报送。"
    )
    cause = f"{UNIT_CHANGE}:{column}"
    return _named(contract, cause, UNIT_CHANGE, f"单位变化：「{title}」", rules, message,
                  sum(d.rows for d in own))  # fmt: skip


_DIMENSIONS = {
    WRONG_ENCODING: "accessibility", SHIFTED: "conformity", MISSING_COLUMN: "conformity",
    UNIT_CHANGE: "accuracy", STALE: "timeliness", CUT_FILE: "completeness",
    DUPLICATED_LOAD: "accuracy", VOLUME: "completeness",
}  # fmt: skip


def _named(
    contract: Contract,
    cause: str,
    kind: str,
    title: str,
    rules: Sequence[str],
    message: str,
    failed: int,
) -> Fault:
    severity = "warning" if kind in (VOLUME, STALE) else "error"
    return Fault(
        contract.department, contract.dataset, cause, kind, title, _DIMENSIONS[kind], severity,
        tuple(dict.fromkeys(rules)), message, failed, failed,
    )  # fmt: skip


def _listed(files: Sequence[str]) -> str:
    more = f"；等 {len(files)} 个文件" if len(files) > _SHOWN else ""
    return "；".join(files[:_SHOWN]) + more
