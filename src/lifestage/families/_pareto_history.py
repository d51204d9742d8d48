"""Histories under the Pareto/NBD: their likelihood, and P(alive).

Parameters
----------
x, t_x, T : array_like
    Of each customer: repeat purchases, the time of the last one, and the time observed.
t : array_like
    Length of the time after T that is looked at.
r, alpha, s, beta : array_like

Returns
-------
array
    In the broadcast shape of the arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lifestage.families._lomax import log_lomax_integral
from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = ["dropout_log_odds", "log_likelihood", "mean_dropout", "p_alive", "p_alive_at"]

Data = ArrayLike


def dropout_log_odds(
    x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> Floats:
    r"""Log odds of having dropped out by T; −inf for T = t_x.

    .. math:: \ln s \int_{t_x}^T \left(\frac{\alpha+T}{\alpha+y}\right)^{r+x}
              \left(\frac{\beta+T}{\beta+y}\right)^{s} \frac{dy}{\beta+y}
    """
    x, t_x = np.asarray(x, float), np.asarray(t_x, float)
    silent, A, B = np.asarray(T, float) - t_x, alpha + t_x, beta + t_x
    integral = log_lomax_integral(0.0, r + x, s + 1.0, 0.0, A, B, silent)
    grown = (r + x) * np.log1p(silent / A) + s * np.log1p(silent / B)
    return np.asarray(np.log(s) - np.log(B) + grown + integral)


def log_likelihood(x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any) -> Floats:
    r"""Log-likelihood of each customer's (x, t_x, T), with every constant.

    .. math:: L = \frac{\Gamma(r+x)\,\alpha^r \beta^s}{\Gamma(r)} \left[
              \frac{1}{(\alpha+T)^{r+x} (\beta+T)^s}
              + \int_{t_x}^T \frac{s\,dy}{(\alpha+y)^{r+x} (\beta+y)^{s+1}}\right]

    The integral replaces the ₂F₁ forms of the papers, which differ for α < β and α > β.

    Returns
    -------
    array
        Natural logarithm, in the broadcast shape of the arguments.

    Examples
    --------
    >>> log_likelihood(2, 30.43, 38.86, r=0.5531, alpha=10.578, s=0.6063, beta=11.669).round(4)
    np.float64(-9.5546)
    """
    x, T = np.asarray(x, float), np.asarray(T, float)
    odds = dropout_log_odds(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta)
    repeated = (
        special.log_rising(r, x)
        - r * np.log1p(T / alpha)
        - x * np.log(alpha + T)
        - s * np.log1p(T / beta)
        + np.logaddexp(0.0, odds)
    )
    # without a repeat, 1 − P(a purchase by T): the same, exact near zero
    bought = _first_purchase(T, r, alpha, s, beta)
    once = np.log1p(-np.minimum(bought, 0.5))
    return np.asarray(np.where((x == 0.0) & (bought < 0.5), once, repeated))[()]


def p_alive(x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any) -> Floats:
    """P(the customer has not dropped out by T), from the two terms of the likelihood.

    Examples
    --------
    >>> p_alive(26, 30.86, 31, r=0.5531, alpha=10.578, s=0.6063, beta=11.669).round(4)
    np.float64(0.9979)
    """
    odds = dropout_log_odds(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta)
    return special.sigmoid(-odds)[()]


def p_alive_at(
    t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> Floats:
    r"""P(the customer has not dropped out by T + t) = P(alive)·(1 + t/(β+T))^(−s).

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> p_alive_at([0, 52], 26, 30.86, 31, **cdnow).round(4)
    array([0.9979, 0.6155])
    """
    still = np.exp(-s * np.log1p(np.asarray(t, float) / (beta + np.asarray(T, float))))
    return np.asarray(p_alive(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta) * still)[()]


def _first_purchase(t: Data, shape: Any, A: Any, s: Any, B: Any) -> Floats:
    """P(a purchase within t) with λ ~ Gamma(shape, A) and µ ~ Gamma(s, B)."""
    integral = log_lomax_integral(0.0, shape + 1.0, s, 0.0, A, B, t)
    return np.asarray(np.minimum(np.exp(np.log(shape) - np.log(A) + integral), 1.0))


def mean_dropout(t: Data, *, r: Any, alpha: Any, s: Any, beta: Any) -> Floats:  # noqa: ARG001
    """Mean probability 1 − (1 + t/β)^(−s) of dropping out within a time t.

    Examples
    --------
    >>> mean_dropout(52, r=0.5531, alpha=10.578, s=0.6063, beta=11.669).round(3)
    np.float64(0.643)
    """
    return special.power_survival(s, np.asarray(t, float) / beta)[()]
