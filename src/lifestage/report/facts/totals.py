"""Sums over the customers of a run, its terms, and the intervals of its totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import FREQUENCY, TERMS
from lifestage.core.plain import records
from lifestage.data.engines.frames import to_pandas

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["customer_sums", "term_of", "total_intervals"]

COUNTS = ("customers", "repeaters", "orders", "at_risk", "cannot_lose")
MONEY = ("expected_revenue", "ltv", "at_risk_lost", "at_risk_ltv", "cannot_lose_ltv")
QUANTITIES = {"purchases": "expected_purchases", "revenue": "expected_revenue", "ltv": "ltv"}


def customer_sums(buyers: nw.LazyFrame[Any], names: list[str]) -> dict[str, Any]:
    """Sums over the customers and the ends of their terms; None where there is no money."""
    orders = nw.col("orders") if "orders" in names else nw.col(FREQUENCY) + 1
    wanted = {
        "customers": nw.len(),
        "repeaters": _count(nw.col(FREQUENCY) > 0),
        "orders": orders.sum(),
        "expected_purchases": nw.col("expected_purchases").sum(),
        "at_risk": _count(nw.col("at_risk")),
        "cannot_lose": _count(nw.col("cannot_lose")),
    }
    for name in TERMS:
        wanted |= {f"least_{name}": nw.col(name).min(), name: nw.col(name).max()}
    if "ltv" in names:
        wanted |= {
            "expected_revenue": (nw.col("expected_purchases") * nw.col("expected_spend")).sum(),
            "ltv": nw.col("ltv").sum(),
            "at_risk_lost": _sum_where("at_risk", "value_lost"),
            "at_risk_ltv": _sum_where("at_risk", "ltv"),
            "cannot_lose_ltv": _sum_where("cannot_lose", "ltv"),
        }
    table = to_pandas(buyers.select(*[expr.alias(name) for name, expr in wanted.items()]))
    sums: dict[str, Any] = dict.fromkeys(MONEY)
    for name in wanted:
        sums[name] = table[name].iloc[0]
    for name in COUNTS:
        sums[name] = int(sums[name] or 0)
    return sums


def _count(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).sum()


def _sum_where(flag: str, column: str) -> nw.Expr:
    return nw.when(nw.col(flag)).then(nw.col(column)).otherwise(nw.lit(0.0)).sum()


def term_of(sums: Mapping[str, Any], name: str) -> float:
    """The value of a term that holds for every row; NaN where the model knows none.

    Raises
    ------
    DataError
        If rows have different values: totals need scores under the same terms.
    """
    least, most = sums[f"least_{name}"], sums[name]
    least = float("nan") if least is None else least
    most = float("nan") if most is None else most
    if least < most:
        raise DataError(
            f"expected a table of one {name}; got {least:g} to {most:g}: totals are made of scores"
            " under the same terms"
        )
    return most


def total_intervals(totals: pd.DataFrame) -> dict[str, Any]:
    """Intervals of the totals by name; ``interval_note`` says where they are unreliable."""
    intervals = {}
    for row in records(totals):
        intervals[QUANTITIES[row["quantity"]]] = [row["low"], row["high"]]
    notes = [note for note in totals["note"] if note]
    return {"intervals": intervals, "interval_note": notes[0] if notes else None}
