"""An order log as what its engine works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.data.engines import duckdb as duck
from lifestage.data.engines import local
from lifestage.data.engines.frames import engine_of, lazy

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["relation"]


def relation(source: Any, roles: Mapping[str, int]) -> tuple[Any, str]:
    """Return a log as a frame of its engine, and the kind of frame that it was.

    The engine of a frame in this process is DuckDB.

    Parameters
    ----------
    source : frame, as :func:`lifestage.data.engines.local.opened` gives it
    roles : mapping
        Role → position of its column. Of a frame in this process the engine gets only these
        columns, under their names, and one that stands for the rest; see
        :mod:`lifestage.data.engines.local`.

    Raises
    ------
    DataError
        If it is not a table that can be read.
    """
    if engine_of(source) is not None:
        return source, lazy(source)[1]
    import pyarrow as pa

    names = local.names(source)
    columns: dict[str, Any] = {}
    for role, position in roles.items():  # of a column with two roles, the first counts
        name = str(names[position])
        if name not in columns:
            columns[name] = local.exact_column(source, position, role)
    table = pa.table(columns)
    connection = duck.connect()
    with duck.readable():
        rel = connection.from_arrow(table)
        if len(columns) < len(names):
            numbered = table.append_column("row", pa.array(np.arange(len(table))))
            rows = duck.repeated(connection.from_arrow(numbered))
            if rows.size:
                rest = local.hash_of_rest(source, set(roles.values()), rows)
                rel = connection.from_arrow(table.append_column(local.REST, pa.array(rest)))
    return rel, type(source).__module__.split(".")[0]
