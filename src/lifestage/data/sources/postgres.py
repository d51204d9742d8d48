"""PostgreSQL through ADBC: read a query, and write a table in one transaction.

Passwords come only from the environment or a password file.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lifestage.core.addresses import address_of, split_table
from lifestage.core.errors import ConfigError, DataError
from lifestage.data.engines.duckdb import quoted
from lifestage.data.engines.frames import to_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["load_into", "replace_table"]

MAX_NAME_BYTES = 63
"""Longest name of a table or schema; the server cuts off the rest."""


def load_into(connection: Any, address: str, *, table: str | None, query: str | None) -> Any:
    """Copy a table, or the result of a query, into a temporary table of a DuckDB connection.

    Rows are copied batch by batch. The transaction is read-only, and the server itself refuses
    anything but one SELECT that changes nothing, because a cursor can be declared for nothing else.

    Returns
    -------
    DuckDBPyRelation

    Raises
    ------
    ConfigError
        If the address holds a password, not exactly one of table and query is given, or a name is
        invalid.
    DataError
        If the database cannot be read, or the query is not one SELECT.
    """
    if (table is None) == (query is None):
        raise ConfigError(
            f"expected a table or a query of {address}; got {'both' if table else 'neither'}"
        )
    name = f"lifestage_{uuid4().hex}"
    with _transaction(address) as cursor:
        cursor.execute("set transaction read only")
        if query is None:
            query = f"select * from {_qualified(*split_table(str(table)))}"
        else:
            query = query.rstrip().removesuffix(";") + "\n"  # a new line ends a comment
            cursor.execute(f"declare {name} no scroll cursor for {query}")
        cursor.execute(query)
        batches = cursor.fetch_record_batch()
        connection.register("batches", batches)
        connection.execute(f"create temp table {name} as select * from batches")
        connection.unregister("batches")
    return connection.table(name)


def replace_table(frame: Any, address: str, table: str) -> None:
    """Write a frame as a table in one transaction.

    After a failure the table keeps its old rows. A table with the same columns is emptied and
    filled, so its grants, indexes and views stay; one with other columns is dropped and created
    again.

    Raises
    ------
    ConfigError
        If the address holds a password, or the name of the table is invalid or too long for the
        server.
    DataError
        If the table cannot be written.
    """
    schema, name = split_table(table)
    staging = f"lifestage_{uuid4().hex}"
    old, new = _qualified(schema, name), _qualified(schema, staging)
    options = {"db_schema_name": schema} if schema else {}
    with _transaction(address) as cursor:
        cursor.adbc_ingest(staging, to_reader(frame), mode="create", **options)
        if _columns(cursor, new) == _columns(cursor, old):
            cursor.execute(f"truncate {old}")
            cursor.execute(f"insert into {old} select * from {new}")
            cursor.execute(f"drop table {new}")
        else:
            cursor.execute(f"drop table if exists {old}")
            cursor.execute(f"alter table {new} rename to {quoted(name)}")


def _columns(cursor: Any, table: str) -> list[tuple[str, str]]:
    """Names and types of the columns of a table; empty if there is none."""
    literal = table.replace("'", "''")
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid ="
        f" to_regclass('{literal}') and attnum > 0 and not attisdropped order by attnum"
    )
    return [(str(name), str(kind)) for name, kind in cursor.fetchall()]


@contextmanager
def _transaction(address: str) -> Iterator[Any]:
    """A cursor whose statements are one transaction, committed at the end."""
    address_of(address)
    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise ConfigError(
            "expected the extra for PostgreSQL: pip install 'lifestage[postgres]'"
        ) from error
    try:
        with dbapi.connect(address) as database, database.cursor() as cursor:
            yield cursor
            database.commit()
    except Error as error:
        raise DataError(f"could not use {address}: {str(error).strip().splitlines()[0]}") from error


def _qualified(schema: str | None, table: str) -> str:
    """A table name, with its schema if there is one, quoted for SQL."""
    parts = [part for part in (schema, table) if part is not None]
    for part in parts:
        if (size := len(part.encode())) > MAX_NAME_BYTES:
            raise ConfigError(
                f"expected names of up to {MAX_NAME_BYTES} bytes in PostgreSQL; {part!r} has {size}"
            )
    return ".".join(map(quoted, parts))
