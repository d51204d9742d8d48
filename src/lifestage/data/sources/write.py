"""Write a table to a file or a database, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lifestage.core.addresses import address_of
from lifestage.core.errors import ConfigError
from lifestage.core.files import staging_file
from lifestage.data.engines.frames import to_pandas, write_parquet
from lifestage.data.sources.files import DATABASES, replace_in_file
from lifestage.data.sources.plain_csv import write_csv
from lifestage.data.sources.postgres import replace_table

__all__ = ["check_target", "write_table"]


def check_target(to: str | os.PathLike[str]) -> Any:
    """Refuse a target that :func:`write_table` cannot write to.

    Returns
    -------
    str or None
        The address, if the target is a database server.

    Raises
    ------
    ConfigError
        If the suffix is not one of the formats, or an address holds a password.

    Examples
    --------
    >>> check_target("a.xlsx")
    Traceback (most recent call last):
        ...
    lifestage.core.errors.ConfigError: expected a .parquet, .csv, .duckdb or .db file ...
    """
    address, target = address_of(to), os.fspath(to)
    if address is None and not target.lower().endswith((".parquet", ".pq", ".csv", *DATABASES)):
        raise ConfigError(
            "expected a .parquet, .csv, .duckdb or .db file or postgresql://host/name; got"
            f" {Path(target).name}"
        )
    return address


def write_table(table: Any, to: str | os.PathLike[str], name: str = "customers") -> None:
    """Write a table, whole or not at all: a failure leaves the old table or file as it was.

    Parameters
    ----------
    table : frame
    to : path or address
        A ``.parquet`` or ``.csv`` file (in a .csv, text that a spreadsheet would take for a formula
        gets an apostrophe before it); a ``.duckdb`` or ``.db`` database file; or
        ``postgresql://host/name``, whose user and password come from the environment (``PGUSER``,
        ``PGPASSWORD``) or a password file. A new file can be read only by its owner; a file that
        replaces another one keeps its permissions.
    name : str
        Table of the database, as ``table`` or ``schema.table``. An existing table is replaced; in
        PostgreSQL one with the same columns is refilled, so that its grants, indexes and views
        stay.

    Raises
    ------
    DataError
        If the database cannot be written.
    ConfigError
        If an address holds a password, a name is too long for PostgreSQL, or the suffix of a file
        is not one of the formats.

    Examples
    --------
    >>> import lifestage as ls, pandas as pd, tempfile, pathlib
    >>> shop = pathlib.Path(tempfile.mkdtemp()) / "shop.duckdb"
    >>> ls.write_table(pd.DataFrame({"customer_id": [1, 2]}), shop, "staged")
    >>> ls.read_orders(shop, table="staged").fetchall()
    [(1,), (2,)]
    """
    address, target = check_target(to), os.fspath(to)
    if address is not None:
        replace_table(table, address, name)
    elif target.lower().endswith(DATABASES):
        replace_in_file(table, target, name)
    else:
        with staging_file(Path(target), private=True) as staging:
            if target.lower().endswith(".csv"):
                write_csv(to_pandas(table), staging)
            else:
                write_parquet(table, staging)
