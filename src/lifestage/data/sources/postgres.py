"""PostgreSQL through ADBC: a query in, a table out in one transaction. Passwords come from the environment alone."""

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

LONGEST_NAME = 63
"""Bytes of a name; the server cuts off what is beyond them."""


def load_into(connection: Any, address: str, *, table: str | None, query: str | None) -> Any:
    """Copy a table, or the answer to a query, into a temporary table of a DuckDB connection; batch by batch.

    The transaction is read-only, and the server itself refuses all but one SELECT that changes
    nothing, for no cursor can be declared for anything else.

    Returns
    -------
    DuckDBPyRelation

    Raises
    ------
    ConfigError
        If the address holds a password, not exactly one of table and query is given, or a name is
        none.
    DataError
        If the database cannot be read, or the query is not one SELECT.
    """
    if (table is None) == (query is None):
        raise ConfigError(
            f"expected a table or a query of {address}; got {'both' if table else 'neither'}"
        )
    name = f"lifestage_{uuid4().hex}"
    with _connected(address) as cursor:
        cursor.execute("set transaction read only")
        if query is None:
            query = f"select * from {_named(*split_table(str(table)))}"
        else:
            query = query.rstrip().removesuffix(";") + "\n"  # which ends a comment
            cursor.execute(f"declare {name} no scroll cursor for {query}")
        cursor.execute(query)
        batches = cursor.fetch_record_batch()
        connection.register("batches", batches)
        connection.execute(f"create temp table {name} as select * from batches")
        connection.unregister("batches")
    return connection.table(name)


def replace_table(frame: Any, address: str, table: str) -> None:
    """Write a frame as a table in one transaction: the table has all of the new rows or, after a failure, the old ones.

    A table of the same columns is emptied and filled, so its grants, indexes and views stay; one of
    other columns is dropped and made anew.

    Raises
    ------
    ConfigError
        If the address holds a password, or the name of the table is none, or too long for the
        server.
    DataError
        If the table cannot be written.
    """
    schema, name = split_table(table)
    staging = f"lifestage_{uuid4().hex}"
    old, new = _named(schema, name), _named(schema, staging)
    with _connected(address) as cursor:
        rows = to_reader(frame)
        cursor.adbc_ingest(
            staging, rows, mode="create", **({"db_schema_name": schema} if schema else {})
        )
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
def _connected(address: str) -> Iterator[Any]:
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


def _named(schema: str | None, table: str) -> str:
    """A table name, perhaps with its schema, as SQL takes it."""
    parts = [part for part in (schema, table) if part is not None]
    for part in parts:
        if (size := len(part.encode())) > LONGEST_NAME:
            raise ConfigError(
                f"expected names of up to {LONGEST_NAME} bytes in PostgreSQL; {part!r} has {size}"
            )
    return ".".join(map(quoted, parts))
