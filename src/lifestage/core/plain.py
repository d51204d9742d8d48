"""Records, frames and numpy numbers as what JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["plain", "records"]


def plain(value: Any) -> Any:
    """Make *value* of text, numbers, booleans, None, lists and dicts; NaN and infinity become None.

    Examples
    --------
    >>> import numpy as np
    >>> plain({1: np.float64("nan"), "b": (np.int64(2), True)})
    {'1': None, 'b': [2, True]}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10] if value == value else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def records(table: Any) -> list[dict[str, Any]]:
    """Rows of a small pandas table as dicts of plain values; empty for None."""
    return [] if table is None else [dict(plain(row)) for row in table.to_dict("records")]
