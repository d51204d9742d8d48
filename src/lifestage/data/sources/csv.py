"""CSV files as relations with a row per line, also for lines with other columns than the first.

Only the delimiter is inferred, from the first line: readers that infer the format from the lines
that agree best skip the others without notice.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

from lifestage.core.errors import DataError

__all__ = ["MALFORMED", "open_csv"]

MALFORMED = "lifestage_malformed"
"""Column of a file with malformed lines: their number and beginning; null for other lines."""
DELIMITERS = ",;\t|"
EXCERPT_LENGTH = 60
DIALECT = "auto_detect = false, header = true, skip = 0, quote = '\"', escape = '\"'"
WHOLE_LINE = (
    "auto_detect = false, header = false, strict_mode = false, ignore_errors = true, max_line_size"
    " = 100000000, quote = '', escape = '', delim = '\x01'"
)


def open_csv(connection: Any, name: str, pattern: str) -> Any:
    """Open the CSV files that match *pattern*; their columns are text and are united by name.

    Raises
    ------
    DataError
        If no file matches, or a file has lines that cannot be rows of a table: the line is named.
    """
    rows = connection.execute("select file from glob(?) order by file", [pattern]).fetchall()
    # Escaped, because DuckDB would read the name of a file as a pattern again.
    files = [re.sub(r"([*?[])", r"[\1]", row[0]) for row in rows]
    if not files:
        raise DataError(f"could not read {name}: there is no such file")
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for file in files:
        groups.setdefault(_header(connection, file), []).append(file)
    parts, params = [], []
    for (delimiter, columns), members in groups.items():
        read = f"read_csv(?, {DIALECT}, delim = {_literal(delimiter)}, columns = {_struct(columns)}"
        rejects = _rejects(connection, read, members, len(columns))
        parts.append(
            f"select * from {read}, ignore_errors = {'false' if rejects is None else 'true'})"
        )
        params.append(members)
        if rejects is not None:
            parts.append(f"select excerpt as {MALFORMED} from {rejects}")
    return connection.query(" union all by name ".join(parts), params=params)


def _header(connection: Any, file: str) -> tuple[str, tuple[str, ...]]:
    """Delimiter and names of the columns, from the first line; repeated names get a number."""
    row = connection.execute(
        f"select * from read_csv(?, {WHOLE_LINE}, columns = {{'line': 'VARCHAR'}}) limit 1", [file]
    )
    line = (row.fetchone() or ("",))[0] or ""
    if not line.strip():
        raise DataError(
            f"expected a first line of names, such as customer_id,date,amount; {file} has none"
        )
    if "\0" in line or "\ufffd" in line:
        raise DataError(
            f"expected text in UTF-8; the first line of {file} is not: {line[:EXCERPT_LENGTH]!r}"
        )
    delimiter = "\t" if ".tsv" in file.lower() else max(DELIMITERS, key=line.count)
    fields = enumerate(next(csv.reader([line], delimiter=delimiter)))
    names = [name.strip() or f"column{position}" for position, name in fields]
    uses, numbered = Counter(map(str.lower, names)), Counter[str]()
    for position, name in enumerate(names):
        if uses[name.lower()] > 1:
            numbered[name.lower()] += 1
            names[position] = f"{name}_{numbered[name.lower()]}"
    return delimiter, tuple(names)


def _rejects(connection: Any, read: str, files: list[str], width: int) -> str | None:
    """Scan all lines once and store the malformed ones as a table; None if there are none."""
    import duckdb

    suffix = uuid4().hex
    rejects, scans = f"lifestage_rejects_{suffix}", f"lifestage_scans_{suffix}"
    table = f"lifestage_malformed_{suffix}"
    options = (
        f"store_rejects = true, rejects_limit = 0, rejects_table = '{rejects}', rejects_scan ="
        f" '{scans}'"
    )
    try:
        # All columns are counted: text that is not UTF-8 is found only where it is read.
        good = connection.execute(
            f"select count(*), count(columns(*)) from {read}, {options})", [files]
        ).fetchall()[0][0]
    except duckdb.InvalidInputException:
        for file in files:
            _refuse_bytes(file)
        raise
    position = "'line '" if len(files) == 1 else "file_path || ' line '"
    excerpt = f"{position} || line || ': ' || left(csv_line, {EXCERPT_LENGTH})"
    connection.execute(
        f"create temp table {table} as select distinct on (file_path, line) error_type::varchar as"
        f" kind, csv_line as text, {excerpt} as excerpt, file_path, line"
        f" from {rejects} join (select distinct file_id, file_path from {scans}) using (file_id)"
    )
    bad = connection.execute(f"select count(*) from {table}").fetchone()[0]
    for name in (rejects, scans):
        connection.execute(f"drop table {name}")
    if not bad:
        connection.execute(f"drop table {table}")
        return None
    _refuse_worst(connection, table, good + bad, bad, width)
    return table


def _refuse_worst(connection: Any, table: str, lines: int, bad: int, width: int) -> None:
    """Refuse files in which most lines are malformed, or one hides the lines after it."""

    def first(condition: str) -> str | None:
        row = connection.execute(
            f"select excerpt from {table} where {condition} order by file_path, line limit 1"
        ).fetchone()
        return None if row is None else str(row[0]).splitlines()[0]

    excerpt = first("kind = 'INVALID ENCODING'")
    if excerpt is not None:
        raise _not_utf8(excerpt)
    excerpt = first("kind = 'UNQUOTED VALUE' and contains(text, chr(10))")
    if excerpt is not None:
        raise DataError(
            f"expected a closing quotation mark; {excerpt!r} opens one that swallows the lines"
            " after it"
        )
    if 2 * bad > lines:
        raise DataError(
            f"expected lines of {width} columns, which the first line names; {bad:,} of {lines:,}"
            f" lines are not, the first: {first('true')!r}"
        )


def _not_utf8(excerpt: str) -> DataError:
    return DataError(
        f"expected text in UTF-8; {excerpt!r} is not: convert the file, such as by"
        " iconv -f cp1252 -t utf-8"
    )


def _refuse_bytes(file: str) -> None:
    """Refuse a file with a line that is not UTF-8, or whose line end differs from the first."""
    if not Path(file).is_file() or Path(file).suffix in (".gz", ".zst"):
        return
    usual = b""
    with open(file, "rb") as lines:
        for number, line in enumerate(lines, 1):
            end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
            if b"\r" in line.removesuffix(b"\r\n"):
                end = b"\r"
            usual = usual or end
            text = line.decode(errors="replace")
            if "\ufffd" in text and "\ufffd".encode() not in line:
                raise _not_utf8(f"line {number}: {text.rstrip()[:EXCERPT_LENGTH]}")
            if end != usual:
                raise DataError(
                    f"expected lines of {file} to end alike; line 1 ends with {usual.decode()!r}"
                    f" and line {number} with {end.decode()!r}: save it again with one kind of"
                    " line end"
                )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _struct(columns: tuple[str, ...]) -> str:
    return "{" + ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in columns) + "}"
