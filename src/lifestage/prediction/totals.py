"""Totals of a customer base, with their intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifestage.core.names import MONETARY
from lifestage.core.terms import rate_per_period
from lifestage.families import family
from lifestage.families.tables import purchase_table
from lifestage.numerics.statistics import lognormal_interval
from lifestage.prediction.count_distribution import count_distribution
from lifestage.prediction.limits import LEAST_SHAPE
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
    from lifestage.fitting.posterior import Posterior

__all__ = ["totals"]


TOTAL_DRAWS = 200
"""Draws that totals integrate over."""

VALUES_PER_CHUNK = 4_000_000
"""Rows times draws worked on at once: 32 MB per array."""


PER_ROW = ("x", "t_x", "T", "weight", "monetary_sum", "monetary_sq_sum")


def totals(model: FittedModel, counts: Counts, terms: Terms) -> pd.DataFrame:
    r"""Predict purchases, revenue and LTV of the whole base within the horizon, with intervals.

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
    base = _base_purchases(model, counts, terms)
    means = _means(model, base, terms)
    expected = means.mean(axis=0)
    process, finite = _process_variance(model, counts, terms)
    if len(means) > 1:
        parameter = means.var(axis=0, ddof=1)
    else:
        parameter = _parameter_variance(model, counts, base, terms)
    low, high = lognormal_interval(expected, np.sqrt(process + parameter), terms.level)
    note = "" if finite else "spend variance not finite: interval too narrow"
    table = {
        "quantity": ["purchases", "revenue", "ltv"],
        "estimate": expected,
        "low": low,
        "high": high,
        "note": ["", note, note],
    }
    frame = pd.DataFrame(table)
    return frame if model.spend is not None else frame.iloc[:1]


def _chunks(model: FittedModel, counts: Counts) -> Iterator[Counts]:
    """Pieces of the purchase rows that bound memory."""
    size = max(1, VALUES_PER_CHUNK // model.purchases.size)
    for begin in range(0, counts.x.size, size):
        rows = {name: getattr(counts, name)[begin : begin + size] for name in PER_ROW}
        yield replace(counts, **rows)


def _means(model: FittedModel, base: BasePurchases, terms: Terms) -> Floats:
    """Expected purchases, revenue and LTV of the base under each draw; shape (draws, 3)."""
    intercept, slope = spend_coefficients(model, base.x)
    revenue = base.expected * intercept + base.expected_money * slope
    value = base.discounted * intercept + base.discounted_money * slope
    return np.column_stack(
        [base.expected.sum(axis=1), revenue.sum(axis=1), terms.margin * value.sum(axis=1)]
    )


def _first_of_pairs(counts: Counts) -> NDArray[np.intp]:
    """Rows, which are sorted, at which another (frequency, T) begins."""
    changes = (np.diff(counts.x) != 0) | (np.diff(counts.T) != 0)
    return np.concatenate([[0], np.flatnonzero(changes) + 1])


class BasePurchases(NamedTuple):
    """Purchases of a base within the horizon under each draw, as a spend model needs them.

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


def _base_purchases(model: FittedModel, counts: Counts, terms: Terms) -> BasePurchases:
    chunks = [_chunk_purchases(model, chunk, terms) for chunk in _chunks(model, counts)]
    fields = zip(*chunks, strict=True)
    return BasePurchases(*(np.concatenate(field, axis=-1) for field in fields))


def _chunk_purchases(model: FittedModel, counts: Counts, terms: Terms) -> BasePurchases:
    module, params = family(model.purchases.family), model.purchases.columns()
    pairs = _first_of_pairs(counts)
    x, T = counts.x[pairs], counts.T[pairs]
    rate = rate_per_period(terms.discount_rate, model.period)
    alive = module.p_alive(counts.x, counts.t_x, counts.T, **params)
    people = np.add.reduceat(alive * counts.weight, pairs, axis=1)
    money = np.add.reduceat(alive * counts.monetary_sum, pairs, axis=1)
    expected, discounted = purchase_table(module, params, terms.horizon, x, T, rate)
    first = np.flatnonzero(np.diff(x, prepend=-1.0))

    def by_frequency(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, first, axis=1))

    return BasePurchases(
        x[first],
        by_frequency(expected * people),
        by_frequency(expected * money),
        by_frequency(discounted * people),
        by_frequency(discounted * money),
    )


def _process_variance(model: FittedModel, counts: Counts, terms: Terms) -> tuple[Floats, bool]:
    """Sum over customers of Var(purchases), Var(revenue), Var(LTV); and whether it is finite."""
    finite = model.spend is None or model.spend.estimate["q"] > 2.0
    chunks = [_chunk_variance(model, chunk, terms) for chunk in _chunks(model, counts)]
    return np.sum(chunks, axis=0), finite


def _chunk_variance(model: FittedModel, counts: Counts, terms: Terms) -> Floats:
    module, params = family(model.purchases.family), model.purchases.columns()
    pairs, x, draws = _first_of_pairs(counts), counts.x, model.purchases.size
    alive = np.asarray(module.p_alive(x, counts.t_x, counts.T, **params))
    alive = np.broadcast_to(alive, (draws, x.size))
    living, _ = purchase_table(module, params, terms.horizon, x[pairs], counts.T[pairs], rate=0.0)
    first = (alive * np.repeat(living, np.diff(pairs, append=x.size), axis=1)).mean(axis=0)

    def second(weights: list[Floats]) -> list[Floats]:
        """Sums over the customers of each pair of weight · E[purchases²], by weight."""
        held = np.concatenate([np.add.reduceat(weight, pairs) for weight in weights])
        living = [np.add.reduceat(alive * weight, pairs, axis=1) for weight in weights]
        shares = np.concatenate(living, axis=1) / np.maximum(held, np.finfo(float).tiny)
        states = np.tile(x[pairs], len(weights)), np.tile(counts.T[pairs], len(weights))
        moments = _second_moments(module, params, shares, terms.horizon, *states)
        return np.split(held * moments, len(weights))

    if model.spend is None:
        (by_pair,) = second([counts.weight])
        return np.array([float(by_pair.sum() - counts.weight @ first**2), 0.0, 0.0])
    p, q, v = (model.spend.estimate[name] for name in ("p", "q", "v"))
    shape = np.maximum(q + p * x, LEAST_SHAPE)
    # E[(v + x·m)²] summed over the customers of a row
    square = v * v * counts.weight + 2 * v * x * counts.monetary_sum
    square = square + x * x * counts.monetary_sq_sum
    unit = p / ((shape - 1.0) * (shape - 2.0))
    by_pair, squares_by_pair = second([counts.weight, square])
    purchases = float(by_pair.sum() - counts.weight @ first**2)
    squares = float(p * unit[pairs] @ squares_by_pair) + float((unit * square) @ first)
    revenue = squares - float(square @ (first * p / (shape - 1.0)) ** 2)
    factor = terms.margin * _mean_discount(model, terms)
    return np.array([purchases, revenue, revenue * factor**2])


def _second_moments(
    module: ModuleType, params: dict[str, Floats], alive: Floats, t: float, x: Floats, T: Floats
) -> Floats:
    """E[purchases²] within t, averaged over the draws; *alive* is P(alive) of shape (draws, n)."""
    out = np.empty(x.size)
    for frequency in np.unique(x):
        rows = np.flatnonzero(x == frequency)
        bought = count_distribution(module, params, alive[:, rows], t, float(frequency), T[rows])
        out[rows] = bought.pmf @ bought.counts**2
    return out


def _mean_discount(model: FittedModel, terms: Terms) -> float:
    """Discount factor at the middle of the horizon."""
    return float((1.0 + terms.discount_rate) ** (-0.5 * terms.horizon / model.period.per_year))


def _parameter_variance(
    model: FittedModel, counts: Counts, base: BasePurchases, terms: Terms
) -> Floats:
    """Variance of the totals from the error of the estimates.

    Half differences along the roots of the covariance.
    """

    def means(name: str, part: Posterior, change: Floats) -> Floats:
        """Totals where the logarithms of the parameters of a part are changed."""
        draws = {key: np.array([value]) for key, value in part.perturbed(change).items()}
        other = replace(model, **{name: replace(part, draws=draws)})  # type: ignore[arg-type]
        purchases = base if name == "spend" else _base_purchases(other, counts, terms)
        return np.asarray(_means(other, purchases, terms)[0])

    total = np.zeros(3)
    for name, part in model.parts.items():
        if part.covariance is None:
            continue
        values, vectors = np.linalg.eigh(part.covariance)
        for root in (vectors * np.sqrt(np.maximum(values, 0.0))).T:
            if np.any(root):
                total += (0.5 * (means(name, part, root) - means(name, part, -root))) ** 2
    return total
