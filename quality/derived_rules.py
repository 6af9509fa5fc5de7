"""The rules that follow from a contract's structure, without being written in it.

Belongs here: required, type, domain, readable text, row shape, unique key, and what is asked of
each delivery: every dataset has them.
Does not belong here: rules that a contract names itself (`contract_reader`).
"""

from __future__ import annotations

from collections.abc import Iterator

from quality.anomalies import OFF
from quality.contract import Column, Contract, Rule
from quality.profiles import profiled_columns
from quality.row_rules import uncast_marker

_TYPE_HINTS = {
    "date": "日期（如 2026-03-05）",
    "timestamp": "日期时间（如 2026-03-05 08:30:00）",
    "integer": "整数",
    "number": "数字",
    "boolean": "是或否",
}


def rules_of(contract: Contract) -> tuple[Rule, ...]:
    """All derived rules of one contract, row rules first."""
    return (
        _row_shape(),
        _readable_text(contract),
        *(rule for column in contract.columns for rule in _column_rules(column, contract)),
        *_key_rule(contract),
        *_delivery_rules(contract),
        *_anomaly_rules(contract),
    )


def _row_shape() -> Rule:
    message = "本行的列数与表头不一致，请检查分隔符和换行后重新报送。"
    return Rule("row_shape", "row", "row_shape", "conformity", "error", message)


def _readable_text(contract: Contract) -> Rule:
    texts = tuple(c.name for c in contract.columns if c.logical_type == "string")
    message = "本行含有乱码，无法使用，请检查导出程序的字符编码后重新报送。"
    return Rule("readable_text", "row", "readable_text", "accessibility", "error", message, texts)


def _column_rules(column: Column, contract: Contract) -> Iterator[Rule]:
    own = (column.name,)
    if column.required:
        yield _required_rule(column, contract)
    if column.logical_type in _TYPE_HINTS:
        message = f"「{column.title}」应为{_TYPE_HINTS[column.logical_type]}，无法识别，请更正。"
        yield Rule(f"{column.name}__type", "row", "type", "conformity", "error", message, own)
    if column.parse == "code":
        message = (
            f"「{column.title}」疑似被电子表格截断（第16位起变为0或成为科学计数法），"
            "请将该列设为文本格式，从业务系统重新导出。"
        )
        yield Rule(f"{column.name}__whole", "row", "whole_code", "accuracy", "error", message, own)
    if column.domain:
        shown = "、".join(column.domain[:12]) + ("等" if len(column.domain) > 12 else "")
        message = f"「{column.title}」只能填写：{shown}，请更正。"
        rule_id = f"{column.name}__domain"
        yield Rule(rule_id, "row", "domain", "conformity", "error", message, own, column.domain)


def _required_rule(column: Column, contract: Contract) -> Rule:
    """Of a row that only says that its key is gone, nothing more than that is required."""
    message = f"「{column.title}」为必填项，请补充后重新报送。"
    rule_id, own = f"{column.name}__required", (column.name,)
    change = contract.change_column
    if change in (None, column.name) or column.key_position is not None:
        return Rule(rule_id, "row", "required", "completeness", "error", message, own)
    deleted = ", ".join("'" + value.replace("'", "''") + "'" for value in contract.delete_values)
    text = f"{column.name} is not null or {uncast_marker(column.name)} or {change} in ({deleted})"
    return Rule(rule_id, "row", "expression", "completeness", "error", message, own, (text,))


def _key_rule(contract: Contract) -> Iterator[Rule]:
    """A change log may tell of a key as often as something happened to it."""
    if contract.key and contract.delivery != "change_log":
        titles = "、".join(contract.column(name).title for name in contract.key)
        message = f"同一次报送中「{titles}」重复，请只保留一条后重新报送。"
        key = contract.key
        yield Rule("key_unique", "relation", "key_unique", "accuracy", "error", message, key)


def _delivery_rules(contract: Contract) -> Iterator[Rule]:
    message = "报送文件无法读取，请按原因更正后重新报送。"
    yield _delivery_rule("delivery_readable", "accessibility", "error", message)
    message = "报送文件的列与约定不一致，请恢复约定的表头，或联系大数据主管部门修订数据合同。"
    yield _delivery_rule("schema_agrees", "conformity", "warning", message)
    message = "报送文件在一行中间结束，疑似没有传完，请重新导出并完整报送。"
    yield _delivery_rule("file_whole", "completeness", "warning", message)
    if contract.delivery == "full":
        message = "全量报送的分片不齐，未装载，请补齐缺少的文件。"
        yield _delivery_rule("delivery_complete", "completeness", "error", message)
        message = (
            f"全量报送的行数比上一次减少超过 {contract.max_drop:.0%}，未替换原有数据，"
            "请核对后重新报送；确属实情的，请将原文件改名为以 _confirmed 结尾后再报送一次。"
        )
        yield _delivery_rule("not_shrunken", "completeness", "error", message)
    if contract.cycle is not None:
        message = "未按约定周期报送，请尽快报送。"
        yield _delivery_rule("delivered_on_time", "timeliness", "error", message)


def _delivery_rule(name: str, dimension: str, severity: str, message: str) -> Rule:
    return Rule(name, "delivery", name, dimension, severity, message)


def _anomaly_rules(contract: Contract) -> Iterator[Rule]:
    """The delivery beside earlier ones; a column that must be filled is never missing unnoticed."""
    if contract.sensitivity == OFF:
        return
    message = (
        "报送行数与往常相差悬殊，请核对是否漏报或重复报送；"
        "确属实情的，请将原文件改名为以 _confirmed 结尾后再报送一次。"
    )
    yield _anomaly_rule("volume_anomaly", "volume", "completeness", message)
    message = (
        "报送内容与前一次完全相同，请检查导出程序后重新报送当日数据；"
        "确属实情的，请将原文件改名为以 _confirmed 结尾后再报送一次。"
    )
    yield _anomaly_rule("fresh_content", "freshness", "timeliness", message)
    for column in profiled_columns(contract):
        if not column.required:
            message = f"「{column.title}」的空值比例远高于往常，请核对导出程序后重新报送。"
            name = f"{column.name}__nulls"
            yield _anomaly_rule(name, "null_rate", "completeness", message, column.name)
        message = f"「{column.title}」的取值分布与往常明显不同，请核对单位、口径和导出程序。"
        name = f"{column.name}__distribution"
        yield _anomaly_rule(name, "distribution", "accuracy", message, column.name)


def _anomaly_rule(name: str, check: str, dimension: str, message: str, *columns: str) -> Rule:
    return Rule(name, "anomaly", check, dimension, "warning", message, columns)
