"""The columns of a scores table, from those of a customer and of the distinct history: arithmetic in any engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lifestage.stage_facts import check_share
from lifestage.tables import FREQUENCY, HIGH_VALUE_CUT, MEDIAN_GAP, MONETARY, RECENCY, Summary, T
from lifestage.value import Terms

if TYPE_CHECKING:
    from lifestage.model import LTVModel

__all__ = ["NEXT_PURCHASE", "constant_columns", "purchase_dates", "score_columns"]

NEXT_PURCHASE = ("next_purchase_p25", "next_purchase_p50", "next_purchase_p75")

DAY = 86_400.0
"""Seconds."""


def score_columns(
    columns: Mapping[str, Any], model: LTVModel, terms: Terms, customers: Summary, either: Callable[..., Any]
) -> dict[str, Any]:
    """Columns of a scores table from those of a customer and of the distinct history, in order; money among them.

    Parameters
    ----------
    columns : mapping
        Expressions of an engine, or arrays.
    either : callable
        (condition, value, other) → value where the condition holds, else the other; None is a missing value.
    """
    days = model.period.days
    x, silent = columns[FREQUENCY], (columns[T] - columns[RECENCY]) * days
    out = {"days_silent": silent, "mean_gap_days": either(x > 0, columns[RECENCY] * days / x, None)}
    first = ("p_alive", "p_purchase", "expected_purchases", "purchases_low", "purchases_high")
    out |= {name: columns[name] for name in first}
    middle = ("retained", "p_window", "p_window_fresh")
    until = NEXT_PURCHASE if customers.until is not None else ()
    if model.spend is None:
        return out | {name: columns[name] for name in (*middle, *until)}
    m = columns[MONETARY]
    scale = (model.spend.estimate["v"] + x * m) * columns["_discount"] * terms.margin
    lost = columns["_lost_0"] + columns["_lost_1"] * m
    out |= {
        "expected_spend": columns["_spend_0"] + columns["_spend_1"] * m,
        "ltv": (columns["_ltv_0"] + columns["_ltv_1"] * m) * terms.margin,
        "ltv_low": scale * columns["_factor_low"],
        "ltv_high": scale * columns["_factor_high"],
    }
    out |= {name: columns[name] for name in middle}
    out["value_lost"] = either(lost > 0, lost * terms.margin, 0.0)
    return out | {name: columns[name] for name in until}


def constant_columns(model: LTVModel, terms: Terms, high_value: float) -> dict[str, float]:
    """The terms under which every row holds; NaN for what the model does not know."""
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


def purchase_dates(wait: NDArray[np.float64], customers: Summary) -> NDArray[np.datetime64]:
    """Dates of waits (periods) from the last day of the data: the day after it at the earliest."""
    seconds = np.maximum(1.0, np.ceil(wait * customers.period.days)) * DAY
    seconds += np.datetime64(customers.until, "s").astype(float)
    return seconds.astype(np.int64).view("datetime64[s]")
