r"""Gamma-Gamma: spend per purchase is Gamma(p, ν), and ν is Gamma(q, v) over customers.

``x`` counts a customer's repeat purchases and ``m`` is their mean spend; v is in money, p and q are
pure numbers. Given (x, m), the customer's ν is Gamma(q + p·x, v + x·m); so the spend of n future
purchases, divided by v + x·m, is beta-prime(p·n, q + p·x): its quantiles scale with v + x·m alone.

Source: Fader, Hardie & Lee (2005), RFM and CLV, Journal of Marketing Research 42(4), 415–430; Fader
& Hardie (2013), The Gamma-Gamma Model of Monetary Value. Spend is assumed independent of how often
a customer buys.

Parameters
----------
x, m : array_like
    Of each customer: purchases, and their mean spend (money).
n : array_like
    A number of purchases to come.
s : array_like
    Total spend of these purchases, over v + x·m.
p, q, v : array_like

Returns
-------
array
    In the broadcast shape of the arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special as sp

from lifestage.core.notes import Note
from lifestage.families._gammagamma_priors import PRIORS
from lifestage.numerics import special

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = [
    "PARAMS",
    "PRIORS",
    "UNITS",
    "expected_spend",
    "log_likelihood",
    "simulate",
    "spend_sf",
]


PARAMS = ("p", "q", "v")
UNITS = {"p": 0, "q": 0, "v": 1}
"""Power of the money unit in which each parameter is expressed."""

NO_SPREAD = 1e4
"""Value of p (of q) from which spends of one customer (mean spends of customers) differ by less
than 1 %."""

ALIKE = {
    "p": "the purchases of a customer hardly differ in price",
    "q": "customers hardly differ in what they spend",
}


def log_likelihood(x: ArrayLike, m: ArrayLike, *, p: Any, q: Any, v: Any) -> Floats:
    r"""Log density of each customer's mean spend m > 0 over x > 0 purchases (2013, equation 1a).

    .. math:: f = \frac{\Gamma(px+q)}{\Gamma(px)\,\Gamma(q)}
              \frac{v^q\, m^{px-1}\, x^{px}}{(v+xm)^{px+q}}

    Examples
    --------
    >>> log_likelihood(2, 35.0, p=6.25, q=3.74, v=15.44).round(4)
    np.float64(-4.0958)
    """
    x, m = np.asarray(x, float), np.asarray(m, float)
    total = x * m
    return np.asarray(
        -special.log_beta(p * x, q)
        - q * np.log1p(total / v)
        - p * x * np.log1p(v / total)
        - np.log(m)
    )[()]


def expected_spend(x: ArrayLike, m: ArrayLike, *, p: Any, q: Any, v: Any) -> Floats:
    r"""Expected spend per future purchase (2013, equation 5); infinite where p·x + q ≤ 1.

    .. math:: E = \frac{p\,(v + x m)}{p x + q - 1}

    Examples
    --------
    >>> expected_spend([0, 2], [0.0, 22.0], p=6.25, q=3.74, v=15.44).round(2)
    array([35.22, 24.38])
    """
    x, m = np.asarray(x, float), np.asarray(m, float)
    above = p * x + q - 1.0
    return np.asarray(
        np.where(above > 0, p * (v + x * m) / np.where(above > 0, above, 1.0), np.inf)
    )[()]


def spend_sf(s: ArrayLike, n: ArrayLike, x: ArrayLike, *, p: Any, q: Any) -> Floats:
    """P(the total of n ≥ 1 future purchases exceeds s·(v + x·m)).

    It is the upper tail of beta-prime(p·n, q + p·x).

    Examples
    --------
    >>> spend_sf(1.0, 2, 3, p=6.25, q=3.74).round(3)
    np.float64(0.043)
    """
    s, n, x = np.asarray(s, float), np.asarray(n, float), np.asarray(x, float)
    return np.asarray(sp.betainc(q + p * x, p * n, 1.0 / (1.0 + s)))[()]


class Rows:
    """Distinct (frequency, mean spend) of repeat buyers, with sufficient statistics."""

    def __init__(self, x: Floats, m: Floats, weight: Floats) -> None:
        order = np.argsort(x, kind="stable")
        x, self.m, self.weight = (np.asarray(values, float)[order] for values in (x, m, weight))
        self.total = x * self.m
        self.start = np.flatnonzero(np.diff(x, prepend=-1.0))
        self.frequency = x[self.start]
        self.per_frequency = self.by_frequency(self.weight)
        self.log_money = self.by_frequency(self.weight * np.log(self.m))

    def by_frequency(self, values: Floats) -> Floats:
        """Sum of *values*, one a row, by distinct frequency."""
        return np.asarray(np.add.reduceat(values, self.start))


rows = Rows
"""Distinct rows (x, m, weight), made ready for :func:`log_likelihood_with_hessian`."""


def total_log_likelihood(params: Floats, rows: Rows) -> tuple[float, Floats]:
    """Sum of :func:`log_likelihood` over all repeat buyers and its exact gradient in (p, q, v).

    The Γ terms depend on the frequency alone and Σ ln m is a sufficient statistic; one logarithm a
    row is left.
    """
    p, q, v = (float(value) for value in params)
    x, n, log_money = rows.frequency, rows.per_frequency, rows.log_money
    scale = v + rows.total
    log_scale, inverse = (
        rows.by_frequency(rows.weight * np.log(scale)),
        rows.by_frequency(rows.weight / scale),
    )
    total = (
        n @ (q * np.log(v) + p * x * np.log(x) - special.log_beta(p * x, q))
        + (p * x - 1.0) @ log_money
        - (p * x + q) @ log_scale
    )
    by_px = n * (sp.psi(p * x + q) - sp.psi(p * x) + np.log(x)) + log_money - log_scale
    by_q = n @ (sp.psi(p * x + q) - sp.psi(q) + np.log(v)) - log_scale.sum()
    by_v = n.sum() * q / v - (p * x + q) @ inverse
    return float(total), np.array([x @ by_px, by_q, by_v])


def log_likelihood_with_hessian(params: Floats, rows: Rows) -> tuple[float, Floats, Floats]:
    """:func:`total_log_likelihood` with its exact Hessian, of shape (3, 3), as the third."""
    p, q, v = (float(value) for value in params)
    x, n = rows.frequency, rows.per_frequency
    scale = 1.0 / (v + rows.total)
    inverse, squared = (
        rows.by_frequency(rows.weight * scale),
        rows.by_frequency(rows.weight * scale * scale),
    )
    both = n * sp.polygamma(1, p * x + q)
    by_pq, by_pv, by_qv = x @ both, -(x @ inverse), n.sum() / v - inverse.sum()
    hessian = [
        [(x * x) @ (both - n * sp.polygamma(1, p * x)), by_pq, by_pv],
        [by_pq, both.sum() - n.sum() * sp.polygamma(1, q), by_qv],
        [by_pv, by_qv, (p * x + q) @ squared - n.sum() * q / v**2],
    ]
    return *total_log_likelihood(params, rows), np.array(hessian)


def initial_points(rows: Rows) -> list[Floats]:
    """Points to begin a search at: the mean spend of the base is p·v/(q − 1) at each."""
    mean = float(rows.weight @ rows.m) / rows.weight.sum()
    return [
        np.array([p, q, mean * (q - 1.0) / p]) for p, q in ((6.0, 4.0), (1.5, 3.0), (30.0, 10.0))
    ]


def simulate(
    x: ArrayLike, *, p: float, q: float, v: float, seed: int | np.random.Generator
) -> dict[str, Floats]:
    """Simulate the latent ``nu`` and the mean spend ``m`` of customers with x ≥ 1 purchases each.

    Parameters
    ----------
    seed : int or numpy.random.Generator

    Returns
    -------
    dict
        Arrays in the shape of x.

    Examples
    --------
    >>> simulate([1, 2, 3], p=6.25, q=3.74, v=15.44, seed=1)["m"].shape
    (3,)
    """
    rng = np.random.default_rng(seed)
    x = np.asarray(x, float)
    nu = rng.gamma(q, 1.0 / v, x.shape)
    return {"nu": nu, "m": rng.gamma(p * x, 1.0 / (nu * x))}


def identified(params: Floats, rows: Rows) -> list[Note]:  # noqa: ARG001
    """Notes on what the data cannot determine, none if they determine everything."""
    q = float(params[1])
    if q > 1.0:
        return []
    text = (
        f"The spend model has no finite mean (q = {q:.3g} ≤ 1): observed mean spends are used in"
        " place of its expectation."
    )
    return [Note("spend_mean_infinite", text, {"q": q})]


def at_limit(estimate: Mapping[str, float]) -> list[Note]:
    """A note where spends differ so little that the likelihood rises without an end."""
    reasons = [text for name, text in ALIKE.items() if estimate[name] > NO_SPREAD]
    if not reasons:
        return []
    text = (
        f"The spend model is at its limit: {' and '.join(reasons)}. Its mean is right, its"
        " parameters are not determined."
    )
    return [Note("spend_at_limit", text, {name: estimate[name] for name in ALIKE})]
