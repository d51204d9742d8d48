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
    """Distinct rows of a Summary with the number of customers of each, as float arrays.

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
        """Count the distinct rows of a customer base.

        Parameters
        ----------
        x, t_x, T : array, shape (n,)
            Repeat purchase days, recency and time observed (periods).
        monetary_value : array, shape (n,), optional
            Mean spend of repeat purchase days (money); without it the sums of money are NaN.
        weight : array, shape (n,), optional
            Customers that each row stands for; one if left out.

        Returns
        -------
        Counts

        Examples
        --------
        >>> counts = Counts.from_arrays([0, 2], [0, 5], [9, 9], [0, 30], weight=[5, 2])
        >>> counts.customers, counts.monetary_sum
        (7.0, array([ 0., 60.]))
        """
        x, t_x, T = np.asarray(x), np.asarray(t_x), np.asarray(T)
        money = None if monetary_value is None else np.asarray(monetary_value, np.float64)
        people = None if weight is None else np.asarray(weight, np.float64)
        per_row = 1.0 if people is None else people
        sums = () if money is None else (per_row * money, per_row * money * money)
        histories = distinct(x, T, t_x, sums=sums if people is None else (*sums, people))
        unknown = np.full(histories.weight.size, np.nan)
        total, square = (unknown, unknown) if money is None else histories.sums[:2]
        spenders = np.zeros(x.size, bool) if money is None else (x > 0) & (money > 0)
        spent = (x if money is None else money)[spenders]
        spends = distinct(x[spenders], spent, sums=() if people is None else (people[spenders],))
        x, T, t_x = histories.columns
        return cls(
            x=x,
            t_x=t_x,
            T=T,
            weight=histories.weight if people is None else histories.sums[-1],
            monetary_sum=total,
            monetary_sq_sum=square,
            spend_x=spends.columns[0],
            spend_m=spends.columns[1],
            spend_weight=spends.weight if people is None else spends.sums[-1],
        )

    @property
    def customers(self) -> float:
        """Number of customers, the sum of ``weight``."""
        return float(self.weight.sum())
