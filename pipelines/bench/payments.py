"""The rows that the door is timed with: 12 columns, sound but for one row in a hundred.

Belongs here: making the files, once per size, in every format that is timed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from pipelines.bench.machine import PROJECT_SOURCES
from quality.contract import Contract
from quality.contract_reader import read_contract

FAULT_EVERY = 100
"""One row in so many names a month that has not come yet."""


def contract() -> Contract:
    """The contract of the benchmark's dataset."""
    return read_contract(PROJECT_SOURCES / "bench" / "payment.odcs.yaml")


def make_csv(folder: Path, rows: int) -> Path:
    """`rows` payments as UTF-8 CSV; made by set-based SQL, the same for the same number."""
    path = folder / f"payment_{rows}.csv"
    if path.exists():
        return path
    headers = contract().headers
    columns = ", ".join(f'c{i} as "{header}"' for i, header in enumerate(headers))
    with duckdb.connect() as connection:
        connection.execute(_MACROS)
        connection.execute(
            f"copy (select {columns} from ({_ROWS.format(rows=rows, fault=FAULT_EVERY)})) "
            f"to '{path}.part' (header, delimiter ',')"
        )
    Path(f"{path}.part").replace(path)
    return path


def as_gb18030(source: Path) -> Path:
    """The same text in GB18030, made block by block."""
    path = source.with_name(f"{source.stem}_gb18030.csv")
    if not path.exists():
        with (
            source.open(encoding="utf-8", newline="") as text,
            path.open("w", encoding="gb18030", newline="") as target,
        ):
            shutil.copyfileobj(text, target, 8 << 20)
    return path


def as_parquet(source: Path) -> Path:
    """The same texts as Parquet, every column a string."""
    path = source.with_suffix(".parquet")
    if not path.exists():
        with duckdb.connect() as connection:
            connection.execute(
                f"copy (select * from read_csv('{source}', all_varchar = true)) to '{path}'"
            )
    return path


def as_xlsx(source: Path) -> Path:
    """The same texts as a workbook of one sheet."""
    import xlsxwriter

    path = source.with_suffix(".xlsx")
    if not path.exists():
        with (
            duckdb.connect() as connection,
            xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook,
        ):
            sheet = workbook.add_worksheet("缴费")
            cursor = connection.execute(f"from read_csv('{source}', all_varchar = true)")
            sheet.write_row(0, 0, contract().headers)
            row = 1
            while records := cursor.fetchmany(10_000):
                for record in records:
                    for column, value in enumerate(record):
                        sheet.write_string(row, column, value or "")
                    row += 1
    return path


_MACROS = """
create macro resident_number(body) as body || substr('10X98765432', 1 + (
    list_sum(list_transform(range(17), lambda i:
        substr(body, i + 1, 1)::int * [7,9,10,5,8,4,2,1,6,3,7,9,10,5,8,4,2][i + 1])) % 11)::int, 1);
create macro unified_code(body) as body || substr('0123456789ABCDEFGHJKLMNPQRTUWXY', 1 + ((31 -
    list_sum(list_transform(range(17), lambda i:
        (strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', substr(body, i + 1, 1)) - 1)
        * [1,3,9,27,19,26,16,17,20,29,25,13,8,24,10,30,28][i + 1])) % 31) % 31)::int, 1)
"""

_ROWS = """
select
    '3371' || lpad(i::varchar, 14, '0') as c0,
    person.number as c1,
    ['王','李','张','刘','陈'][1 + i % 5] || ['建国','秀英','伟','芳','志强','丽'][1 + i % 6] as c2,
    firm.code as c3,
    '临沂市第' || (i % 5000) || '号商贸有限公司' as c4,
    case when i % {fault} = 7 then '2099-12' else '2026-0' || (1 + i % 6) end as c5,
    ['增值税','企业所得税','个人所得税','城市维护建设税','印花税'][1 + i % 5] as c6,
    (i % 9999983) / 100.0 as c7,
    (i % 9999983) / 100.0 as c8,
    date '2026-01-01' + (i % 150)::int as c9,
    ['371302','371311','371312','371321','371322','371323'][1 + i % 6] as c10,
    '13' || lpad((i % 1000000007)::varchar, 9, '0') as c11
from range({rows}) as numbers(i)
inner join (
    select k, resident_number('371302' || strftime(date '1950-01-01' + k::int * 7 % 20000, '%Y%m%d')
        || lpad((k % 999)::varchar, 3, '0')) as number
    from range(20000) as people(k)
) as person on person.k = i % 20000
inner join (
    select k, unified_code('91371302MA' || lpad(k::varchar, 7, '0')) as code
    from range(5000) as firms(k)
) as firm on firm.k = i % 5000
order by i
"""
