"""Weakly informative priors on scale-free quantities, so that a fit does not depend on the units of time or money.

Purchases, with τ the mean time observed of the base:

    r                   LogNormal(median=0.5, sigma=1.5)    how alike the customers' rates are rate
    = r·τ/α        LogNormal(median=1, sigma=2)        repeat purchases of a never-leaving customer
    while observed odds = a/b          LogNormal(median=0.33, sigma=1.5)   odds of the mean dropout
    chance (90 % within 3–80 %) size = a + b        LogNormal(median=4, sigma=1.5)      how alike
    the customers' dropout chances are

Spend, with μ the mean spend of the base:

    p                   LogNormal(median=4, sigma=1.5)      regularity of one customer's spends
    q                   LogNormal(median=4, sigma=0.7)      how alike the customers' mean spends are
    level = v·p/(μ·q)   LogNormal(median=1, sigma=1)        typical spend, near the observed mean

Each can be given another law, and parameters themselves can carry one: ``alpha`` (periods) in place
of ``rate``, ``dropout`` = a/(a + b) in place of ``odds``, ``a`` and ``b`` in place of ``odds`` and
``size``, ``v`` (money) in place of ``level``. Densities are of the logarithms (of the log odds, for
``dropout``), the scale on which the mode, the Hessian and the posterior live; every choice of
quantities has the Jacobian 1 on that scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.typing import Floats
from lifestage.fitting.prior_distributions import draw, law_density, law_text, normal

__all__ = ["DEFAULTS", "LogPrior", "choose", "log_prior", "sample_prior"]

LogPrior = Callable[[Floats], tuple[float, Floats]]

DEFAULTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "purchases": MappingProxyType(
            {
                "r": "LogNormal(median=0.5, sigma=1.5)",
                "rate": "LogNormal(median=1, sigma=2)",
                "odds": "LogNormal(median=0.33, sigma=1.5)",
                "size": "LogNormal(median=4, sigma=1.5)",
            }
        ),
        "spend": MappingProxyType(
            {
                "p": "LogNormal(median=4, sigma=1.5)",
                "q": "LogNormal(median=4, sigma=0.7)",
                "level": "LogNormal(median=1, sigma=1)",
            }
        ),
    }
)
"""Laws of the quantities, by part of the model."""

INSTEAD = {"alpha": "rate", "dropout": "odds", "a": "odds", "b": "size", "v": "level"}
"""Parameters that can carry a prior, and the quantity that then has none."""

SHARES = {"dropout"}


def choose(given: Mapping[str, Any] | None) -> dict[str, dict[str, str]]:
    """The priors of each part: the defaults, with those given in their place.

    Parameters
    ----------
    given : mapping, optional
        Quantity or parameter → law, as :func:`lifestage.fitting.prior_distributions.law_text` reads
        it.

    Raises
    ------
    ConfigError
        If a name or a law is unknown, or two priors are of the same quantity.

    Examples
    --------
    >>> choose({"dropout": "Beta(alpha=1, beta=3)"})["purchases"]["dropout"]
    'Beta(alpha=1, beta=3)'
    """
    chosen = {kind: dict(laws) for kind, laws in DEFAULTS.items()}
    given = dict(given or {})
    known = [*(name for laws in DEFAULTS.values() for name in laws), *INSTEAD]
    if strange := [name for name in given if name not in known]:
        raise ConfigError(
            f"expected priors of {', '.join(known)}; got one of {', '.join(map(str, strange))}"
        )
    if ("a" in given) != ("b" in given):
        raise ConfigError(
            "expected priors of both a and b, or of neither (dropout and size describe them"
            " together)"
        )
    for name, law in given.items():
        old = INSTEAD.get(name, name)
        laws = next(laws for kind, laws in chosen.items() if old in DEFAULTS[kind])
        if old not in laws or (old != name and old in given):
            raise ConfigError(
                f"expected one prior of each quantity; {name} and another prior are both of {old}"
            )
        text = law_text(law, name, share=name in SHARES)
        replaced = {
            (name if key == old else key): text if key == old else value
            for key, value in laws.items()
        }
        laws.clear()
        laws.update(replaced)
    return chosen


def _coordinates(names: list[str], units: Floats) -> tuple[Floats, Floats]:
    """Slope A and constant c of u = A·theta + c, the logarithms of the named quantities (``size`` is not linear)."""
    e = np.eye(units.size)
    if units.size == 3:
        rows = {"p": e[0], "q": e[1], "level": e[2] + e[0] - e[1], "v": e[2]}
    else:
        odds = e[2] - e[3]
        rows = {"r": e[0], "rate": e[0] - e[1], "alpha": e[1], "odds": odds, "dropout": odds}
        rows |= {"size": 0 * odds, "a": e[2], "b": e[3]}
    constant = {"alpha": np.log(units[1]), "v": np.log(units[-1])}
    return np.array([rows[name] for name in names]), np.array(
        [constant.get(name, 0.0) for name in names]
    )


def log_prior(
    kind: str, laws: Mapping[str, str] | None = None, units: Floats | None = None
) -> LogPrior:
    """Return the log prior density and its gradient in the scaled log parameters ln(parameter ÷ unit).

    Parameters
    ----------
    kind : ``"purchases"`` or ``"spend"``
    laws : mapping, optional
        Of the quantities, from :func:`choose`; the defaults if left out.
    units : array, shape (k,), optional
        Unit of each parameter, 1 if left out; priors of ``alpha`` and ``v`` need it.
    """
    laws = DEFAULTS[kind] if laws is None else laws
    names = list(laws)
    slopes, constant = _coordinates(names, np.ones(len(laws)) if units is None else units)
    moments = [normal(text) for text in laws.values()]
    mean, sd = np.array([(0.0, np.inf) if each is None else each for each in moments]).T
    others = [
        (i, law_density(laws[name], share=name in SHARES))
        for i, name in enumerate(names)
        if moments[i] is None
    ]
    size = names.index("size") if "size" in names else None
    level = -float(np.log(sd[np.isfinite(sd)]).sum()) - 0.5 * int(np.isfinite(sd).sum()) * float(
        np.log(2 * np.pi)
    )

    def density(theta: Floats) -> tuple[float, Floats]:
        u, jacobian = slopes @ theta + constant, slopes
        if size is not None:
            a, b = theta[2:]
            share = 1.0 / (1.0 + np.exp(b - a))
            u[size], jacobian = np.logaddexp(a, b), slopes.copy()
            jacobian[size, 2:] = share, 1.0 - share
        z = (u - mean) / sd
        value, slope = level - 0.5 * float(z @ z), -z / sd
        for i, law in others:
            log_value, slope[i] = law(float(u[i]))
            value += log_value
        return value, slope @ jacobian

    return density


def sample_prior(
    kind: str,
    size: int,
    seed: int | np.random.Generator,
    laws: Mapping[str, str] | None = None,
    units: Floats | None = None,
) -> Floats:
    """Draw the scaled log parameters of ``"purchases"`` or ``"spend"`` from their prior, shape (size, k).

    Examples
    --------
    >>> sample_prior("spend", 5, seed=1).shape
    (5, 3)
    """
    laws = DEFAULTS[kind] if laws is None else laws
    z = np.random.default_rng(seed).standard_normal((size, len(laws)))
    scale = np.ones(len(laws)) if units is None else units
    u = {
        name: draw(text, z[:, i], share=name in SHARES)
        for i, (name, text) in enumerate(laws.items())
    }
    if kind == "spend":
        v = u["v"] - np.log(scale[2]) if "v" in u else u["level"] - u["p"] + u["q"]
        return np.stack([u["p"], u["q"], v], axis=1)
    alpha = u["alpha"] - np.log(scale[1]) if "alpha" in u else u["r"] - u["rate"]
    if "a" in u:
        return np.stack([u["r"], alpha, u["a"], u["b"]], axis=1)
    odds = u["dropout"] if "dropout" in u else u["odds"]
    both = u["size"]
    return np.stack(
        [u["r"], alpha, both - np.logaddexp(0.0, -odds), both - np.logaddexp(0.0, odds)], axis=1
    )
