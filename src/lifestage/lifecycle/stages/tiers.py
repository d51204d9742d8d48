"""Value tiers: high, mid and budget customers, with memory between two runs where that is wanted."""

from __future__ import annotations

import math
from typing import Any

import narwhals as nw

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER
from lifestage.lifecycle.frames import Frame, collect, open_frame

__all__ = ["TIERS", "assign_tiers"]

TIERS = ("budget", "mid", "high")
"""Tiers from the lowest; a tier's rank is its place here."""

CUTS = {"cumulative": (0.80, 0.95), "percentile": (0.20, 0.50)}
ROUNDING = 1e-12


def assign_tiers(
    staged: Any,
    *,
    by: str = "ltv",
    method: str = "cumulative",
    cuts: tuple[float, float] | None = None,
    previous: str | None = None,
    margin: float = 0.0,
) -> Any:
    """Add the column ``tier``: high, mid or budget.

    Customers stand in order of *by*, the most valuable first, ties by ``customer_id``.

    - ``cumulative``: high while the customers ahead hold less than the first cut of the total, mid
      while they hold less than the second; default (.80, .95).
    - ``percentile``: the same with the share of customers ahead; default (.20, .50).
    - ``money``: high at or above the first cut, mid at or above the second; cuts must be given.

    With *previous*, membership has memory: a tier is entered at its cut and kept until the customer
    would not reach it even with the cut eased by *margin* (added to a share; a fraction taken off
    money).

    Parameters
    ----------
    staged : frame
        One row a customer; rows where *by* is null get no tier.
    by : str
        Column to judge by.
    cuts : two numbers, optional
        Rising shares, or falling amounts of money.
    previous : str, optional
        Column with the tier of the run before; null for customers who were not there.
    margin : float
        0 or more; below 1 for money.

    Returns
    -------
    frame
        In the kind that went in; a column ``tier`` that was there is replaced.

    Raises
    ------
    ConfigError
        If an option is out of range.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> base = pd.DataFrame({"customer_id": [1, 2, 3, 4], "ltv": [80.0, 12.0, 5.0, 3.0]})
    >>> assign_tiers(base)["tier"].tolist()
    ['high', 'mid', 'mid', 'budget']
    """
    high, mid = _check(method, cuts, margin)
    frame = open_frame(staged, [CUSTOMER, by] + ([previous] if previous is not None else []))
    names = [name for name in frame.collect_schema().names() if name != "tier"]
    value = nw.col(by).cast(nw.Float64).fill_nan(None)
    placed = frame.with_columns(__value=value)
    if method == "money":
        placed = placed.with_columns(__place=-nw.col("__value"))
        strict, eased = (-high, -mid), (-high * (1.0 - margin), -mid * (1.0 - margin))
        inside = [nw.col("__place") <= cut for cut in (*strict, *eased)]
    else:
        placed = _placed(placed, method)
        inside = [
            nw.col("__place") < cut - ROUNDING for cut in (high, mid, high + margin, mid + margin)
        ]
    rank = _rank(inside[0], inside[1])
    if previous is not None:
        before = _rank(
            nw.col(previous).fill_null("") == "high", nw.col(previous).fill_null("") == "mid"
        )
        placed = placed.with_columns(
            __rank=rank, __eased=_rank(inside[2], inside[3]), __before=before
        )
        kept = nw.min_horizontal("__eased", "__before")
        placed = placed.with_columns(__rank=nw.max_horizontal(nw.col("__rank"), kept))
    else:
        placed = placed.with_columns(__rank=rank)
    tier = nw.when(nw.col("__rank") == 1).then(nw.lit("mid")).otherwise(nw.lit("budget"))
    tier = nw.when(nw.col("__rank") == 2).then(nw.lit("high")).otherwise(tier)
    tiers = placed.with_columns(tier=nw.when(~nw.col("__value").is_null()).then(tier))
    columns = [
        name for name in (previous,) if name == "tier"
    ]  # the column of the run before gives way to this one
    return tiers.select(*[name for name in names if name not in columns], "tier").to_native()


def _placed(frame: Frame, method: str) -> Frame:
    """Add ``__place``: the share of value, or of customers, that stands ahead of each customer."""
    known = nw.when(nw.col("__value").is_null()).then(nw.lit(0.0)).otherwise(nw.lit(1.0))
    weight = (
        known if method == "percentile" else nw.col("__value").fill_null(0.0).clip(lower_bound=0.0)
    )
    frame = frame.with_columns(__weight=weight, __order=-nw.col("__value").fill_null(-math.inf))
    total = float(collect(frame.select(nw.col("__weight").sum()))["__weight"].iloc[0] or 0.0)
    if not total > 0.0:
        return frame.with_columns(__place=nw.lit(1.0))
    running = nw.col("__weight").cum_sum().over(order_by=["__order", CUSTOMER])
    return frame.with_columns(__running=running).with_columns(
        __place=(nw.col("__running") - nw.col("__weight")) / total
    )


def _rank(high: nw.Expr, mid: nw.Expr) -> nw.Expr:
    """2 where *high* holds, else 1 where *mid* holds, else 0."""
    lower = nw.when(mid).then(nw.lit(1)).otherwise(nw.lit(0))
    return nw.when(high).then(nw.lit(2)).otherwise(lower)


def _check(method: str, cuts: tuple[float, float] | None, margin: float) -> tuple[float, float]:
    if method not in (*CUTS, "money"):
        raise ConfigError(f"method must be one of {', '.join((*CUTS, 'money'))}; got {method!r}")
    if cuts is None and method == "money":
        raise ConfigError(
            'method="money" needs cuts: the amounts from which a customer is high and mid'
        )
    pair = CUTS[method] if cuts is None else tuple(cuts)
    if len(pair) != 2:
        raise ConfigError(f"cuts must be two numbers, for high and for mid; got {cuts!r}")
    high, mid = pair
    if method == "money" and not 0 <= mid < high < math.inf:
        raise ConfigError(f"cuts of money must fall, 0 or more; got {cuts!r}")
    if method != "money" and not 0 < high < mid <= 1:
        raise ConfigError(f"cuts must be rising shares in (0, 1]; got {cuts!r}")
    if not 0 <= margin < 1:
        raise ConfigError(f"margin must be in [0, 1); got {margin!r}")
    return float(high), float(mid)
