"""What is known of a family's parameters after seeing the data; a point estimate is a posterior of one draw."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families import STACK, family
from lifestage.numerics.statistics import z_score

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifestage.core.notes import Note
    from lifestage.core.typing import Floats

__all__ = ["Posterior", "Status"]


@dataclass(frozen=True)
class Status:
    """Whether a fit can be trusted: ``converged``, and a note for everything that a reader must know."""

    converged: bool
    notes: tuple[Note, ...] = ()

    def __str__(self) -> str:
        head = "The optimiser converged." if self.converged else "The optimiser did NOT converge."
        return " ".join([head, *(note.text for note in self.notes)])

    @property
    def failed(self) -> bool:
        """Whether the search did not converge, or the draws are not those of the posterior."""
        return not self.converged or any(
            self.has(code) for code in ("unreliable_draws", "chains_unmixed")
        )

    def has(self, code: str) -> bool:
        """Whether a note with this code is present."""
        return any(note.code == code for note in self.notes)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of a family's parameters.

    Attributes
    ----------
    family, method : str
        ``"bg/nbd"`` …, ``"mle"`` …
    draws : dict of str to array, shape (draws,)
        In the units of the data (time parameters in periods, money parameters in money). In a
        stack the names have the family, such as ``"bg/nbd: r"``, and a draw has NaN for the
        parameters of all families but its own.
    status : Status
    covariance : array, shape (k, k), or None
        Of the logarithms of the parameters, in the order of the family's ``PARAMS``, in the
        directions that the data determine; zero in others. None where the method does not give one.
    diagnostics : dict
        ``log_likelihood`` (full, all customers), ``observations``, ``aic``, ``bic``, ``gradient``
        (largest absolute element, per observation, on the log scale), ``undetermined`` (parameters
        without a standard error), ``units`` (of each parameter, on which the priors are set), and
        what else the method reports.
    priors : dict
        Description of the prior by scale-free quantity; empty under maximum likelihood.
    """

    family: str
    method: str
    draws: Mapping[str, Floats]
    status: Status
    covariance: Floats | None = None
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    priors: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of draws."""
        return next(iter(self.draws.values())).size

    @property
    def estimate(self) -> dict[str, float]:
        """Mean of the draws by parameter; in a stack, of the draws of its family."""
        estimate = {}
        for name, values in self.draws.items():
            own = values[~np.isnan(values)] if self.family == STACK else values
            estimate[name] = float(own.mean()) if own.size else np.nan
        return estimate

    def columns(self) -> dict[str, Floats]:
        """Parameters of shape (draws, 1), to broadcast against rows of shape (n,)."""
        return {name: values[:, None] for name, values in self.draws.items()}

    def thin(self, draws: int) -> Posterior:
        """At most this many draws, evenly spaced (they are in random order, or one chain after another)."""
        if draws >= self.size:
            return self
        pick = np.unique(np.linspace(0, self.size - 1, draws).round().astype(int))
        known = {
            name: value
            for name, value in self.diagnostics.items()
            if name not in ("chains", "divergent")
        }
        return replace(
            self,
            draws={name: values[pick] for name, values in self.draws.items()},
            diagnostics=known,
        )

    def resampled(self, size: int, rng: np.random.Generator) -> dict[str, Floats]:
        """So many draws of the parameters, one a scenario of what is to come.

        Those of a posterior in random order, again and again if there are fewer; of a point
        estimate normal ones on the log scale by its covariance, in the directions that the data
        determine, or the estimate itself without one.
        """
        if self.size > 1:
            rows = np.concatenate(
                [rng.permutation(self.size) for _ in range(-(-size // self.size))]
            )[:size]
            return {name: values[rows] for name, values in self.draws.items()}
        names = family(self.family).PARAMS
        spread = np.zeros((len(names), len(names))) if self.covariance is None else self.covariance
        steps = np.exp(rng.multivariate_normal(np.zeros(len(names)), spread, size, method="eigh"))
        return {name: value * steps[:, i] for i, (name, value) in enumerate(self.ordered(names))}

    def _repr_html_(self) -> str:
        table = self.table().to_html(index=False, float_format="{:.5g}".format)
        return f"{table}<p>{self.status}</p>"

    def moved(self, step: Floats) -> dict[str, float]:
        """The estimate after a step on the log scale, in the order of the family's ``PARAMS``."""
        names = family(self.family).PARAMS
        return {
            name: value * float(np.exp(d))
            for (name, value), d in zip(self.ordered(names), step, strict=True)
        }

    def ordered(self, names: tuple[str, ...]) -> list[tuple[str, float]]:
        """(name, estimate) pairs in the given order."""
        estimate = self.estimate
        return [(name, estimate[name]) for name in names]

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Parameter, estimate, standard deviation and interval, a row a parameter.

        For one draw the interval is estimate·exp(± z·sd of the logarithm), which stays positive;
        for many draws it is made of their quantiles. A parameter that the data do not determine has
        no standard deviation. A stack has the 95 % intervals of each of its families, and the
        column ``weight``.
        """
        import pandas as pd

        if "components" in self.diagnostics:  # of a stack, each family's own
            return pd.DataFrame(self.diagnostics["components"]).astype(
                {"sd": float, "low": float, "high": float}
            )
        names = family(self.family).PARAMS
        rows = []
        for i, (name, estimate) in enumerate(self.ordered(names)):
            if self.size > 1:
                sd = float(self.draws[name].std(ddof=1))
                low, high = np.quantile(self.draws[name], [(1 - level) / 2, (1 + level) / 2])
            else:
                known = self.covariance is not None and name not in self.diagnostics.get(
                    "undetermined", ()
                )
                spread = (
                    float(np.sqrt(self.covariance[i, i]))
                    if known and self.covariance is not None
                    else np.nan
                )
                sd = estimate * spread
                low, high = estimate * np.exp(np.array([-1.0, 1.0]) * z_score(level) * spread)
            rows.append((self.family, name, estimate, sd, float(low), float(high)))
        return pd.DataFrame(rows, columns=["family", "parameter", "estimate", "sd", "low", "high"])
