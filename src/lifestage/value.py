"""The terms under which a customer is valued, and the totals of a base with their intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lifestage.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel
    from lifestage.tables import Counts

__all__ = ["Terms", "totals"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Terms:
    """Horizon in periods, annual discount rate, margin, and the level of intervals; checked when made."""

    horizon: float
    discount_rate: float = 0.10
    margin: float = 1.0
    level: float = 0.9

    def __post_init__(self) -> None:
        if not (np.isfinite(self.horizon) and self.horizon > 0):
            raise ConfigError(f"horizon must be a positive number of periods; got {self.horizon!r}")
        if not (np.isfinite(self.discount_rate) and self.discount_rate >= 0):
            raise ConfigError(f"discount_rate must be a yearly rate of 0 or more; got {self.discount_rate!r}")
        if not 0 < self.margin <= 1:
            raise ConfigError(f"margin must be a share in (0, 1]; got {self.margin!r}")
        if not 0 < self.level < 1:
            raise ConfigError(f"level must be a probability in (0, 1); got {self.level!r}")


def totals(model: LTVModel, counts: Counts, terms: Terms) -> pd.DataFrame:
    r"""Expected purchases, revenue and LTV of the whole base within the horizon, with predictive intervals.

    The variance of a total is the sum of the customers' predictive variances (they buy independently) plus the error
    of the estimated parameters, from the covariance of their logarithms; the interval is total·exp(± z·sd/total).
    A spend model with q ≤ 2 has no finite variance for one-time buyers; it is computed as if their q + p·x were 2.05,
    and ``note`` says that the interval is then too narrow.

    Parameters
    ----------
    counts : Counts
        The compressed base.

    Returns
    -------
    pandas.DataFrame
        ``quantity`` (purchases, revenue, ltv), ``estimate``, ``low``, ``high`` at ``terms.level``, ``note``.
        Purchases are counts; revenue is undiscounted spend and LTV discounted margin, both money.
    """
    import pandas as pd
    from scipy.special import ndtri

    expected = _means(model, counts, terms)
    process, finite = _process_variance(model, counts, terms)
    parameter = _parameter_variance(model, counts, terms)
    z = float(ndtri((1 + terms.level) / 2))
    sd = np.sqrt(process + parameter)
    spread = np.exp(z * sd / np.maximum(expected, np.finfo(float).tiny))
    notes = ["", *(["" if finite else "spend variance not finite: interval too narrow"] * 2)]
    table = {
        "quantity": ["purchases", "revenue", "ltv"],
        "estimate": expected,
        "low": expected / spread,
        "high": expected * spread,
        "note": notes,
    }
    frame = pd.DataFrame(table)
    return frame if model.spend is not None else frame.iloc[:1]


def _means(model: LTVModel, counts: Counts, terms: Terms) -> Floats:
    from lifestage.families import family
    from lifestage.predict import spend_line

    module, params = family(model.purchases.family), model.purchases.columns()
    x, t_x, T = counts.x, counts.t_x, counts.T
    _, first, index = np.unique(x + 1j * T, return_index=True, return_inverse=True)
    rate = float(np.log1p(terms.discount_rate)) / model.period.per_year
    alive = module.p_alive(x, t_x, T, **params)

    def expected(discount: float) -> Floats:
        future = module.alive_purchases(terms.horizon, x[first], T[first], rate=discount, **params)
        return np.asarray((alive * future[:, index]).mean(axis=0))

    intercept, slope = spend_line(model, x)
    spend = intercept * counts.weight + slope * counts.monetary_sum
    purchases = expected(0.0)
    return np.array([purchases @ counts.weight, purchases @ spend, terms.margin * (expected(rate) @ spend)])


def _process_variance(model: LTVModel, counts: Counts, terms: Terms) -> tuple[Floats, bool]:
    """Sum over customers of Var(purchases), Var(revenue), Var(LTV); and whether the spend variance is finite."""
    from lifestage.families import family
    from lifestage.intervals import count_nodes

    module, params = family(model.purchases.family), model.purchases.columns()
    x, t_x, T = counts.x, counts.t_x, counts.T
    alive = np.asarray(module.p_alive(x, t_x, T, **params).mean(axis=0))
    first_moment, second_moment = np.empty(x.size), np.empty(x.size)
    for frequency in np.unique(x):
        rows = np.flatnonzero(x == frequency)
        times, pair = np.unique(T[rows], return_inverse=True)
        nodes, pmf = count_nodes(module, params, terms.horizon, float(frequency), times)
        first_moment[rows] = alive[rows] * (pmf @ nodes)[pair]
        second_moment[rows] = alive[rows] * (pmf @ nodes**2)[pair]
    variance = second_moment - first_moment**2
    if model.spend is None:
        return np.array([variance @ counts.weight, 0.0, 0.0]), True
    p, q, v = (model.spend.estimate[name] for name in ("p", "q", "v"))
    finite = q > 2.0
    shape = np.maximum(q + p * x, 2.05)
    # E[(v + x·m)²] and E[v + x·m] summed over the customers of a row
    square = v * v * counts.weight + 2 * v * x * counts.monetary_sum + x * x * counts.monetary_sq_sum
    unit = p / ((shape - 1.0) * (shape - 2.0))
    second = second_moment * p * unit + first_moment * unit
    mean = first_moment * p / (shape - 1.0)
    revenue = float(np.sum((second - mean**2) * square))
    factor = terms.margin * _mean_discount(model, terms)
    return np.array([variance @ counts.weight, revenue, revenue * factor**2]), finite


def _mean_discount(model: LTVModel, terms: Terms) -> float:
    """Discount factor at the middle of the horizon."""
    return float((1.0 + terms.discount_rate) ** (-0.5 * terms.horizon / model.period.per_year))


def _parameter_variance(model: LTVModel, counts: Counts, terms: Terms) -> Floats:
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
                moved = replace(part, draws={k: np.array([v]) for k, v in part.moved(sign * root).items()})
                sides.append(_means(_with_part(model, name, moved), counts, terms))
            total += (0.5 * (sides[0] - sides[1])) ** 2
    return total


def _with_part(model: LTVModel, name: str, part: object) -> LTVModel:
    return replace(model, **{name: part})  # type: ignore[arg-type]
