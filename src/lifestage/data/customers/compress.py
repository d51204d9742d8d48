r"""Distinct customer histories with weights: all that a fit needs.

**Why it is exact.** The purchase likelihood sees a customer only through (frequency, recency, T),
so customers who agree in all three contribute equal factors, and the log-likelihood of the base is
a sum over distinct rows:

.. math:: \ell(\theta) = \sum_i \log L(x_i, t_{x,i}, T_i \mid \theta)
          = \sum_j w_j \log L(x_j, t_{x,j}, T_j \mid \theta)

with w the number of customers of row j. The same holds of its gradient and Hessian, so every method
of fitting gives what it would give on the customers. The spend likelihood in the same way sees only
(frequency, monetary_value). Nothing is rounded or binned.

**What it costs.** With times in whole days a history of D days has at most D values of T, D of
recency, and few frequencies that occur: one row for all customers who bought once on a day, and for
small bases hardly a repeater shares a row with another. The number of rows therefore grows with the
customers at first and ever more slowly later: of BG/NBD customers with the parameters of CDNOW over
two years, 10,000 have 4,900 rows, 100,000 have 41,000, a million 324,000. A finer resolution undoes
this: on a clock of seconds hardly two repeaters agree, so a fit, and the scores that
:mod:`lifestage.prediction.scores` computes once a row, cost as much as there are repeaters.
``resolution`` of :func:`lifestage.summarize` and :meth:`lifestage.Summary.from_frame` trades the
other way: times rounded to weeks leave fewer rows, for a bias of the order of the rounding over the
times themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.names import FREQUENCY, KEYS, MONETARY, RECENCY, T
from lifestage.data.customers.counts import Counts
from lifestage.data.customers.summary import Summary, expect_summary
from lifestage.data.engines.fixed_point import in_money, in_units, units_of
from lifestage.data.engines.frames import ENGINES, lazy, to_pandas

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = ["compress", "mean_spend"]


def compress(summary: Summary, *, spend: bool = True) -> Counts:
    """Count the customers of each distinct (frequency, recency, T), inside the engine of the table.

    Parameters
    ----------
    summary : Summary
    spend : bool
        Whether to count the distinct spends, and to sum them, too.

    Returns
    -------
    Counts
        Sorted by (frequency, T, recency); without spend, sums are NaN and the spend part is empty.

    Examples
    --------
    >>> import lifestage as ls
    >>> counts = compress(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> counts.customers, counts.x.size
    (2357.0, 1016)
    """
    expect_summary(summary)
    table, kind = lazy(summary.table)
    spend = spend and MONETARY in table.collect_schema().names()
    if kind in ENGINES:
        return _counted_by_engine(table, summary.weights, spend)
    columns = [*KEYS]
    if spend:
        columns.append(MONETARY)
    if summary.weights is not None:
        columns.append(summary.weights)
    frame = to_pandas(table.select(*columns))
    arrays = {name: frame[name].to_numpy() for name in columns}
    x, t_x, t_obs = (arrays[name] for name in KEYS)
    money = arrays[MONETARY] if spend else None
    weight = None if summary.weights is None else arrays[summary.weights]
    return Counts.from_arrays(x, t_x, t_obs, money, weight)


def mean_spend(customers: Summary, counts: Counts) -> float:
    """Mean money per purchase day.

    Of all purchase days where the revenue is known, else of those of repeat purchases.
    """
    table, kind = lazy(customers.table)
    names = table.collect_schema().names()
    if "revenue" in names:
        weight = _weight(customers.weights)
        table = table.select(
            revenue=nw.col("revenue") * weight, days=(nw.col(FREQUENCY) + 1) * weight
        )
        unit = None
        if kind in ENGINES:
            unit = units_of(table, "revenue")["revenue"]
            table = in_units(table, {"revenue": unit})
        sums = table.select(nw.col("revenue").sum(), nw.col("days").sum())
        total = to_pandas(sums.select("days", in_money("revenue", unit))).iloc[0]
        return float(total["revenue"] / total["days"])
    if MONETARY in names and counts.spend_x.size:
        spent = counts.spend_weight @ (counts.spend_x * counts.spend_m)
        return float(spent / (counts.spend_weight @ counts.spend_x))
    return float("nan")


def _weight(weights: str | None) -> nw.Expr:
    """Customers that a row stands for."""
    return nw.lit(1) if weights is None else nw.col(weights)


def _counted_by_engine(table: nw.LazyFrame[Any], weights: str | None, spend: bool) -> Counts:
    """Counts of a table that is grouped where it is, so that only distinct rows are fetched."""
    weight = _weight(weights)
    money = nw.col(MONETARY) if spend else nw.lit(float("nan"))
    table = table.select(
        *KEYS,
        _money=money,
        _weight=weight,
        _sum=weight * money,
        _squares=weight * money * money,
    )
    histories = _histories(table)
    spenders = (nw.col(FREQUENCY) > 0) & (nw.col("_money") > 0)
    spends = table.filter(spenders) if spend else table.head(0)
    spends = spends.group_by(FREQUENCY, "_money").agg(nw.col("_weight").sum())
    spent = to_pandas(spends.sort(FREQUENCY, "_money"))
    names = (FREQUENCY, "_money", "_weight")
    columns = [spent[name].to_numpy(np.float64) for name in names]
    return Counts(*histories, *columns)


def _histories(table: nw.LazyFrame[Any]) -> list[Floats]:
    """x, t_x, T, weight and the sums of money and of its square, one row per distinct history."""
    units = units_of(table, "_sum", "_squares")
    sums = ("_weight", *units)
    by_history = in_units(table, units).group_by(*KEYS)
    rows = by_history.agg(*[nw.col(name).sum() for name in sums])
    totals = [in_money(name, unit) for name, unit in units.items()]
    counted = to_pandas(rows.select(*KEYS, "_weight", *totals).sort(FREQUENCY, T, RECENCY))
    return [counted[name].to_numpy(np.float64) for name in (*KEYS, *sums)]
