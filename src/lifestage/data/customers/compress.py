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
from lifestage.data.engines.frames import lazy, to_pandas

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
    if kind == "pandas":
        frame = table.to_native()
        x, t_x, t_obs = (frame[name].to_numpy() for name in KEYS)
        weight = None if summary.weights is None else frame[summary.weights].to_numpy()
        return Counts.from_arrays(
            x, t_x, t_obs, frame[MONETARY].to_numpy() if spend else None, weight
        )
    people = nw.lit(1) if summary.weights is None else nw.col(summary.weights)
    money = nw.col(MONETARY) if spend else nw.lit(float("nan"))
    table = table.select(*KEYS, _money=money, _weight=people)
    histories = _histories(table)
    spends = (
        table.filter((nw.col(FREQUENCY) > 0) & (nw.col("_money") > 0)) if spend else table.head(0)
    )
    spent = to_pandas(
        spends.group_by(FREQUENCY, "_money").agg(nw.col("_weight").sum()).sort(FREQUENCY, "_money")
    )
    return Counts(
        *histories, *(spent[name].to_numpy(np.float64) for name in (FREQUENCY, "_money", "_weight"))
    )


def mean_spend(customers: Summary, counts: Counts) -> float:
    """Mean money per purchase day: of the whole base when revenue is known, else of repeat purchases."""
    table, _ = lazy(customers.table)
    names = table.collect_schema().names()
    if "revenue" in names:
        people = nw.lit(1) if customers.weights is None else nw.col(customers.weights)
        found = table.select(
            revenue=nw.col("revenue") * people, days=(nw.col(FREQUENCY) + 1) * people
        )
        sums = to_pandas(found.select(nw.col("revenue").sum(), nw.col("days").sum()))
        return float(sums["revenue"].iloc[0] / sums["days"].iloc[0])
    if MONETARY in names and counts.spend_x.size:
        return float(
            counts.spend_weight
            @ (counts.spend_x * counts.spend_m)
            / (counts.spend_weight @ counts.spend_x)
        )
    return float("nan")


def _histories(table: nw.LazyFrame[Any]) -> list[Floats]:
    """x, t_x, T, weight and the sums of money and of its square, a row a distinct history, by the engine."""
    money, people = nw.col("_money"), nw.col("_weight")
    sums = ("_weight", "_sum", "_squares")
    rows = to_pandas(
        table.select(*KEYS, "_weight", _sum=people * money, _squares=people * money * money)
        .group_by(*KEYS)
        .agg(*(nw.col(name).sum() for name in sums))
        .sort(FREQUENCY, T, RECENCY)
    )
    return [rows[name].to_numpy(np.float64) for name in (*KEYS, *sums)]
