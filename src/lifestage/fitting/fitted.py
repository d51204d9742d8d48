"""The record of a fit: the posteriors, and facts of the data behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from lifestage.core.errors import ConfigError
from lifestage.fitting.stage_facts import HIGH_VALUE

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.core.period import Period
    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.posterior import Posterior
    from lifestage.fitting.recalibration import Calibration
    from lifestage.fitting.stage_facts import StageFacts

__all__ = ["FittedModel"]


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A fitted model of purchases and spend.

    Attributes
    ----------
    purchases : Posterior
    spend : Posterior or None
    data : Summary
        What the model was fitted on, without its customers: ``table`` is None.
    mean_spend : float
        Mean spend per purchase day of the base, money; stands in where the spend model has no
        finite mean.
    calibration : Calibration or None
        How to correct the probability of a purchase; see :func:`lifestage.calibrate`.
    stage_facts : StageFacts or None
        What the stages compare a customer with, as the base was at the fit; None in models saved
        before they had it.
    """

    purchases: Posterior
    spend: Posterior | None
    data: Summary
    mean_spend: float
    calibration: Calibration | None = None
    stage_facts: StageFacts | None = None

    @property
    def period(self) -> Period:
        """Unit of time parameters, recency, T and horizons."""
        return self.data.period

    @property
    def params(self) -> pd.DataFrame:
        """Table of parameters: family, parameter, estimate, sd, low, high (95 % interval)."""
        import pandas as pd

        return pd.concat([part.table() for part in self.parts.values()], ignore_index=True)

    @property
    def parts(self) -> dict[str, Posterior]:
        """The posteriors by name: ``purchases`` and, when there is one, ``spend``."""
        parts = {"purchases": self.purchases}
        if self.spend is not None:
            parts["spend"] = self.spend
        return parts

    @property
    def status(self) -> str:
        """Sentences on convergence and on everything that limits the model."""
        sentences = [f"{name.capitalize()}: {part.status}" for name, part in self.parts.items()]
        return " ".join(sentences)

    @property
    def converged(self) -> bool:
        """Whether every part converged."""
        return all(part.status.converged for part in self.parts.values())

    def log_likelihood(self, part: str = "purchases") -> float:
        """Log-likelihood over all customers (``"purchases"``) or all repeat buyers (``"spend"``).

        Every constant is in.

        Raises
        ------
        ConfigError
            If the model has no such part.
        """
        if part not in self.parts:
            raise ConfigError(f"part must be one of {', '.join(self.parts)}; got {part!r}")
        return float(self.parts[part].diagnostics["log_likelihood"])

    @property
    def size(self) -> int:
        """Number of draws: the larger one of its parts."""
        return max(part.size for part in self.parts.values())

    def high_value_cut(self, share: float = HIGH_VALUE) -> float:
        """From what value on a customer is of high value.

        See :meth:`lifestage.fitting.stage_facts.StageFacts.high_value_cut`.
        """
        if self.stage_facts is None:
            raise ConfigError(
                "expected a model that carries its cut of high value; got one saved before:"
                " refit it"
            )
        return self.stage_facts.high_value_cut(share)

    def thin(self, draws: int) -> Self:
        """The model with at most this many draws of each part."""
        spend = None if self.spend is None else self.spend.thin(draws)
        return replace(self, purchases=self.purchases.thin(draws), spend=spend)

    def __repr__(self) -> str:
        names = " + ".join(part.family for part in self.parts.values())
        return (
            f"{type(self).__name__}({names}, {self.purchases.method}, {self.data.customers:,}"
            f" customers until {self.data.until})"
        )

    def _repr_html_(self) -> str:
        table = self.params.to_html(index=False, float_format="{:.5g}".format)
        return f"<p><b>{self!r}</b></p>{table}<p>{self.status}</p>"
