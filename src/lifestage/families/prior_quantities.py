"""The quantities of a family that can carry a prior."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lifestage.core.typing import Floats

__all__ = ["Priors"]


@dataclass(frozen=True, eq=False)
class Priors:
    """Default priors, and how the quantities that can carry one follow from the parameters.

    Everything is said of logarithms (of log odds, for a quantity in (0, 1)), the scale on which the
    mode, the Hessian and the posterior live. theta are the logarithms of the parameters over their
    units (the mean time observed, the mean spend, or 1), so that nothing depends on the units of
    the data. A quantity with the name of a parameter is in the units of the data, every other is
    free of units. Every choice of one quantity per parameter must have the Jacobian 1.

    Attributes
    ----------
    defaults : mapping of str to str
        Prior of each default quantity, one per parameter.
    slopes : mapping of str to array, shape (k,)
        Derivatives of each quantity in theta; of a curved one they are ignored.
    parameters : callable
        From a mapping of quantity to values, theta by parameter, in the order of ``PARAMS``.
    replaces : mapping of str to str
        Quantities that can be used instead of a default one.
    shares : frozenset of str
        Quantities in (0, 1).
    together : tuple of str
        Quantities of which all or none have a prior.
    curved : mapping of str to callable
        Quantities that are not linear in theta: theta → (value, derivatives).
    """

    defaults: Mapping[str, str]
    slopes: Mapping[str, Floats]
    parameters: Callable[[Mapping[str, Any]], list[Any]]
    replaces: Mapping[str, str] = field(default_factory=dict)
    shares: frozenset[str] = frozenset()
    together: tuple[str, ...] = ()
    curved: Mapping[str, Callable[[Floats], tuple[float, Floats]]] = field(default_factory=dict)
