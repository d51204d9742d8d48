"""How to fit: the method, its draws and seed, priors and starting points; checked when made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["METHODS", "Settings"]

METHODS = ("mle", "map", "laplace", "nuts")


@dataclass(frozen=True)
class Settings:
    """Options of a fit.

    Attributes
    ----------
    method : ``"mle"``, ``"map"``, ``"laplace"`` or ``"nuts"``
        Maximum likelihood; the mode under the priors of :mod:`lifestage.fitting.priors`; draws from
        that posterior, by importance sampling or by the No-U-Turn sampler.
    draws, seed : int
        For the two methods that draw; ``"nuts"`` keeps so many draws of each chain, stored one
        chain after another.
    chains, tune, progress : int, int, bool
        For ``"nuts"``; see :func:`lifestage.fitting.nuts.sample`.
    priors : mapping, optional
        Distributions in place of the defaults; see :mod:`lifestage.fitting.priors`.
    start : mapping, optional
        By family, parameters (periods) at which to begin in place of its own initial points.

    Raises
    ------
    ConfigError
        If the method is unknown, a number is too small, or maximum likelihood is given priors.
    """

    method: str = "mle"
    draws: int = 1000
    seed: int = 0
    chains: int = 4
    tune: int = 1000
    progress: bool = False
    priors: Mapping[str, Any] | None = None
    start: Mapping[str, Mapping[str, float]] | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"method must be one of {', '.join(METHODS)}; got {self.method!r}")
        if self.priors and self.method == "mle":
            raise ConfigError(
                'expected method="map", "laplace" or "nuts" with priors; maximum likelihood has'
                " none"
            )
        fewest = {"draws": 4 if self.method == "nuts" else 2, "chains": 1, "tune": 50}
        for name, least in fewest.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be {least} or more; got {getattr(self, name)}")
