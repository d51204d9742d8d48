"""Thresholds of the stages and flags."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lifestage.core.errors import ConfigError

__all__ = ["Thresholds"]


@dataclass(frozen=True)
class Thresholds:
    """The numbers in the rules of the stages and flags; checked when created.

    Attributes
    ----------
    awake, drowsy, asleep : float
        Cuts of ``activity_ratio``: awake at or above the first (.70), drowsy at or above the second
        (.45), half asleep at or above the third (.20), asleep below it.
    high_value_cut : float or None
        Purchase days × expected spend (money; purchase days alone without a spend model) from which
        a customer is of high value. None takes the cut that the scores carry, a percentile of the
        customers that the model was fitted on.
    alive : float
        P(alive) from which a customer of high value can still be won back (.10).
    frequent : int
        Purchase days that make a frequent buyer (3).
    min_days : float
        Days since the first purchase before anyone can be at risk (7).
    gaps : tuple of three floats
        Multiples of the customer's mean gap that end active, drowsy and half asleep under
        ``line_rule="nes"`` (1, 2, 3).

    Raises
    ------
    ConfigError
        If a share is outside [0, 1], or cuts are out of order.

    Examples
    --------
    >>> Thresholds(awake=0.8).drowsy
    0.45
    """

    awake: float = 0.70
    drowsy: float = 0.45
    asleep: float = 0.20
    high_value_cut: float | None = None
    alive: float = 0.10
    frequent: int = 3
    min_days: float = 7.0
    gaps: tuple[float, float, float] = (1.0, 2.0, 3.0)

    def __post_init__(self) -> None:
        if not 0 < self.asleep < self.drowsy < self.awake <= 1:
            got = f"asleep={self.asleep!r}, drowsy={self.drowsy!r}, awake={self.awake!r}"
            raise ConfigError(
                "thresholds of activity_ratio must satisfy 0 < asleep < drowsy < awake <= 1;"
                f" got {got}"
            )
        if self.high_value_cut is not None and not 0 <= self.high_value_cut < math.inf:
            raise ConfigError(
                f"high_value_cut must be 0 or more, or None; got {self.high_value_cut!r}"
            )
        if not 0 <= self.alive <= 1:
            raise ConfigError(f"alive must be a share in [0, 1]; got {self.alive!r}")
        if self.frequent < 2:
            raise ConfigError(f"frequent must be 2 purchase days or more; got {self.frequent!r}")
        if not (math.isfinite(self.min_days) and self.min_days >= 0):
            raise ConfigError(f"min_days must be 0 or more days; got {self.min_days!r}")
        if len(self.gaps) != 3 or not 0 < self.gaps[0] < self.gaps[1] < self.gaps[2] < math.inf:
            raise ConfigError(
                f"gaps must be three rising multiples of the mean gap; got {self.gaps!r}"
            )

    def constants(self) -> dict[str, float]:
        """Return the numbers under the names by which the conditions of a playbook read them.

        Returns
        -------
        dict of str to float
            ``awake``, ``drowsy``, ``asleep``, ``alive``, ``frequent``, and ``active_gaps``,
            ``drowsy_gaps``, ``half_asleep_gaps`` from ``gaps``.

        Examples
        --------
        >>> Thresholds(awake=0.8).constants()["awake"]
        0.8
        """
        active, drowsy, half_asleep = self.gaps
        return {
            "awake": self.awake,
            "drowsy": self.drowsy,
            "asleep": self.asleep,
            "alive": self.alive,
            "frequent": self.frequent,
            "active_gaps": active,
            "drowsy_gaps": drowsy,
            "half_asleep_gaps": half_asleep,
        }
