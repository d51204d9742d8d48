"""CSV files as relations in which every line of the file is a row: one that has other columns than the first line, too.

Nothing about a file is guessed but the delimiter, from its first line: a reader that looks for the
lines that fit each other best would skip the others without a word.
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
"""Column of a file with malformed lines: which line it is and how it begins; null for the others."""
DELIMITERS = ",;\t|"
EXCERPT_LENGTH = 60
DIALECT = "auto_detect = false, header = true, skip = 0, quote = '\"', escape = '\"'"
WHOLE_LINE = (
    "auto_detect = false, header = false, strict_mode = false, ignore_errors = true, max_line_size"
    " = 100000000, quote = '', escape = '', delim = '\x01'"
)


def open_csv(connection: Any, name: str, pattern: str) -> Any:
    """Open the CSV files that *pattern* finds; their columns are text and are united by name.

    Raises
    ------
    DataError
        If there is none, or one has lines that no table can be made of: the line is named.
    """
    found = connection.execute("select file from glob(?) order by file", [pattern]).fetchall()
    files = [
        re.sub(r"([*?[])", r"[\1]", row[0]) for row in found
    ]  # each is itself, and no pattern again
    if not files:
        raise DataError(f"could not read {name}: no file is called so")
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
    """Delimiter and names of the columns, as the first line tells; names that repeat are told apart by number."""
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
    names = [
        name.strip() or f"column{place}"
        for place, name in enumerate(next(csv.reader([line], delimiter=delimiter)))
    ]
    often, seen = Counter(name.lower() for name in names), Counter[str]()
    for place, name in enumerate(names):
        if often[name.lower()] > 1:
            seen[name.lower()] += 1
            names[place] = f"{name}_{seen[name.lower()]}"
    return delimiter, tuple(names)


def _rejects(connection: Any, read: str, files: list[str], width: int) -> str | None:
    """Look at every line once: the table of those that are malformed, None if there are none."""
    import duckdb

    mark = uuid4().hex
    rejects, scans, table = (
        f"lifestage_{kind}_{mark}" for kind in ("rejects", "scans", "malformed")
    )
    keep = (
        f"store_rejects = true, rejects_limit = 0, rejects_table = '{rejects}', rejects_scan ="
        f" '{scans}'"
    )
    try:
        # every column is counted: text that is not UTF-8 is found only where it is read
        good = connection.execute(
            f"select count(*), count(columns(*)) from {read}, {keep})", [files]
        ).fetchall()[0][0]
    except duckdb.InvalidInputException:
        for file in files:
            _refuse_bytes(file)
        raise
    place = "'line '" if len(files) == 1 else "file_path || ' line '"
    connection.execute(
        f"create temp table {table} as select distinct on (file_path, line) error_type::varchar as"
        f" kind, csv_line as text, {place} || line || ': ' || left(csv_line, {EXCERPT_LENGTH}) as excerpt,"
        f" file_path, line from {rejects} join (select distinct file_id, file_path from {scans})"
        " using (file_id)"
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
    """Refuse what loses more than the lines that are malformed, or where most are."""

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
        f"expected text in UTF-8; {excerpt!r} is not: convert the file, such as by iconv -f cp1252 -t"
        " utf-8"
    )


def _refuse_bytes(file: str) -> None:
    """Refuse a file with a line that is not UTF-8 or ends otherwise than the first, naming the line."""
    if not Path(file).is_file() or Path(file).suffix in (".gz", ".zst"):
        return
    usual = b""
    with open(file, "rb") as lines:
        for number, line in enumerate(lines, 1):
            end = (
                b"\r"
                if b"\r" in line.removesuffix(b"\r\n")
                else b"\r\n"
                if line.endswith(b"\r\n")
                else b"\n"
            )
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
