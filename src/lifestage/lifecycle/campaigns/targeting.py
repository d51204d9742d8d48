"""Whom to contact: break-even uplift, largest discount, and the allocation of a budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER, FREQUENCY
from lifestage.data.engines.frames import lazy, native, to_pandas, upload
from lifestage.lifecycle.frames import open_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats

__all__ = ["allocate_budget", "break_even"]

ROUNDING = 1e-12
"""Share of a budget by which a sum of costs may pass it through rounding errors."""


def break_even(
    staged: Any, cost: float | Mapping[str, float], *, uplift: float | None = None
) -> Any:
    r"""Add the uplift at which a contact pays for itself, and the largest discount it can carry.

    Only customers who would not buy anyway can be won back. If a contact wins a share u of them,
    its expected gain is :math:`u\,(1 - p_\text{purchase})\,\text{LTV}_\text{fresh}`, with the LTV
    just after a purchase, :math:`\text{LTV}_\text{fresh}` = ``ltv`` + ``value_lost`` (discounted
    margin). At the cost c it breaks even at

    .. math:: u = \frac{c}{(1 - p_\text{purchase})\,\text{LTV}_\text{fresh}};

    above 1 it cannot pay. A discount d on the next purchase also goes to those who would buy
    anyway. It pays while

    .. math:: d \le \frac{u\,(1-p)\,\text{LTV}_\text{fresh} - c}{(p + u\,(1-p))\,E[\text{spend}]}.

    Parameters
    ----------
    staged : frame
        One row per customer with ``p_purchase``, ``ltv``, ``value_lost``, ``expected_spend`` and,
        for costs by stage, ``activity_stage``.
    cost : float, or mapping of activity stage to float
        Of one contact, money.
    uplift : float, optional
        The share u of the customers who would not buy that an action is *assumed* to win, in
        (0, 1]. Only an experiment can measure it: see :func:`randomize`.

    Returns
    -------
    frame
        The buyers of *staged* with ``contact_cost`` (money), ``break_even_uplift`` and, with
        *uplift*, ``largest_discount`` (share of the price, 0 to 1), in the kind that went in.

    Raises
    ------
    ConfigError
        If a cost or the uplift is out of range.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame({"customer_id": [1], "frequency": [3], "p_purchase": [0.4]})
    >>> one = one.assign(ltv=30.0, value_lost=20.0, expected_spend=40.0)
    >>> result = break_even(one, 1.5, uplift=0.1)
    >>> result[["break_even_uplift", "largest_discount"]].round(3).values.tolist()
    [[0.05, 0.082]]
    """
    frame, kind = _priced(staged, cost)
    if uplift is not None and not 0 < uplift <= 1:
        raise ConfigError(f"uplift must be a share in (0, 1]; got {uplift!r}")
    p, price = nw.col("p_purchase"), nw.col("contact_cost")
    winnable = (1.0 - p) * (nw.col("ltv") + nw.col("value_lost"))
    columns = {"break_even_uplift": nw.when(winnable > 0).then(price / winnable)}
    if uplift is not None:
        discounted = (p + uplift * (1.0 - p)) * nw.col("expected_spend")
        discount = nw.when(discounted > 0).then((uplift * winnable - price) / discounted)
        columns["largest_discount"] = discount.clip(0.0, 1.0)
    return native(frame.with_columns(**columns), kind)


def allocate_budget(
    staged: Any,
    budget: float,
    cost: float | Mapping[str, float],
    uplift: float | Mapping[str, float],
) -> Any:
    r"""Choose whom to contact under a budget, by expected net gain per money spent.

    The gain of a contact is :math:`u\,(1 - p_\text{purchase})\,\text{LTV}_\text{fresh} - c`, see
    :func:`break_even`. Customers are taken in order of gain ÷ cost, ties by customer, while the
    budget lasts and the gain is above 0. With one cost for all this choice is optimal; with several
    it is nearly so.

    Parameters
    ----------
    staged : frame
        One row per customer, with the columns that :func:`break_even` needs.
    budget : float
        Money, 0 or more.
    cost : float, or mapping of activity stage to float
        Of one contact, money.
    uplift : float, or mapping of activity stage to float
        The share of those who would not buy that a contact is *assumed* to win, in [0, 1]. Stages
        that a mapping leaves out are not contacted.

    Returns
    -------
    frame
        The chosen customers, best first: ``customer_id``, ``activity_stage`` if there,
        ``contact_cost``, ``assumed_uplift``, ``expected_gain`` (net), ``spent`` and ``gained``
        (running totals, money), in the kind that went in.

    Raises
    ------
    ConfigError
        If the budget, a cost or an uplift is out of range.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> base = pd.DataFrame({"customer_id": [1, 2, 3], "frequency": [3, 1, 0]})
    >>> base = base.assign(p_purchase=[0.4, 0.5, 0.2], ltv=[30.0, 5.0, 1.0], expected_spend=9.0)
    >>> base = base.assign(value_lost=[20.0, 1.0, 1.0])
    >>> chosen = allocate_budget(base, 3.0, cost=1.0, uplift=0.5)
    >>> chosen[["customer_id", "spent", "gained"]].values.tolist()
    [[1.0, 1.0, 14.0], [2.0, 2.0, 14.5]]
    """
    if not (math.isfinite(budget) and budget >= 0):
        raise ConfigError(f"budget must be an amount of 0 or more; got {budget!r}")
    frame, _ = _priced(staged, cost)
    shares = uplift.values() if isinstance(uplift, Mapping) else [uplift]
    if any(not 0 <= share <= 1 for share in shares):
        raise ConfigError(f"uplift must be a share in [0, 1]; got {uplift!r}")
    price = nw.col("contact_cost")
    frame = frame.with_columns(assumed_uplift=_by_stage(uplift))
    fresh = nw.col("ltv") + nw.col("value_lost")
    won = nw.col("assumed_uplift") * (1.0 - nw.col("p_purchase")) * fresh
    frame = frame.with_columns(expected_gain=won - price).filter(nw.col("expected_gain") > 0)
    stage = [name for name in ("activity_stage",) if name in frame.collect_schema().names()]
    rate = nw.when(price > 0).then(nw.col("expected_gain") / price).otherwise(nw.lit(math.inf))
    frame = frame.select(
        CUSTOMER, *stage, "contact_cost", "assumed_uplift", "expected_gain", _rate=rate
    )
    ordered = frame.sort("_rate", CUSTOMER, descending=[True, False])
    prices = set(cost.values()) if isinstance(cost, Mapping) else {cost}
    if len(prices) == 1 and min(prices) > 0:
        # With one price the engine need not bring more customers than the budget pays for.
        ordered = ordered.head(int(budget / min(prices)) + 1)
    table = to_pandas(ordered).drop(columns="_rate").reset_index(drop=True)
    table = table[_affordable(table["contact_cost"].to_numpy(float), budget)].reset_index(drop=True)
    table["spent"] = table["contact_cost"].cumsum()
    table["gained"] = table["expected_gain"].cumsum()
    return upload(table, like=staged)


def _affordable(prices: Floats, budget: float) -> NDArray[np.bool_]:
    """Which contacts the budget pays for, one after another; one that is too dear is skipped."""
    left = budget * (1 + ROUNDING)
    if not prices.size or np.all(prices == prices[0]):
        return np.asarray(np.cumsum(prices) <= left)
    taken = np.zeros(prices.size, bool)
    for i, price in enumerate(prices.tolist()):
        if price <= left:
            taken[i] = True
            left -= price
    return taken


def _priced(staged: Any, cost: float | Mapping[str, float]) -> tuple[nw.LazyFrame[Any], str]:
    """Buyers with the cost of a contact."""
    prices = cost.values() if isinstance(cost, Mapping) else [cost]
    if any(not (math.isfinite(price) and price >= 0) for price in prices):
        raise ConfigError(f"cost must be an amount of 0 or more; got {cost!r}")
    needed = [CUSTOMER, FREQUENCY, "p_purchase", "ltv", "value_lost", "expected_spend"]
    needed += ["activity_stage"] if isinstance(cost, Mapping) else []
    table, kind = lazy(open_frame(staged, needed).to_native())
    buyers = table.filter(~nw.col(FREQUENCY).is_null())
    return buyers.with_columns(contact_cost=_by_stage(cost)), kind


def _by_stage(value: float | Mapping[str, float]) -> nw.Expr:
    """One value for all, or that of a customer's stage; missing for stages that have none."""
    if not isinstance(value, Mapping):
        return nw.lit(float(value))
    result: nw.Expr = nw.lit(None, nw.Float64)
    for stage, number in value.items():
        inside = nw.col("activity_stage") == stage
        result = nw.when(inside).then(nw.lit(float(number))).otherwise(result)
    return result
