"""Where orders are kept: files and databases, opened as DuckDB relations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

from lifestage.core.addresses import address_of, split_table
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.files import files_like
from lifestage.data.engines.duckdb import connect, quoted, readable
from lifestage.data.engines.frames import to_reader
from lifestage.data.sources.csv import open_csv
from lifestage.data.sources.postgres import load_into

__all__ = ["DATABASES", "open_source", "read_orders", "replace_in_file"]

DATABASES = (".duckdb", ".db", ".ddb")
"""Suffixes of DuckDB database files."""


def read_orders(
    source: str | Path,
    *,
    table: str | None = None,
    query: str | None = None,
    memory_limit: str | None = None,
    temp_directory: str | Path | None = None,
    threads: int | None = None,
) -> Any:
    """Open an order log as a DuckDB relation.

    Files are read when the relation is used; rows of a database server are copied into the engine.

    Parameters
    ----------
    source : str or Path
        A ``.csv`` or ``.tsv`` (also ``.gz``) or ``.parquet`` file or glob, a ``.duckdb`` or ``.db``
        database file, or the address of a PostgreSQL database, ``postgresql://host/name``. Columns
        of CSV files are text, so that an identifier such as 00012 stays what it is. User and
        password of a server come from the environment (``PGUSER``, ``PGPASSWORD``) or a password
        file.
    table, query : str, optional
        Table of the database, as ``table`` or ``schema.table``, not needed if a file has only one;
        or a query: one SELECT, which can read only the database and change nothing. Its result is
        copied into the engine.
    memory_limit : str, optional
        Memory of the engine, such as ``"4GB"``; 80 % of the machine's if left out. What does not
        fit is spilled.
    temp_directory : path, optional
        Where to spill; the system's folder for temporary files if left out.
    threads : int, optional
        Threads of the engine; one per core if left out.

    Returns
    -------
    duckdb.DuckDBPyRelation
        The rows of the log, on a connection of their own.

    Raises
    ------
    DataError
        If there is no such file or table, or it is empty or of another kind.
    ConfigError
        If a setting is invalid, a query is not one SELECT, or an address holds a password.

    Examples
    --------
    >>> import lifestage as ls, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "orders.parquet"
    >>> ls.datasets.cdnow().to_parquet(path)
    >>> orders = ls.read_orders(path)
    >>> orders.columns, len(orders)
    (['customer_id', 'date', 'quantity', 'amount'], 6919)
    """
    return open_source(connect(memory_limit, temp_directory, threads), source, table, query)


def open_source(
    connection: Any, source: str | Path, table: str | None = None, query: str | None = None
) -> Any:
    """Open an order log on an existing connection."""
    address, name = address_of(source), str(source)
    lower = name.lower()
    if address is not None:
        with readable(address):
            return load_into(connection, address, table=table, query=query)
    if table is not None and query is not None:
        raise ConfigError(f"expected a table or a query of {name}; got both")
    if not any(mark in name for mark in "*?[") and not Path(name).exists():
        raise DataError(f"expected a file of orders; there is no {name}")
    if Path(name).is_dir():
        raise DataError(
            f"expected a file of orders; {name} is a folder: name its files, such as"
            f" {Path(name) / '*.parquet'}"
        )
    if Path(name).exists() and not Path(name).is_file():
        raise DataError(
            f"expected a file of orders, which is read more than once; {name} is a pipe or a device"
        )
    if Path(name).is_file() and Path(name).stat().st_size == 0:
        raise DataError(f"expected orders in {name}; the file is empty")
    # A name with * is that of a file if there is one, else a glob.
    pattern = re.sub(r"([*?[])", r"[\1]", name) if Path(name).exists() else name
    with readable(name):
        if lower.endswith(DATABASES):
            return _database(connection, name, table, query)
        if table is not None or query is not None:
            option = f"table={table!r}" if query is None else f"query={query!r}"
            raise DataError(
                f"expected a DuckDB database file or a PostgreSQL address to go with {option}; got"
                f" {name}"
            )
        if lower.endswith((".parquet", ".pq")):
            return connection.query(
                "select * from read_parquet(?, union_by_name = true)", params=[pattern]
            )
        if lower.endswith((".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz", ".txt", ".txt.gz")):
            return open_csv(connection, name, pattern)
    raise DataError(
        "expected a .csv, .tsv, .parquet, .duckdb or .db file (.csv and .tsv also as .gz), or"
        f" postgresql://host/name; got {name}"
    )


def _database(connection: Any, name: str, table: str | None, query: str | None) -> Any:
    if query is not None:
        return _query_result(connection, name, query)
    literal = name.replace("'", "''")
    connection.execute(f"attach '{literal}' as log (read_only)")
    rows = connection.execute(
        "select table_schema, table_name, table_type from information_schema.tables where"
        " table_catalog = 'log' order by all"
    ).fetchall()
    types = {(schema, table_name): table_type for schema, table_name, table_type in rows}
    names = []
    for schema, table_name in types:
        plain = schema == "main" and "." not in table_name
        names.append(table_name if plain else f"{schema}.{table_name}")
    listed = ", ".join(names) or "none"
    if table is None and len(names) == 1:
        table = names[0]
    if table is None:
        raise DataError(f"expected table= to name one of the tables of {name}: {listed}")
    table_schema, table_name = split_table(table)
    key = (table_schema or "main", table_name)
    if key not in types:
        raise DataError(f"expected a table {table!r} in {name}; it holds: {listed}")
    qualified = ".".join(map(quoted, key))
    if types[key] == "VIEW":  # whose query comes with the file and is not to be trusted
        return _query_result(connection, name, f"select * from {qualified}")
    return connection.query(f"select * from log.{qualified}")


SANDBOX = (
    # no other file, no network, nothing attached, copied or loaded
    "set enable_external_access = false",
    # no variable of Python
    "set python_enable_replacements = false",
    "set arrow_lossless_conversion = true",
    "set lock_configuration = true",
)
"""Settings under which a query can read only the database that it is for."""


def _query_result(connection: Any, name: str, query: str) -> Any:
    """Copy the result of one SELECT, which can read only the database file, into the engine."""
    import duckdb

    statements = [statement.type for statement in connection.extract_statements(query)]
    if statements != [duckdb.StatementType.SELECT]:
        raise ConfigError(f"expected one SELECT as the query of {name}, which is only read")
    settings = (
        "select current_setting('memory_limit'), current_setting('temp_directory'),"
        " current_setting('threads')"
    )
    ((memory, spill, threads),) = connection.execute(settings).fetchall()
    result = f"lifestage_{uuid4().hex}"
    with connect(memory, Path(spill).parents[1], threads) as reader:
        literal = name.replace("'", "''")
        for statement in (f"attach '{literal}' as log (read_only)", "use log", *SANDBOX):
            reader.execute(statement)
        connection.register("batches", reader.query(query).to_arrow_reader())
        connection.execute(f"create temp table {result} as select * from batches")
        connection.unregister("batches")
    return connection.table(result)


def replace_in_file(frame: Any, name: str, table: str) -> None:
    """Write a frame as a table of a DuckDB database file, in one transaction.

    Raises
    ------
    DataError
        If the file is not such a database, or is in use.
    """
    schema, table_name = split_table(table)
    qualified = f"{quoted(schema or 'main')}.{quoted(table_name)}"
    # The connection is closed after a failure, too.
    with readable(name, "write"), files_like(Path(name)), connect() as connection:
        literal = name.replace("'", "''")
        connection.execute(f"attach '{literal}' as target")
        connection.execute("use target")
        connection.register("batches", to_reader(frame))
        connection.execute("begin")
        connection.execute(f"create schema if not exists {quoted(schema or 'main')}")
        connection.execute(f"create or replace table {qualified} as select * from batches")
        connection.execute("commit")
