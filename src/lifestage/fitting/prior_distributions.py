# ruff: noqa: ARG005 -- laws of one signature need not use every argument
"""Distributions of one positive quantity, written as in PyMC and PreliZ: ``"Gamma(alpha=2, beta=4)"``.

A law is kept as its text, so that a saved model says, and can draw from, the priors it was fitted
under.
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

__all__ = ["LAWS", "draw", "law_density", "law_text", "normal"]


HIGHEST, HIGHEST_ODDS = 700.0, 30.0
"""Logarithm of a quantity, and log odds of a share, beyond which numbers overflow or meet 1."""

WALL = 0.01
"""Of the logarithm: the edge of a law that ends abruptly is 1 % wide."""

Law = tuple[tuple[str, ...], Callable[..., Any], Callable[..., tuple[float, float]]]

LAWS: Mapping[str, Law] = MappingProxyType(
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
"""Names and parameters as in PyMC (``LogNormal`` also takes ``median`` in place of ``mu``), the distribution, and the
log density of u = ln x but for its constant, with its slope."""


def law_text(given: Any, what: str, share: bool = False) -> str:
    """Check a law and return its text.

    Parameters
    ----------
    given : str, PreliZ distribution, or ``pymc_extras.prior.Prior``
    what : str
        The quantity it is a prior of, for the message.
    share : bool
        Whether the quantity lies in (0, 1) rather than above 0.

    Raises
    ------
    ConfigError
        If it cannot be read, has other parameters, or puts weight where the quantity cannot be.

    Examples
    --------
    >>> law_text("Gamma(2, 4)", "r")
    'Gamma(alpha=2, beta=4)'
    """
    if isinstance(given, str):
        name, values = _read(given, what)
    elif hasattr(given, "distribution") and hasattr(given, "parameters"):  # Prior of pymc_extras
        name, values = str(given.distribution), dict(given.parameters)
    elif hasattr(given, "params") and hasattr(given, "param_names"):  # PreliZ
        name, values = type(given).__name__, dict(zip(given.param_names, given.params, strict=True))
    else:
        raise _unreadable(given, what)
    if name not in LAWS or not all(isinstance(v, (int, float, np.number)) for v in values.values()):
        raise _unreadable(given, what)
    text = f"{name}({', '.join(f'{key}={float(value):.10g}' for key, value in values.items())})"
    law = _law(text)
    low, high = law.support()
    if not (low >= 0 and (high <= 1 or not share)) or not np.isfinite(law.logpdf(law.median())):
        raise ConfigError(
            f"expected a prior of {what} within {'(0, 1)' if share else '(0, ∞)'}; got {given}"
        )
    return text


def _unreadable(given: Any, what: str) -> ConfigError:
    known = ", ".join(f"{name}({', '.join(params)})" for name, (params, *_) in LAWS.items())
    return ConfigError(f"expected a prior of {what} such as {known}; got {given!r}")


def _read(text: str, what: str) -> tuple[str, dict[str, Any]]:
    """Name and parameters of a text such as ``Gamma(alpha=2, beta=4)``; nothing in it is executed."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            raise _unreadable(text, what)
        names = LAWS[call.func.id][0]
        values = dict(zip(names, (ast.literal_eval(arg) for arg in call.args), strict=False))
        values |= {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, KeyError) as error:
        raise _unreadable(text, what) from error
    if len(values) != len(call.args) + len(call.keywords):
        raise _unreadable(text, what)
    return call.func.id, values


def _values(text: str) -> tuple[str, dict[str, float]]:
    """Name and the parameters that PyMC gives it."""
    name, values = _read(text, "a parameter")
    if name == "LogNormal" and values.get("median", 0) > 0:
        values["mu"] = float(np.log(values.pop("median")))
    if set(values) != set(LAWS[name][0]):
        raise ConfigError(f"expected {name}({', '.join(LAWS[name][0])}); got {text}")
    return name, values


@lru_cache(maxsize=64)
def _law(text: str) -> Any:
    """The distribution of a text that :func:`law_text` made."""
    from scipy import stats

    name, values = _values(text)
    with np.errstate(all="ignore"):
        law = (
            None if 0 in (values.get("lam"), values.get("beta")) else LAWS[name][1](stats, **values)
        )
    if law is None or not np.isfinite(law.median()):
        raise ConfigError(f"expected positive parameters of {name}; got {text}")
    return law


def normal(text: str) -> tuple[float, float] | None:
    """Mean and standard deviation of the logarithm of the quantity, where that is normal; else None."""
    name, values = _values(text)
    return (values["mu"], values["sigma"]) if name == "LogNormal" else None


def law_density(text: str, share: bool = False) -> Callable[[float], tuple[float, float]]:
    """Log density and slope of the logarithm u of the quantity (of its log odds, for a share).

    The density of u is that of the quantity times its derivative by u. Beyond an edge of the
    support (``Uniform``, ``Pareto``) it falls as a normal density of standard deviation ``WALL``,
    so that there is always a mode.
    """
    name, values = _values(text)
    law, shape = _law(text), LAWS[name][2]
    with np.errstate(divide="ignore"):
        edges = np.log(law.support()) - (np.log1p(-np.asarray(law.support())) if share else 0.0)
    farthest = HIGHEST_ODDS if share else HIGHEST
    low, high = max(float(edges[0]), -farthest), min(float(edges[1]), farthest)
    middle = float(law.median())
    constant = (
        float(law.logpdf(middle)) + math.log(middle) - shape(math.log(middle), middle, **values)[0]
    )

    def density(u: float) -> tuple[float, float]:
        inside = min(max(u, low), high)
        at = -float(np.logaddexp(0.0, -inside)) if share else inside
        x = math.exp(at)
        value, slope = shape(at, x, **values)
        if share:
            value, slope = value + math.log1p(-x), slope * (1 - x) - x
        beyond = (u - inside) / WALL
        return (value + constant - 0.5 * beyond**2, -beyond / WALL if beyond else slope)

    return density


def draw(text: str, z: Floats, share: bool = False) -> Floats:
    """Draws of u from standard normal draws: the quantile of the law at their level."""
    from scipy.special import ndtr

    moments = normal(text)
    if moments is not None:
        return moments[0] + moments[1] * z
    value = _law(text).ppf(ndtr(z))
    return np.asarray(np.log(value) - (np.log1p(-value) if share else 0.0))
