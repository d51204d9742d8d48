"""PostgreSQL through ADBC: a query in, a table out in one transaction. Passwords come from the environment alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from lifestage.data.duck import quoted
from lifestage.data.engine import to_reader
from lifestage.errors import ConfigError, DataError

__all__ = ["is_postgres", "load_into", "replace_table"]


def is_postgres(name: str) -> bool:
    """Whether a source or a destination is the address of a PostgreSQL database."""
    return name.startswith(("postgresql://", "postgres://"))


def load_into(connection: Any, address: str, *, table: str | None, query: str | None) -> Any:
    """Copy a table, or the answer to a query, into a temporary table of a DuckDB connection; batch by batch.

    Returns
    -------
    DuckDBPyRelation

    Raises
    ------
    ConfigError
        If the address holds a password, or not exactly one of table and query is given.
    DataError
        If the database cannot be read.
    """
    if (table is None) == (query is None):
        raise ConfigError(f"expected a table or a query of {address}; got {'both' if table else 'neither'}")
    name = f"lifestage_{uuid4().hex}"
    with _connected(address) as cursor:
        cursor.execute(query if query is not None else f"select * from {_named(str(table))}")
        batches = cursor.fetch_record_batch()
        connection.register("batches", batches)
        connection.execute(f"create temp table {name} as select * from batches")
        connection.unregister("batches")
    return connection.table(name)


def replace_table(frame: Any, address: str, table: str) -> None:
    """Write a frame as a table in one transaction: the table has all of the new rows or, after a failure, the old ones.

    A table of the same columns is emptied and filled, so its grants, indexes and views stay; one of other columns is
    dropped and made anew.

    Raises
    ------
    ConfigError
        If the address holds a password.
    DataError
        If the table cannot be written.
    """
    schema, _, name = table.rpartition(".")
    staging = f"lifestage_{uuid4().hex}"
    place = f"{quoted(schema)}." if schema else ""
    with _connected(address) as cursor:
        rows = to_reader(frame)
        cursor.adbc_ingest(staging, rows, mode="create", **({"db_schema_name": schema} if schema else {}))
        new = place + quoted(staging)
        if _columns(cursor, new) == _columns(cursor, _named(table)):
            cursor.execute(f"truncate {_named(table)}")
            cursor.execute(f"insert into {_named(table)} select * from {new}")
            cursor.execute(f"drop table {new}")
        else:
            cursor.execute(f"drop table if exists {_named(table)}")
            cursor.execute(f"alter table {new} rename to {quoted(name)}")


def _columns(cursor: Any, table: str) -> list[tuple[str, str]]:
    """Names and types of the columns of a table; empty if there is none."""
    literal = table.replace("'", "''")
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        f"where attrelid = to_regclass('{literal}') and attnum > 0 and not attisdropped order by attnum"
    )
    return [(str(name), str(kind)) for name, kind in cursor.fetchall()]


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A cursor whose statements are one transaction, committed at the end."""
    parts = urlsplit(address)
    if parts.password is not None or any("password" in key.lower() for key in parse_qs(parts.query)):
        where = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        raise ConfigError(f"expected the password of {where} in PGPASSWORD or a password file, not in the address")
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise ConfigError("expected the extra for PostgreSQL: pip install 'lifestage[postgres]'") from error
    try:
        with dbapi.connect(address) as database, database.cursor() as cursor:
            yield cursor
            database.commit()
    except Error as error:
        raise DataError(f"could not use {address}: {str(error).strip().splitlines()[0]}") from error


def _named(table: str) -> str:
    """A table name, perhaps with its schema, as SQL takes it."""
    return ".".join(map(quoted, table.split(".", 1)))
