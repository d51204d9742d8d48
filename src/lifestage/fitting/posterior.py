"""Parameters of a family after seeing the data; a point estimate is a posterior of one draw."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families import STACK, family

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifestage.core.notes import Note
    from lifestage.core.typing import Floats

__all__ = ["Posterior", "Status"]


@dataclass(frozen=True)
class Status:
    """Whether a fit converged, and a note for everything that limits it."""

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

    def picked(self, rows: Any) -> dict[str, Floats]:
        """Some of the draws, by their places."""
        return {name: values[rows] for name, values in self.draws.items()}

    def thin(self, draws: int) -> Posterior:
        """At most this many draws, evenly spaced."""
        if draws >= self.size:
            return self
        places = np.unique(np.linspace(0, self.size - 1, draws).round().astype(int))
        diagnostics = dict(self.diagnostics)
        for of_all_draws in ("chains", "divergent"):
            diagnostics.pop(of_all_draws, None)
        return replace(self, draws=self.picked(places), diagnostics=diagnostics)

    def resampled(self, size: int, rng: np.random.Generator) -> dict[str, Floats]:
        """So many draws of the parameters, one per scenario.

        Those of a posterior in random order, again and again if there are fewer; of a point
        estimate normal ones on the log scale by its covariance, in the directions that the data
        determine, or the estimate itself without one.
        """
        if self.size > 1:
            rounds = range(-(-size // self.size))
            order = np.concatenate([rng.permutation(self.size) for _ in rounds])
            return self.picked(order[:size])
        names = family(self.family).PARAMS
        k = len(names)
        covariance = np.zeros((k, k)) if self.covariance is None else self.covariance
        steps = np.exp(rng.multivariate_normal(np.zeros(k), covariance, size, method="eigh"))
        estimate = self.estimate
        return {name: estimate[name] * steps[:, i] for i, name in enumerate(names)}

    def _repr_html_(self) -> str:
        table = self.table().to_html(index=False, float_format="{:.5g}".format)
        return f"{table}<p>{self.status}</p>"

    def perturbed(self, step: Floats) -> dict[str, float]:
        """The estimate after a step on the log scale, in the order of the family's ``PARAMS``."""
        values = self.estimate
        for name, distance in zip(family(self.family).PARAMS, step, strict=True):
            values[name] *= float(np.exp(distance))
        return values

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Parameter, estimate, standard deviation and interval, one row per parameter.

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
        rows = []
        for i, name in enumerate(family(self.family).PARAMS):
            interval = self._sample_interval if self.size > 1 else self._normal_interval
            rows.append((self.family, name, self.estimate[name], *interval(i, name, level)))
        return pd.DataFrame(rows, columns=["family", "parameter", "estimate", "sd", "low", "high"])

    def _sample_interval(self, _: int, name: str, level: float) -> tuple[float, float, float]:
        """Standard deviation and quantiles of the draws."""
        draws = self.draws[name]
        low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
        return float(draws.std(ddof=1)), float(low), float(high)

    def _normal_interval(self, i: int, name: str, level: float) -> tuple[float, float, float]:
        """Standard deviation and interval of a point estimate; NaN where the data give none."""
        from scipy.special import ndtri

        undetermined = self.diagnostics.get("undetermined", ())
        spread = np.nan
        if self.covariance is not None and name not in undetermined:
            spread = float(np.sqrt(self.covariance[i, i]))
        estimate = self.estimate[name]
        reach = ndtri((1 + level) / 2) * spread
        low, high = estimate * np.exp(np.array([-1.0, 1.0]) * reach)
        return estimate * spread, float(low), float(high)
