"""The terms under which a customer is valued, and the totals of a base with their intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.names import MONETARY
from lifestage.core.terms import rate_per_period
from lifestage.families import family
from lifestage.families.tables import purchase_table
from lifestage.numerics.statistics import lognormal_interval
from lifestage.prediction.count_distribution import count_distribution
from lifestage.prediction.spend import require_money, spend_coefficients

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.terms import Terms
    from lifestage.core.typing import Floats
    from lifestage.data.customers.counts import Counts
    from lifestage.fitting.fitted import FittedModel

__all__ = ["totals"]


TOTAL_DRAWS = 200
"""Draws that totals integrate over."""

CHUNK = 4_000_000
"""Rows times draws worked on at once: 32 MB an array."""

PER_ROW = ("x", "t_x", "T", "weight", "monetary_sum", "monetary_sq_sum")


def totals(model: FittedModel, counts: Counts, terms: Terms) -> pd.DataFrame:
    r"""Expected purchases, revenue and LTV of the whole base within the horizon, with predictive intervals.

    The variance of a total is the sum of the customers' predictive variances (they buy
    independently) plus the error of the parameters (the spread over the draws, or the covariance of
    the estimates' logarithms); the interval is that of the lognormal distribution with this mean
    and variance. A spend model with q ≤ 2 has no finite variance for one-time buyers; it is
    computed as if their q + p·x were 2.05, and ``note`` says that the interval is then too narrow.

    Parameters
    ----------
    counts : Counts
        The compressed base.

    Returns
    -------
    pandas.DataFrame
        ``quantity`` (purchases, revenue, ltv), ``estimate``, ``low``, ``high`` at ``terms.level``,
        ``note``. Purchases are counts; revenue is undiscounted spend and LTV discounted margin,
        both money.

    Raises
    ------
    DataError
        If the model has a spend part, and the customers' spend is not known.
    """
    import pandas as pd

    require_money(model, [MONETARY] if np.isfinite(counts.monetary_sum).all() else [])
    model = model.thin(TOTAL_DRAWS)
    ahead = _ahead(model, counts, terms)
    means = _means(model, ahead, terms)
    expected = means.mean(axis=0)
    process, finite = _process_variance(model, counts, terms)
    parameter = (
        means.var(axis=0, ddof=1)
        if len(means) > 1
        else _parameter_variance(model, counts, ahead, terms)
    )
    low, high = lognormal_interval(expected, np.sqrt(process + parameter), terms.level)
    notes = ["", *(["" if finite else "spend variance not finite: interval too narrow"] * 2)]
    table = {
        "quantity": ["purchases", "revenue", "ltv"],
        "estimate": expected,
        "low": low,
        "high": high,
        "note": notes,
    }
    frame = pd.DataFrame(table)
    return frame if model.spend is not None else frame.iloc[:1]


def _chunks(model: FittedModel, counts: Counts) -> Iterator[Counts]:
    """The purchase rows in pieces that bound memory."""
    size = max(1, CHUNK // model.purchases.size)
    for begin in range(0, counts.x.size, size):
        yield replace(
            counts, **{name: getattr(counts, name)[begin : begin + size] for name in PER_ROW}
        )


def _means(model: FittedModel, ahead: Ahead, terms: Terms) -> Floats:
    """Expected purchases, revenue and LTV of the base under each draw; shape (draws, 3)."""
    intercept, slope = spend_coefficients(model, ahead.x)
    worth = ahead.discounted * intercept + ahead.discounted_money * slope
    revenue = ahead.expected * intercept + ahead.expected_money * slope
    return np.column_stack(
        [ahead.expected.sum(axis=1), revenue.sum(axis=1), terms.margin * worth.sum(axis=1)]
    )


def _pairs(counts: Counts) -> NDArray[np.intp]:
    """Where in the rows, which are sorted, another (frequency, T) begins."""
    changes = (np.diff(counts.x) != 0) | (np.diff(counts.T) != 0)
    return np.concatenate([[0], np.flatnonzero(changes) + 1])


@dataclass(frozen=True, eq=False)
class Ahead:
    """Purchases of a base within the horizon under each draw: all that a spend model needs to know of them.

    Attributes
    ----------
    x : array, shape (n,)
        Frequencies; one may come several times.
    expected, discounted : arrays, shape (draws, n), of the customers of each frequency
    expected_money, discounted_money : the same times the ``monetary_value`` of each customer
    """

    x: Floats
    expected: Floats
    expected_money: Floats
    discounted: Floats
    discounted_money: Floats


def _ahead(model: FittedModel, counts: Counts, terms: Terms) -> Ahead:
    parts = [_chunk_ahead(model, chunk, terms) for chunk in _chunks(model, counts)]
    return Ahead(*(np.concatenate(each, axis=-1) for each in zip(*parts, strict=True)))


def _chunk_ahead(model: FittedModel, counts: Counts, terms: Terms) -> tuple[Floats, ...]:
    module, params, pairs = (
        family(model.purchases.family),
        model.purchases.columns(),
        _pairs(counts),
    )
    x, T = counts.x[pairs], counts.T[pairs]
    rate = rate_per_period(terms.discount_rate, model.period)
    alive = module.p_alive(counts.x, counts.t_x, counts.T, **params)
    people, money = (
        np.add.reduceat(alive * each, pairs, axis=1)
        for each in (counts.weight, counts.monetary_sum)
    )
    expected, discounted = purchase_table(module, params, terms.horizon, x, T, rate)
    first = np.flatnonzero(np.diff(x, prepend=-1.0))
    products = (expected * people, expected * money, discounted * people, discounted * money)
    return x[first], *(np.add.reduceat(each, first, axis=1) for each in products)


def _process_variance(model: FittedModel, counts: Counts, terms: Terms) -> tuple[Floats, bool]:
    """Sum over customers of Var(purchases), Var(revenue), Var(LTV); and whether the spend variance is finite."""
    finite = model.spend is None or model.spend.estimate["q"] > 2.0
    return (
        np.sum([_chunk_variance(model, chunk, terms) for chunk in _chunks(model, counts)], axis=0),
        finite,
    )


def _chunk_variance(model: FittedModel, counts: Counts, terms: Terms) -> Floats:
    module, params, pairs = (
        family(model.purchases.family),
        model.purchases.columns(),
        _pairs(counts),
    )
    x = counts.x
    alive = np.broadcast_to(
        module.p_alive(x, counts.t_x, counts.T, **params), (model.purchases.size, x.size)
    )
    living, _ = purchase_table(module, params, terms.horizon, x[pairs], counts.T[pairs], rate=0.0)
    first = (alive * np.repeat(living, np.diff(pairs, append=x.size), axis=1)).mean(axis=0)

    def second(*weights: Floats) -> Iterator[Floats]:
        """Sums over the customers of each pair of weight · E[purchases²]."""
        held = [np.add.reduceat(weight, pairs) for weight in weights]
        parts = [np.add.reduceat(alive * weight, pairs, axis=1) for weight in weights]
        shares = np.concatenate(parts, axis=1) / np.maximum(
            np.concatenate(held), np.finfo(float).tiny
        )
        at = (np.tile(each, len(weights)) for each in (x[pairs], counts.T[pairs]))
        found = np.split(_second_moments(module, params, shares, terms.horizon, *at), len(weights))
        yield from (each * moment for each, moment in zip(held, found, strict=True))

    if model.spend is None:
        (by_pair,) = second(counts.weight)
        return np.array([float(by_pair.sum() - counts.weight @ first**2), 0.0, 0.0])
    p, q, v = (model.spend.estimate[name] for name in ("p", "q", "v"))
    shape = np.maximum(q + p * x, 2.05)
    # E[(v + x·m)²] summed over the customers of a row
    square = (
        v * v * counts.weight + 2 * v * x * counts.monetary_sum + x * x * counts.monetary_sq_sum
    )
    unit = p / ((shape - 1.0) * (shape - 2.0))
    by_pair, squares_by_pair = second(counts.weight, square)
    purchases = float(by_pair.sum() - counts.weight @ first**2)
    squares = float(p * unit[pairs] @ squares_by_pair) + float((unit * square) @ first)
    revenue = squares - float(square @ (first * p / (shape - 1.0)) ** 2)
    factor = terms.margin * _mean_discount(model, terms)
    return np.array([purchases, revenue, revenue * factor**2])


def _second_moments(
    module: ModuleType, params: dict[str, Floats], alive: Floats, t: float, x: Floats, T: Floats
) -> Floats:
    """E[purchases²] within t, averaged over the draws, of customers who are alive with chance *alive*, (draws, n)."""
    out = np.empty(x.size)
    for frequency in np.unique(x):
        rows = np.flatnonzero(x == frequency)
        bought = count_distribution(module, params, alive[:, rows], t, float(frequency), T[rows])
        out[rows] = bought.pmf @ bought.counts**2
    return out


def _mean_discount(model: FittedModel, terms: Terms) -> float:
    """Discount factor at the middle of the horizon."""
    return float((1.0 + terms.discount_rate) ** (-0.5 * terms.horizon / model.period.per_year))


def _parameter_variance(model: FittedModel, counts: Counts, ahead: Ahead, terms: Terms) -> Floats:
    """Variance of the totals from the error of the estimates: half differences along the roots of the covariance."""
    total = np.zeros(3)
    for name, part in model.parts.items():
        if part.covariance is None:
            continue
        values, vectors = np.linalg.eigh(part.covariance)
        for root in (vectors * np.sqrt(np.maximum(values, 0.0))).T:
            if not np.any(root):
                continue
            sides = []
            for sign in (1.0, -1.0):
                moved = replace(
                    part, draws={k: np.array([v]) for k, v in part.moved(sign * root).items()}
                )
                other = _with_part(model, name, moved)
                sides.append(
                    _means(other, ahead if name == "spend" else _ahead(other, counts, terms), terms)
                )
            total += (0.5 * (sides[0] - sides[1])[0]) ** 2
    return total


def _with_part(model: FittedModel, name: str, part: object) -> FittedModel:
    return replace(model, **{name: part})  # type: ignore[arg-type]
