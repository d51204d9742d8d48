"""CSV files in which no text is a formula.

A spreadsheet would run a formula that a customer has entered as a name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["plain_text", "write_csv"]

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""Characters with which a formula begins, full-width ones too, or that come before one."""


def plain_text(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> plain_text("=1+1"), plain_text("shop-1"), plain_text(-1)
    ("'=1+1", 'shop-1', -1)
    """
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table, with :func:`plain_text` for its values and the names of its columns."""
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

    safe = table.copy(deep=False)
    for position, dtype in enumerate(table.dtypes):
        if is_numeric_dtype(dtype) or is_bool_dtype(dtype) or is_datetime64_any_dtype(dtype):
            continue
        values = table.iloc[:, position].astype(object)
        safe.isetitem(position, values.map(plain_text, na_action="ignore").array)
    safe.columns = list(map(plain_text, table.columns))
    # CRLF as in RFC 4180: Python 3.12 quotes a carriage return in a text only if lines end with one
    safe.to_csv(path, index=False, lineterminator="\r\n")
