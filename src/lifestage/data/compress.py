"""Distinct customer histories with weights: all that a fit needs.

The purchase likelihood sees a customer only through (frequency, recency, T), so customers who agree in all three
contribute equal factors, and the likelihood of the base is the product over distinct rows, each to the power of its
number of customers. The spend likelihood in the same way sees only (frequency, monetary_value). Nothing is rounded or
binned: the compression is exact, and its size is bounded by the days of the calendar, not by the customers.
"""

from __future__ import annotations

import narwhals as nw
import numpy as np

from lifestage.data.engine import lazy, to_pandas
from lifestage.tables import FREQUENCY, KEYS, MONETARY, RECENCY, Counts, Summary, T

__all__ = ["compress"]


def compress(summary: Summary) -> Counts:
    """Count the customers of each distinct (frequency, recency, T), inside the engine of the table.

    Parameters
    ----------
    summary : Summary

    Returns
    -------
    Counts
        Sorted by (frequency, T, recency); the spend part is empty if the table has no ``monetary_value``.

    Examples
    --------
    >>> import lifestage as ls
    >>> counts = compress(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> counts.customers, counts.x.size
    (2357.0, 1016)
    """
    table, _ = lazy(summary.table)
    if MONETARY not in table.collect_schema().names():
        table = table.with_columns(nw.lit(0.0).alias(MONETARY))
    money = nw.col(MONETARY)
    rows = to_pandas(
        table.with_columns((money * money).alias("_square"))
        .group_by(*KEYS)
        .agg(nw.len().alias("_weight"), money.sum().alias("_sum"), nw.col("_square").sum().alias("_squares"))
        .sort(FREQUENCY, T, RECENCY)
    )
    spend = to_pandas(
        table.filter((nw.col(FREQUENCY) > 0) & (money > 0))
        .group_by(FREQUENCY, MONETARY)
        .agg(nw.len().alias("_weight"))
        .sort(FREQUENCY, MONETARY)
    )
    return Counts(
        x=rows[FREQUENCY].to_numpy(np.float64),
        t_x=rows[RECENCY].to_numpy(np.float64),
        T=rows[T].to_numpy(np.float64),
        weight=rows["_weight"].to_numpy(np.float64),
        monetary_sum=rows["_sum"].to_numpy(np.float64),
        monetary_sq_sum=rows["_squares"].to_numpy(np.float64),
        spend_x=spend[FREQUENCY].to_numpy(np.float64),
        spend_m=spend[MONETARY].to_numpy(np.float64),
        spend_weight=spend["_weight"].to_numpy(np.float64),
    )
