"""Where orders are kept: files and databases, opened as DuckDB relations; nothing is loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lifestage.data.engine import quoted, readable
from lifestage.errors import DataError

__all__ = ["open_file"]


def open_file(source: str | Path, table: str | None = None) -> Any:
    """Open a CSV or Parquet file or glob, or a table of a DuckDB database file, as a DuckDB relation.

    Every column of a CSV file is read as text, so that identifiers keep theirs.

    Raises
    ------
    DataError
        If there is no such file or table, or it is empty or of an unknown kind.
    """
    import duckdb

    name = str(source)
    lower = name.lower()
    connection = duckdb.connect()
    if not any(mark in name for mark in "*?[") and not Path(name).exists():
        raise DataError(f"expected a file of orders; there is no {name}")
    if Path(name).is_file() and Path(name).stat().st_size == 0:
        raise DataError(f"expected orders in {name}; the file is empty")
    found = re.sub(r"([*?[])", r"[\1]", name) if Path(name).exists() else name  # a file of that name, else a glob
    with readable(name):
        if lower.endswith((".duckdb", ".db", ".ddb")):
            return _database(connection, name, table)
        if table is not None:
            raise DataError(f"expected a DuckDB database file to go with table={table!r}; got {name}")
        if lower.endswith((".parquet", ".pq")):
            return connection.query("select * from read_parquet(?, union_by_name = true)", params=[found])
        if lower.endswith((".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz", ".txt", ".txt.gz")):
            how = "header = true, all_varchar = true, union_by_name = true"
            how += ", delim = '\t'" if ".tsv" in lower else ""
            return connection.query(f"select * from read_csv(?, {how})", params=[found])
    raise DataError(f"expected a .csv, .tsv, .parquet, .duckdb or .db file (.csv and .tsv also as .gz); got {name}")


def _database(connection: Any, name: str, table: str | None) -> Any:
    literal = name.replace("'", "''")
    connection.execute(f"attach '{literal}' as log (read_only)")
    found = connection.execute(
        "select table_schema, table_name from information_schema.tables where table_catalog = 'log' order by all"
    ).fetchall()
    names = {f"{schema}.{each}" if schema != "main" else each: (schema, each) for schema, each in found}
    listed = ", ".join(names) or "none"
    if table is None and len(names) == 1:
        table = next(iter(names))
    if table is None:
        raise DataError(f"expected table= to name one of the tables of {name}: {listed}")
    key = table.removeprefix("main.")
    if key not in names:
        raise DataError(f"expected a table {table!r} in {name}; it holds: {listed}")
    schema, each = names[key]
    return connection.query(f"select * from log.{quoted(schema)}.{quoted(each)}")
