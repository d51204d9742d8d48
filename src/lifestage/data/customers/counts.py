"""Counts: distinct customer histories with their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifestage.numerics.distinct import distinct

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = ["Counts"]


@dataclass(frozen=True, eq=False)
class Counts:
    """The distinct rows of a Summary with the number of customers each stands for, all of them float arrays.

    Attributes
    ----------
    x, t_x, T : array of shape (n,)
        Repeat purchase days, recency and time observed (periods); sorted by (x, T, t_x).
    weight : array of shape (n,)
        Customers of the row.
    monetary_sum, monetary_sq_sum : array of shape (n,)
        Sum of ``monetary_value``, and of its square, over the customers of the row; NaN where spend
        is not known.
    spend_x, spend_m, spend_weight : array of shape (k,)
        Distinct (frequency, monetary_value) of customers with both above 0, and how many they are.

    Examples
    --------
    >>> Counts.from_arrays([0, 2, 0], [0, 5, 0], [9, 9, 9]).weight
    array([2., 1.])
    """

    x: Floats
    t_x: Floats
    T: Floats
    weight: Floats
    monetary_sum: Floats
    monetary_sq_sum: Floats
    spend_x: Floats
    spend_m: Floats
    spend_weight: Floats

    @classmethod
    def from_arrays(
        cls,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        monetary_value: ArrayLike | None = None,
        weight: ArrayLike | None = None,
    ) -> Counts:
        """Count distinct rows of one value per customer, or per *weight* customers; no money, NaN for its sums."""
        x, t_x, T = (np.asarray(values) for values in (x, t_x, T))
        money = None if monetary_value is None else np.asarray(monetary_value, np.float64)
        people = None if weight is None else np.asarray(weight, np.float64)
        each = 1.0 if people is None else people
        sums = () if money is None else (each * money, each * money * money)
        found = distinct(x, T, t_x, sums=sums if people is None else (*sums, people))
        total, square = (
            found.sums[:2] if money is not None else [np.full(found.weight.size, np.nan)] * 2
        )
        spenders = np.zeros(x.size, bool) if money is None else (x > 0) & (money > 0)
        paid, paying = (
            (x if money is None else money)[spenders],
            () if people is None else (people[spenders],),
        )
        spends = distinct(x[spenders], paid, sums=paying)
        counted = [each.weight if people is None else each.sums[-1] for each in (found, spends)]
        histories = dict(zip(("x", "T", "t_x"), found.columns, strict=True), weight=counted[0])
        spent = dict(
            zip(("spend_x", "spend_m"), spends.columns, strict=True), spend_weight=counted[1]
        )
        return cls(**histories, monetary_sum=total, monetary_sq_sum=square, **spent)

    @property
    def customers(self) -> float:
        """Number of customers, the sum of ``weight``."""
        return float(self.weight.sum())
