"""The columns of a scores table, from those of a customer and of the history, in any engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import DataError
from lifestage.core.names import (
    FREQUENCY,
    HIGH_VALUE_CUT,
    LAST_DAY,
    MEDIAN_GAP,
    MONETARY,
    NEXT_PURCHASE,
    RECENCY,
    T,
)
from lifestage.core.output_columns import columns_of
from lifestage.fitting.stage_facts import check_share
from lifestage.prediction.spend import require_money

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lifestage.core.terms import Terms
    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.fitted import FittedModel

__all__ = [
    "NEXT_WAITS",
    "SCORES",
    "check_columns",
    "constant_columns",
    "score_columns",
    "wait_columns",
]


NEXT_WAITS = tuple(f"{name}_days" for name in NEXT_PURCHASE)
"""The columns in place of dates where no last day of observation is known: days from that day."""

SCORES = frozenset(column.name for column in columns_of("predict"))
"""Every column that a scores table can have; a table that is scored again loses those it had."""

OF_A_PREDICTION = frozenset({"p_alive", "horizon_days", "stage_window_days"})
"""Columns by which a scores table is known as one."""

SECONDS_PER_DAY = 86_400.0


def score_columns(
    columns: Mapping[str, Any],
    model: FittedModel,
    margin: Any,
    customers: Summary,
    either: Callable[..., Any],
) -> dict[str, Any]:
    """Compute the columns of a scores table, in order, from those of a customer and of the history.

    Parameters
    ----------
    columns : mapping
        Expressions of an engine, or arrays.
    margin : float, expression or array
    either : callable
        (condition, value, other) → value where the condition holds, else the other; None is a
        missing value.
    """
    days = model.period.days
    x, silent = columns[FREQUENCY], (columns[T] - columns[RECENCY]) * days
    out = {"days_silent": silent, "mean_gap_days": either(x > 0, columns[RECENCY] * days / x, None)}
    first = ("p_alive", "p_purchase", "expected_purchases", "purchases_low", "purchases_high")
    out |= {name: columns[name] for name in first}
    middle = ("activity_ratio", "p_window", "p_window_fresh")
    until = (*NEXT_PURCHASE, LAST_DAY) if customers.until is not None else NEXT_WAITS
    if model.spend is None:
        return out | {name: columns[name] for name in (*middle, *until)}
    m = columns[MONETARY]
    scale = (model.spend.estimate["v"] + x * m) * columns["_discount"] * margin
    lost = columns["_lost_0"] + columns["_lost_1"] * m
    out |= {
        "expected_spend": columns["_spend_0"] + columns["_spend_1"] * m,
        "ltv": (columns["_ltv_0"] + columns["_ltv_1"] * m) * margin,
        "ltv_low": scale * columns["_factor_low"],
        "ltv_high": scale * columns["_factor_high"],
    }
    out |= {name: columns[name] for name in middle}
    out["value_lost"] = either(lost > 0, lost * margin, 0.0)
    return out | {name: columns[name] for name in until}


def check_columns(model: FittedModel, names: Sequence[str]) -> None:
    """Refuse customers without the columns of a model, or with own columns named like scores.

    Raises
    ------
    DataError
        If money is missing, or such columns stand in a table that is no earlier prediction.
    """
    require_money(model, names)
    taken = [name for name in names if name in SCORES]
    if taken and not set(taken) >= OF_A_PREDICTION:
        raise DataError(
            f"expected customers without the columns {', '.join(taken)}, which a prediction adds:"
            " drop or rename them"
        )


def constant_columns(model: FittedModel, terms: Terms, high_value: float) -> dict[str, float]:
    """Columns that are the same in every row: the terms of the prediction, NaN where not known."""
    check_share(high_value)
    facts = model.stage_facts
    gap = None if facts is None else facts.median_gap_days
    return {
        "horizon_days": float(terms.horizon * model.period.days),
        "stage_window_days": float(model.data.stage_window),
        HIGH_VALUE_CUT: np.nan if facts is None else facts.high_value_cut(high_value),
        MEDIAN_GAP: np.nan if gap is None else gap,
        "level": float(terms.level),
        "discount_rate": float(terms.discount_rate),
        "margin": float(terms.margin),
    }


def wait_columns(waits: Mapping[str, Floats], customers: Summary) -> dict[str, Any]:
    """When the next purchase is made: dates and the day they count from, or days."""
    if customers.until is None:
        return {f"{name}_days": waits[name] * customers.period.days for name in NEXT_PURCHASE}
    dates = {name: _dates(waits[name], customers) for name in NEXT_PURCHASE}
    return dates | {
        LAST_DAY: np.full(len(waits[NEXT_PURCHASE[0]]), np.datetime64(customers.until, "s"))
    }


def _dates(wait: Floats, customers: Summary) -> NDArray[np.datetime64]:
    """Dates of waits (periods) from the last day of the data: the day after it at the earliest."""
    seconds = np.maximum(1.0, np.ceil(wait * customers.period.days)) * SECONDS_PER_DAY
    seconds += np.datetime64(customers.until, "s").astype(float)
    return seconds.astype(np.int64).view("datetime64[s]")
