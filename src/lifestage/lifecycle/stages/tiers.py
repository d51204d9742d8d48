"""Value tiers: high, mid and budget customers, with hysteresis between two runs."""

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

DEFAULT_CUTS = {"cumulative": (0.80, 0.95), "percentile": (0.20, 0.50)}
ROUNDING = 1e-12
"""A share this close below a cut is taken to be at it: running sums differ in the last digits."""


def assign_tiers(
    staged: Any,
    *,
    by: str = "ltv",
    method: str = "cumulative",
    cuts: tuple[float, float] | None = None,
    previous: str | None = None,
    margin: float = 0.0,
) -> Any:
    """Add the value tier of each customer: high, mid or budget.

    Customers are ranked by *by*, the most valuable first, ties by ``customer_id``.

    - ``"cumulative"``: high while the customers ranked before hold less than the first cut of the
      total, mid while they hold less than the second; default (.80, .95).
    - ``"percentile"``: the same with the share of customers ranked before; default (.20, .50).
    - ``"money"``: high at or above the first cut, mid at or above the second; cuts must be given.

    With *previous*, tiers have hysteresis: a tier is entered at its cut and kept until the customer
    would not reach it even with the cut eased by *margin* (added to a share; a fraction taken off
    money).

    Parameters
    ----------
    staged : frame
        One row per customer; rows where *by* is null get no tier.
    by : str
        Column to rank by.
    method : {"cumulative", "percentile", "money"}
        What the cuts refer to.
    cuts : two numbers, optional
        Rising shares in (0, 1], or falling amounts of money.
    previous : str, optional
        Column with the tier of the previous run; null for new customers.
    margin : float
        How far a cut is eased for customers who were above it, in [0, 1).

    Returns
    -------
    frame
        *staged* with the column ``tier`` (``"high"``, ``"mid"``, ``"budget"``), in the kind that
        went in. A column ``tier`` that was there is replaced.

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
    needed = [CUSTOMER, by] if previous is None else [CUSTOMER, by, previous]
    frame = open_frame(staged, needed)
    # A column ``tier`` of the previous run gives way to the new one.
    names = [name for name in frame.collect_schema().names() if name != "tier"]
    ranked = frame.with_columns(_value=nw.col(by).cast(nw.Float64).fill_nan(None))
    if method == "money":
        ranked = ranked.with_columns(_place=-nw.col("_value"))
        cuts_of_place = (-high, -mid, -high * (1.0 - margin), -mid * (1.0 - margin))
        inside = [nw.col("_place") <= cut for cut in cuts_of_place]
    else:
        ranked = _ranked(ranked, method)
        cuts_of_place = (high, mid, high + margin, mid + margin)
        inside = [nw.col("_place") < cut - ROUNDING for cut in cuts_of_place]
    ranked = ranked.with_columns(_rank=_rank(inside[0], inside[1]))
    if previous is not None:
        before = nw.col(previous).fill_null("")
        ranked = ranked.with_columns(
            _eased=_rank(inside[2], inside[3]),
            _before=_rank(before == "high", before == "mid"),
        )
        kept = nw.min_horizontal("_eased", "_before")
        ranked = ranked.with_columns(_rank=nw.max_horizontal(nw.col("_rank"), kept))
    tier = nw.when(nw.col("_rank") == 1).then(nw.lit("mid")).otherwise(nw.lit("budget"))
    tier = nw.when(nw.col("_rank") == 2).then(nw.lit("high")).otherwise(tier)
    tiers = ranked.with_columns(tier=nw.when(~nw.col("_value").is_null()).then(tier))
    return tiers.select(*names, "tier").to_native()


def _ranked(frame: Frame, method: str) -> Frame:
    """Add ``_place``: the share of value, or of customers, that is ranked before each customer."""
    weight = nw.col("_value").fill_null(0.0).clip(lower_bound=0.0)
    if method == "percentile":
        weight = nw.when(nw.col("_value").is_null()).then(nw.lit(0.0)).otherwise(nw.lit(1.0))
    frame = frame.with_columns(_weight=weight, _order=-nw.col("_value").fill_null(-math.inf))
    total = float(collect(frame.select(nw.col("_weight").sum()))["_weight"].iloc[0] or 0.0)
    if not total > 0.0:
        return frame.with_columns(_place=nw.lit(1.0))
    running = nw.col("_weight").cum_sum().over(order_by=["_order", CUSTOMER])
    return frame.with_columns(_running=running).with_columns(
        _place=(nw.col("_running") - nw.col("_weight")) / total
    )


def _rank(high: nw.Expr, mid: nw.Expr) -> nw.Expr:
    """2 where *high* holds, else 1 where *mid* holds, else 0."""
    lower = nw.when(mid).then(nw.lit(1)).otherwise(nw.lit(0))
    return nw.when(high).then(nw.lit(2)).otherwise(lower)


def _check(method: str, cuts: tuple[float, float] | None, margin: float) -> tuple[float, float]:
    if method not in (*DEFAULT_CUTS, "money"):
        raise ConfigError(
            f"method must be one of {', '.join((*DEFAULT_CUTS, 'money'))}; got {method!r}"
        )
    if cuts is None and method == "money":
        raise ConfigError(
            'method="money" needs cuts: the amounts from which a customer is high and mid'
        )
    pair = DEFAULT_CUTS[method] if cuts is None else tuple(cuts)
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
