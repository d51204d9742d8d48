"""CSV files in which no text is a formula: a spreadsheet would run what a customer has written as a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["plain_text", "write_csv"]

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""Beginnings that a spreadsheet takes for a formula, full-width ones too, or skips to find one."""


def plain_text(value: Any) -> Any:
    """A value for a CSV file: text that a spreadsheet would take for a formula gets an apostrophe before it.

    Examples
    --------
    >>> plain_text("=1+1"), plain_text("shop-1"), plain_text(-1)
    ("'=1+1", 'shop-1', -1)
    """
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table, its columns' names too, with :func:`plain_text`."""
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

    safe = table.copy(deep=False)
    for number, dtype in enumerate(table.dtypes):
        if not (is_numeric_dtype(dtype) or is_bool_dtype(dtype) or is_datetime64_any_dtype(dtype)):
            safe.isetitem(
                number,
                table.iloc[:, number].astype(object).map(plain_text, na_action="ignore").array,
            )
    safe.columns = [plain_text(name) for name in table.columns]
    # CRLF as in RFC 4180: Python 3.12 quotes a carriage return in a text only if lines end with one
    safe.to_csv(path, index=False, lineterminator="\r\n")
