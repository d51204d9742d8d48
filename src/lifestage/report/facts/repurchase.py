"""When customers buy again, and how regular their purchases are, as plain rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER
from lifestage.core.plain import plain, records
from lifestage.data.engines.frames import ENGINES, lazy, to_pandas
from lifestage.data.engines.operations import hash_sample
from lifestage.lifecycle.metrics.regularity import regularity
from lifestage.lifecycle.metrics.repurchase_curve import repurchase_curve

if TYPE_CHECKING:
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = ["repurchase_facts"]

MAX_PURCHASES = 50_000
"""Purchase days up to which all are used; a random sample of customers represents more of them."""

TABLE_DAYS = (3, 7, 15)
CURVE_DAYS = (1, 2, 3, 5, 7, 10, 15, 21, 30, 45, 60, 90, 120, 180, 270, 365)
"""Days after a purchase of the table, and of the curve."""

REGULARITY = ("k", "low", "high", "customers", "regular")


def repurchase_facts(
    model: LTVModel, staged: Any, customers: Summary, level: float
) -> dict[str, Any]:
    """The repurchase rate by day in all and by stage, its curve, and the regularity."""
    customers, staged = _sampled(customers, staged)
    by_stage = repurchase_curve(
        customers,
        model,
        days=TABLE_DAYS,
        staged=staged,
        level=level,
    )
    longest = max([*customers.gaps, TABLE_DAYS[-1]])
    days = [day for day in CURVE_DAYS if day <= longest]
    curve = repurchase_curve(customers, model, days=days, level=level)
    return {
        "days": records(by_stage),
        "curve": records(curve),
        "regularity": _regularity(customers, level),
    }


def _sampled(customers: Summary, staged: Any) -> tuple[Summary, Any]:
    """The customers and their stages, or a random sample of both where purchases are many."""
    table, kind = lazy(customers.purchases)
    if kind not in ENGINES:
        return customers, staged
    count = int(to_pandas(table.select(nw.len().alias("n")))["n"].iloc[0])
    every = max(1, count // MAX_PURCHASES)
    customers = replace(customers, purchases=hash_sample(table, CUSTOMER, every).to_native())
    if every > 1:
        staged = hash_sample(lazy(staged)[0], CUSTOMER, every).to_native()
    return customers, staged


def _regularity(customers: Summary, level: float) -> dict[str, Any] | None:
    try:
        result = regularity(customers, level=level)
    except DataError:  # too few customers who bought three times
        return None
    return {name: plain(getattr(result, name)) for name in REGULARITY}
