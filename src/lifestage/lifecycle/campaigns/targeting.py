"""Whom a contact pays for: the uplift that breaks even, the largest discount, a budget spent where it gains most."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER, FREQUENCY
from lifestage.data.engines.frames import lazy, native, to_pandas, upload
from lifestage.lifecycle.frames import open_frame

__all__ = ["allocate_budget", "break_even"]


def break_even(
    staged: Any, cost: float | Mapping[str, float], *, uplift: float | None = None
) -> Any:
    r"""Add what a contact must achieve to pay for itself, and the largest discount that can be justified.

    Only customers who would not buy anyway can be won: a share u of them is worth :math:`u\,(1 -
    p_\text{purchase})\,\text{LTV}_\text{fresh}`, with LTV just after a purchase = ``ltv`` +
    ``value_lost`` (discounted margin). So ``break_even_uplift`` :math:`= c / ((1 -
    p)\,\text{LTV}_\text{fresh})`; above 1 the contact cannot pay. A discount d on the next purchase
    also goes to those who would buy anyway: it pays while :math:`d \le (u (1-p)
    \text{LTV}_\text{fresh} - c) / ((p + u(1-p))\,E[\text{spend}])`.

    Parameters
    ----------
    staged : frame
        With ``p_purchase``, ``ltv``, ``value_lost``, ``expected_spend`` and, for costs by stage,
        ``activity_stage``.
    cost : float, or mapping of stage of the line to float
        Of one contact, money.
    uplift : float, optional
        The share of the customers who would not buy that an action is ASSUMED to win; only a test
        can tell.

    Returns
    -------
    frame
        *staged* with ``contact_cost``, ``break_even_uplift`` and, with *uplift*,
        ``largest_discount`` (share of the price, 0 to 1), in the kind that went in.

    Raises
    ------
    ConfigError
        If a cost or the uplift is out of range.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame({"customer_id": [1], "frequency": [3], "p_purchase": [0.4], "ltv": [30.0],
    ...                     "value_lost": [20.0], "expected_spend": [40.0]})
    >>> break_even(one, 1.5, uplift=0.1)[["break_even_uplift", "largest_discount"]].round(3).values.tolist()
    [[0.05, 0.082]]
    """
    frame, kind = _valued(staged, cost)
    if uplift is not None and not 0 < uplift <= 1:
        raise ConfigError(f"uplift must be a share in (0, 1]; got {uplift!r}")
    p, price, fresh = (
        nw.col("p_purchase"),
        nw.col("contact_cost"),
        nw.col("ltv") + nw.col("value_lost"),
    )
    open_to = (1.0 - p) * fresh
    columns = {"break_even_uplift": nw.when(open_to > 0).then(price / open_to)}
    if uplift is not None:
        payers = (p + uplift * (1.0 - p)) * nw.col("expected_spend")
        discount = nw.when(payers > 0).then((uplift * open_to - price) / payers)
        columns["largest_discount"] = discount.clip(0.0, 1.0)
    return native(frame.with_columns(**columns), kind)


def allocate_budget(
    staged: Any,
    budget: float,
    cost: float | Mapping[str, float],
    uplift: float | Mapping[str, float],
) -> Any:
    r"""Choose whom to contact under a budget: the greatest expected net gain for the money, first.

    The gain of a contact is :math:`u\,(1 - p_\text{purchase})\,\text{LTV}_\text{fresh} - c`, see
    :func:`break_even`. Customers stand in order of gain ÷ cost, ties by customer; each is taken
    while the budget lasts and the gain is above 0 (for one cost this is the best choice there is;
    for several nearly).

    Parameters
    ----------
    staged : frame
    budget : float
        Money.
    cost, uplift : float, or mapping of stage of the line to float
        Cost of a contact; and the share of those who would not buy that it is ASSUMED to win.
        Stages that a mapping leaves out are not contacted.

    Returns
    -------
    frame
        The chosen customers, best first: ``customer_id``, ``activity_stage`` if there,
        ``contact_cost``, ``assumed_uplift``, ``expected_gain`` (net), ``spent`` and ``gained`` so
        far (money), in the kind that went in.

    Raises
    ------
    ConfigError
        If the budget, a cost or an uplift is out of range.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> base = pd.DataFrame({"customer_id": [1, 2, 3], "frequency": [3, 1, 0], "p_purchase": [0.4, 0.5, 0.2],
    ...     "ltv": [30.0, 5.0, 1.0], "value_lost": [20.0, 1.0, 1.0], "expected_spend": [40.0, 9.0, 9.0]})
    >>> allocate_budget(base, 3.0, cost=1.0, uplift=0.5)[["customer_id", "spent", "gained"]].values.tolist()
    [[1.0, 1.0, 14.0], [2.0, 2.0, 14.5]]
    """
    if not (math.isfinite(budget) and budget >= 0):
        raise ConfigError(f"budget must be an amount of 0 or more; got {budget!r}")
    frame, _ = _valued(staged, cost)
    shares = uplift.values() if isinstance(uplift, Mapping) else [uplift]
    if any(not 0 <= share <= 1 for share in shares):
        raise ConfigError(f"uplift must be a share in [0, 1]; got {uplift!r}")
    frame = frame.with_columns(assumed_uplift=_by_stage(uplift))
    won = (
        nw.col("assumed_uplift")
        * (1.0 - nw.col("p_purchase"))
        * (nw.col("ltv") + nw.col("value_lost"))
    )
    frame = frame.with_columns(expected_gain=won - nw.col("contact_cost")).filter(
        nw.col("expected_gain") > 0
    )
    rate = nw.when(nw.col("contact_cost") > 0).then(
        nw.col("expected_gain") / nw.col("contact_cost")
    )
    names = frame.collect_schema().names()
    kept = [
        CUSTOMER,
        *(["activity_stage"] if "activity_stage" in names else []),
        "contact_cost",
        "assumed_uplift",
    ]
    frame = frame.with_columns(__rate=rate.otherwise(nw.lit(math.inf))).select(
        *kept, "expected_gain", "__rate"
    )
    ordered = frame.sort("__rate", CUSTOMER, descending=[True, False])
    prices = list(cost.values()) if isinstance(cost, Mapping) else [cost]
    if min(prices, default=0.0) > 0:
        ordered = ordered.head(int(budget / min(prices)) + 1) if len(set(prices)) == 1 else ordered
    table = to_pandas(ordered).drop(columns="__rate").reset_index(drop=True)
    table = table[_affordable(table["contact_cost"].to_numpy(float), budget)].reset_index(drop=True)
    table["spent"] = table["contact_cost"].cumsum()
    table["gained"] = table["expected_gain"].cumsum()
    return upload(table, like=staged)


def _affordable(price: Any, budget: float) -> Any:
    """Who is taken, one after another, while the budget lasts; a contact that is too dear is passed over."""
    if not price.size or np.all(price == price[0]):
        return np.cumsum(price) <= budget * (1 + 1e-12)
    taken, left = np.zeros(price.size, bool), budget * (1 + 1e-12)
    for i, each in enumerate(price.tolist()):
        if each <= left:
            taken[i] = True
            left -= each
    return taken


def _valued(staged: Any, cost: float | Mapping[str, float]) -> tuple[nw.LazyFrame[Any], str]:
    """Buyers with what a contact costs."""
    prices = cost.values() if isinstance(cost, Mapping) else [cost]
    if any(not (math.isfinite(price) and price >= 0) for price in prices):
        raise ConfigError(f"cost must be an amount of 0 or more; got {cost!r}")
    needed = [CUSTOMER, FREQUENCY, "p_purchase", "ltv", "value_lost", "expected_spend"]
    needed += ["activity_stage"] if isinstance(cost, Mapping) else []
    table, kind = lazy(open_frame(staged, needed).to_native())
    return (
        table.filter(~nw.col(FREQUENCY).is_null()).with_columns(contact_cost=_by_stage(cost)),
        kind,
    )


def _by_stage(value: float | Mapping[str, float]) -> nw.Expr:
    """One value for all, or that of a customer's stage; missing for stages that have none."""
    if not isinstance(value, Mapping):
        return nw.lit(float(value))
    out: nw.Expr = nw.lit(None, nw.Float64)
    for stage, each in value.items():
        out = nw.when(nw.col("activity_stage") == stage).then(nw.lit(float(each))).otherwise(out)
    return out
