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
        """Return the log-likelihood, with every constant, so that AIC and BIC are right.

        Parameters
        ----------
        part : ``"purchases"`` or ``"spend"``
            Summed over all customers, or over all repeat buyers with a positive spend.

        Returns
        -------
        float

        Raises
        ------
        ConfigError
            If the model has no such part.

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> round(ls.fit(customers).log_likelihood("spend"), 3)
        -4055.918
        """
        if part not in self.parts:
            raise ConfigError(f"part must be one of {', '.join(self.parts)}; got {part!r}")
        return float(self.parts[part].diagnostics["log_likelihood"])

    @property
    def size(self) -> int:
        """Number of draws: the larger one of its parts."""
        return max(part.size for part in self.parts.values())

    def high_value_cut(self, share: float = HIGH_VALUE) -> float:
        """Return the past value from which a customer is of high value.

        Parameters
        ----------
        share : float
            Share of the buyers of the fitted base below the cut, in whole percents.

        Returns
        -------
        float
            Purchase days × expected spend, money; purchase days without a spend model.

        Raises
        ------
        ConfigError
            If the share is not a whole number of percent from 0.01 to 0.99, or the model was saved
            without its cut.

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> round(ls.fit(customers).high_value_cut(0.8), 2)
        82.95
        """
        if self.stage_facts is None:
            raise ConfigError(
                "expected a model that carries its cut of high value; got one saved before:"
                " refit it"
            )
        return self.stage_facts.high_value_cut(share)

    def thin(self, draws: int) -> Self:
        """Return the model with at most this many draws of each part.

        Parameters
        ----------
        draws : int

        Returns
        -------
        LTVModel
            A model of the same kind; evenly spaced draws are kept.

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> ls.fit(customers, method="laplace", draws=200).thin(50).size
        50
        """
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
