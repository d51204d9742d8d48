"""Weakly informative priors on scale-free quantities, so that a fit does not depend on units.

Each family has its quantities, their default priors, and parameters that can carry a prior in their
place: its ``PRIORS``, a :class:`lifestage.families.prior_quantities.Priors`. Each quantity can be
given another distribution. Densities are of the logarithms (of the log odds, for a share), the
scale on which the mode, the Hessian and the posterior live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.typing import Floats
from lifestage.fitting.prior_distributions import draw, normal, prior_density, prior_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

__all__ = [
    "LogPrior",
    "check_prior_names",
    "choose_priors",
    "log_prior",
    "own_priors",
    "prior_names",
    "sample_prior",
]

LogPrior = Callable[[Floats], tuple[float, Floats]]


def prior_names(modules: Iterable[ModuleType]) -> list[str]:
    """Quantities and parameters of families that can carry a prior, the default ones first."""
    names: dict[str, None] = {}
    modules = list(modules)
    for module in modules:
        names |= dict.fromkeys(module.PRIORS.defaults)
    for module in modules:
        names |= dict.fromkeys(module.PRIORS.replaces)
    return list(names)


def check_prior_names(priors: Mapping[str, Any] | None, modules: Iterable[ModuleType]) -> None:
    """Raise a ConfigError if none of the families knows a quantity that a prior is given of."""
    names = prior_names(modules)
    unknown = [str(name) for name in priors or {} if name not in names]
    if unknown:
        raise ConfigError(f"expected priors of {', '.join(names)}; got one of {', '.join(unknown)}")


def own_priors(module: ModuleType, priors: Mapping[str, Any] | None) -> dict[str, Any]:
    """Those of the priors that are of a quantity of the family."""
    return {name: prior for name, prior in (priors or {}).items() if name in module.PRIORS.slopes}


def choose_priors(module: ModuleType, priors: Mapping[str, Any] | None) -> dict[str, str]:
    """The priors of a family: its defaults, with those given in their place.

    Parameters
    ----------
    module : module
        Of the family.
    priors : mapping, optional
        Quantity or parameter → distribution, as
        :func:`lifestage.fitting.prior_distributions.prior_text` reads it. Those that the family
        does not have are passed over.

    Raises
    ------
    ConfigError
        If a distribution cannot be read, or two priors are of the same quantity.

    Examples
    --------
    >>> from lifestage.families import bgnbd
    >>> choose_priors(bgnbd, {"dropout": "Beta(alpha=1, beta=3)"})["dropout"]
    'Beta(alpha=1, beta=3)'
    """
    known = module.PRIORS
    own = own_priors(module, priors)
    missing = [name for name in known.together if name not in own]
    if 0 < len(missing) < len(known.together):
        raise ConfigError(f"expected priors of both {' and '.join(known.together)}, or of neither")
    chosen = dict(known.defaults)
    for name, distribution in own.items():
        replaced = known.replaces.get(name, name)
        if replaced not in chosen or (replaced != name and replaced in own):
            raise ConfigError(
                f"expected one prior of each quantity; {name} and another prior are both of"
                f" {replaced}"
            )
        text = prior_text(distribution, name, share=name in known.shares)
        chosen = _replace(chosen, replaced, name, text)
    return chosen


def _replace(chosen: dict[str, str], old: str, name: str, text: str) -> dict[str, str]:
    """The same mapping with another entry in the place of *old*."""
    entries = []
    for key, value in chosen.items():
        entries.append((name, text) if key == old else (key, value))
    return dict(entries)


def _log_units(module: ModuleType, names: Iterable[str], units: Floats | None) -> Floats:
    """Logarithm of the unit of each quantity, 0 where it is free of units."""
    unit_of = {} if units is None else dict(zip(module.PARAMS, units, strict=True))
    return np.log([unit_of.get(name, 1.0) for name in names])


def log_prior(
    module: ModuleType, priors: Mapping[str, str] | None = None, units: Floats | None = None
) -> LogPrior:
    """Return the log prior density and its gradient in theta = ln(parameter ÷ unit).

    Parameters
    ----------
    module : module
        Of the family.
    priors : mapping, optional
        Of the quantities, from :func:`choose_priors`; the defaults if left out.
    units : array, shape (k,), optional
        Unit of each parameter, 1 if left out; priors of parameters with a unit need it.
    """
    known = module.PRIORS
    priors = known.defaults if priors is None else priors
    names = list(priors)
    slopes = np.array([known.slopes[name] for name in names])
    constant = _log_units(module, names, units)
    curved = [(i, known.curved[name]) for i, name in enumerate(names) if name in known.curved]
    mean, sd, others = np.zeros(len(names)), np.full(len(names), np.inf), []
    for i, (name, text) in enumerate(priors.items()):
        moments = normal(text)
        if moments is None:
            others.append((i, prior_density(text, share=name in known.shares)))
        else:
            mean[i], sd[i] = moments
    bounded = np.isfinite(sd)
    level = -float(np.log(sd[bounded]).sum()) - 0.5 * int(bounded.sum()) * float(np.log(2 * np.pi))

    def density(theta: Floats) -> tuple[float, Floats]:
        u, jacobian = slopes @ theta + constant, slopes
        if curved:
            jacobian = slopes.copy()
            for i, quantity in curved:
                u[i], jacobian[i] = quantity(theta)
        z = (u - mean) / sd
        value, slope = level - 0.5 * float(z @ z), -z / sd
        for i, prior in others:
            log_value, slope[i] = prior(float(u[i]))
            value += log_value
        return value, slope @ jacobian

    return density


def sample_prior(
    module: ModuleType,
    size: int,
    seed: int | np.random.Generator,
    priors: Mapping[str, str] | None = None,
    units: Floats | None = None,
) -> Floats:
    """Draw theta = ln(parameter ÷ unit) of a family from its priors, shape (size, k).

    Examples
    --------
    >>> from lifestage.families import gammagamma
    >>> sample_prior(gammagamma, 5, seed=1).shape
    (5, 3)
    """
    known = module.PRIORS
    priors = known.defaults if priors is None else priors
    z = np.random.default_rng(seed).standard_normal((size, len(priors)))
    constant = _log_units(module, priors, units)
    u = {}
    for i, (name, text) in enumerate(priors.items()):
        u[name] = draw(text, z[:, i], share=name in known.shares) - constant[i]
    return np.stack(known.parameters(u), axis=1)
