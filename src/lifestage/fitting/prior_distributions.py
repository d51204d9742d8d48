# ruff: noqa: ARG005 -- functions of one signature need not use every argument
"""Distributions of one positive quantity, written as in PyMC: ``"Gamma(alpha=2, beta=4)"``.

A distribution is kept as its text, so that a saved model says, and can draw from, the priors it was
fitted under.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = ["DISTRIBUTIONS", "draw", "normal", "prior_density", "prior_text"]


MAX_LOG, MAX_LOG_ODDS = 700.0, 30.0
"""Logarithm of a quantity, and log odds of a share, beyond which numbers overflow or meet 1."""

EDGE_WIDTH = 0.01
"""Of the logarithm: the edge of a distribution that ends abruptly is 1 % wide."""

Entry = tuple[tuple[str, ...], Callable[..., Any], Callable[..., tuple[float, float]]]

DISTRIBUTIONS: Mapping[str, Entry] = MappingProxyType(
    {
        "Beta": (
            ("alpha", "beta"),
            lambda s, alpha, beta: s.beta(alpha, beta),
            lambda u, x, alpha, beta: (
                alpha * u + (beta - 1) * math.log1p(-x),
                alpha - (beta - 1) * x / (1 - x),
            ),
        ),
        "Exponential": (
            ("lam",),
            lambda s, lam: s.expon(scale=1 / lam),
            lambda u, x, lam: (u - lam * x, 1 - lam * x),
        ),
        "Gamma": (
            ("alpha", "beta"),
            lambda s, alpha, beta: s.gamma(alpha, scale=1 / beta),
            lambda u, x, alpha, beta: (alpha * u - beta * x, alpha - beta * x),
        ),
        "HalfCauchy": (
            ("beta",),
            lambda s, beta: s.halfcauchy(scale=beta),
            lambda u, x, beta: (u - math.log1p((x / beta) ** 2), 1 - 2 * x**2 / (beta**2 + x**2)),
        ),
        "HalfNormal": (
            ("sigma",),
            lambda s, sigma: s.halfnorm(scale=sigma),
            lambda u, x, sigma: (u - 0.5 * (x / sigma) ** 2, 1 - (x / sigma) ** 2),
        ),
        "InverseGamma": (
            ("alpha", "beta"),
            lambda s, alpha, beta: s.invgamma(alpha, scale=beta),
            lambda u, x, alpha, beta: (-alpha * u - beta / x, beta / x - alpha),
        ),
        "LogNormal": (
            ("mu", "sigma"),
            lambda s, mu, sigma: s.lognorm(sigma, scale=math.exp(mu)),
            lambda u, x, mu, sigma: (-0.5 * ((u - mu) / sigma) ** 2, -(u - mu) / sigma**2),
        ),
        "Pareto": (
            ("alpha", "m"),
            lambda s, alpha, m: s.pareto(alpha, scale=m),
            lambda u, x, alpha, m: (-alpha * u, -alpha),
        ),
        "Uniform": (
            ("lower", "upper"),
            lambda s, lower, upper: s.uniform(lower, upper - lower),
            lambda u, x, lower, upper: (u, 1.0),
        ),
        "Weibull": (
            ("alpha", "beta"),
            lambda s, alpha, beta: s.weibull_min(alpha, scale=beta),
            lambda u, x, alpha, beta: (
                alpha * u - (x / beta) ** alpha,
                alpha - alpha * (x / beta) ** alpha,
            ),
        ),
    }
)
"""Names and parameters as in PyMC (``LogNormal`` also takes ``median`` in place of ``mu``), the
distribution, and the log density of u = ln x but for its constant, with its slope."""


def prior_text(distribution: Any, quantity: str, share: bool = False) -> str:
    """Check a distribution and return its text.

    Parameters
    ----------
    distribution : str, PreliZ distribution, or ``pymc_extras.prior.Prior``
    quantity : str
        What it is a prior of, for the message.
    share : bool
        Whether the quantity lies in (0, 1) rather than above 0.

    Raises
    ------
    ConfigError
        If it cannot be read, has other parameters, or puts weight where the quantity cannot be.

    Examples
    --------
    >>> prior_text("Gamma(2, 4)", "r")
    'Gamma(alpha=2, beta=4)'
    """
    if isinstance(distribution, str):
        name, values = _read(distribution, quantity)
    elif hasattr(distribution, "distribution") and hasattr(distribution, "parameters"):
        name, values = str(distribution.distribution), dict(distribution.parameters)  # pymc_extras
    elif hasattr(distribution, "params") and hasattr(distribution, "param_names"):  # PreliZ
        name = type(distribution).__name__
        values = dict(zip(distribution.param_names, distribution.params, strict=True))
    else:
        raise _unreadable(distribution, quantity)
    numeric = all(isinstance(value, (int, float, np.number)) for value in values.values())
    if name not in DISTRIBUTIONS or not numeric:
        raise _unreadable(distribution, quantity)
    words = [f"{key}={float(value):.10g}" for key, value in values.items()]
    text = f"{name}({', '.join(words)})"
    frozen = _frozen(text)
    low, high = frozen.support()
    inside = low >= 0 and (high <= 1 or not share)
    if not inside or not np.isfinite(frozen.logpdf(frozen.median())):
        raise ConfigError(
            f"expected a prior of {quantity} within {'(0, 1)' if share else '(0, ∞)'}; got"
            f" {distribution}"
        )
    return text


def _unreadable(distribution: Any, quantity: str) -> ConfigError:
    forms = [f"{name}({', '.join(params)})" for name, (params, *_) in DISTRIBUTIONS.items()]
    return ConfigError(
        f"expected a prior of {quantity} such as {', '.join(forms)}; got {distribution!r}"
    )


def _read(text: str, quantity: str) -> tuple[str, dict[str, Any]]:
    """Name and parameters of a text such as ``Gamma(2, 4)``; nothing in it is executed."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            raise _unreadable(text, quantity)
        values = dict(
            zip(DISTRIBUTIONS[call.func.id][0], map(ast.literal_eval, call.args), strict=False)
        )
        for word in call.keywords:
            values[str(word.arg)] = ast.literal_eval(word.value)
    except (SyntaxError, ValueError, KeyError) as error:
        raise _unreadable(text, quantity) from error
    if len(values) != len(call.args) + len(call.keywords):
        raise _unreadable(text, quantity)
    return call.func.id, values


def _parameters(text: str) -> tuple[str, dict[str, float]]:
    """Name and the parameters that PyMC gives it."""
    name, values = _read(text, "a parameter")
    if name == "LogNormal" and values.get("median", 0) > 0:
        values["mu"] = float(np.log(values.pop("median")))
    if set(values) != set(DISTRIBUTIONS[name][0]):
        raise ConfigError(f"expected {name}({', '.join(DISTRIBUTIONS[name][0])}); got {text}")
    return name, values


@lru_cache(maxsize=64)
def _frozen(text: str) -> Any:
    """The distribution of a text that :func:`prior_text` made."""
    from scipy import stats

    name, values = _parameters(text)
    frozen = None
    if 0 not in (values.get("lam"), values.get("beta")):
        with np.errstate(all="ignore"):
            frozen = DISTRIBUTIONS[name][1](stats, **values)
    if frozen is None or not np.isfinite(frozen.median()):
        raise ConfigError(f"expected positive parameters of {name}; got {text}")
    return frozen


def normal(text: str) -> tuple[float, float] | None:
    """Mean and standard deviation of the logarithm, where that is normal; else None."""
    name, values = _parameters(text)
    return (values["mu"], values["sigma"]) if name == "LogNormal" else None


def prior_density(text: str, share: bool = False) -> Callable[[float], tuple[float, float]]:
    """Log density and slope of the logarithm u of the quantity (of its log odds, for a share).

    The density of u is that of the quantity times its derivative by u. Beyond an edge of the
    support (``Uniform``, ``Pareto``) it falls as a normal density of standard deviation
    ``EDGE_WIDTH``, so that there is always a mode.
    """
    name, values = _parameters(text)
    frozen, shape = _frozen(text), DISTRIBUTIONS[name][2]
    support = np.asarray(frozen.support())
    with np.errstate(divide="ignore"):
        edges = np.log(support) - (np.log1p(-support) if share else 0.0)
    farthest = MAX_LOG_ODDS if share else MAX_LOG
    low, high = max(float(edges[0]), -farthest), min(float(edges[1]), farthest)
    middle = float(frozen.median())
    u = math.log(middle)
    constant = float(frozen.logpdf(middle)) + u - shape(u, middle, **values)[0]

    def density(u: float) -> tuple[float, float]:
        inside = min(max(u, low), high)
        at = -float(np.logaddexp(0.0, -inside)) if share else inside
        x = math.exp(at)
        value, slope = shape(at, x, **values)
        if share:
            value, slope = value + math.log1p(-x), slope * (1 - x) - x
        beyond = (u - inside) / EDGE_WIDTH
        return (value + constant - 0.5 * beyond**2, -beyond / EDGE_WIDTH if beyond else slope)

    return density


def draw(text: str, z: Floats, share: bool = False) -> Floats:
    """Draws of u from standard normal draws: the quantile of the distribution at their level."""
    from scipy.special import ndtr

    moments = normal(text)
    if moments is not None:
        return moments[0] + moments[1] * z
    value = _frozen(text).ppf(ndtr(z))
    return np.asarray(np.log(value) - (np.log1p(-value) if share else 0.0))
