"""LTVModel, the fitted model with its verbs; fit and load."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError, FitError
from lifestage.core.steps import step
from lifestage.data.customers.compress import compress, mean_spend
from lifestage.data.customers.summary import Summary, expect_summary
from lifestage.families import STACK
from lifestage.fitting import fit_purchases, fit_spend
from lifestage.fitting.fitted import FittedModel
from lifestage.fitting.stage_facts import HIGH_VALUE

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    import xarray as xr


__all__ = ["LTVModel", "fit", "load"]

AUTO = "auto"
"""In the place of a family: the one that foretold the past best."""


class LTVModel(FittedModel):
    """A fitted model and what can be asked of it: predictions, draws, checks of its priors, export, saving.

    Its attributes are those of :class:`lifestage.fitting.fitted.FittedModel`.
    """

    def predict(
        self,
        customers: Summary | Any,
        horizon: Any = 52,
        *,
        discount_rate: float = 0.10,
        margin: Any = 1.0,
        level: float = 0.9,
        calibrated: bool = False,
        high_value: float = HIGH_VALUE,
    ) -> Any:
        """Predict every customer; see :func:`lifestage.prediction.scores.predict`."""
        from lifestage.prediction.scores import predict

        terms: dict[str, Any] = {
            "horizon": horizon,
            "discount_rate": discount_rate,
            "margin": margin,
            "level": level,
        }
        return predict(self, customers, **terms, calibrated=calibrated, high_value=high_value)

    def predict_draws(
        self,
        customers: Summary | Any,
        horizon: float = 52,
        *,
        discount_rate: float = 0.10,
        margin: Any = 1.0,
    ) -> xr.Dataset:
        """Predict every customer under each draw of the parameters; see :func:`lifestage.prediction.draws.predict_draws`."""
        from lifestage.prediction.draws import predict_draws

        return predict_draws(
            self, customers, horizon=horizon, discount_rate=discount_rate, margin=margin
        )

    def prior_predictive(self, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
        """What the priors believe of a base like this one; see :func:`lifestage.diagnostics.prior_predictive.prior_predictive`."""
        from lifestage.diagnostics.prior_predictive import prior_predictive

        return prior_predictive(self, draws, seed)

    def to_arviz(self, customers: Summary | Any = None) -> xr.DataTree:
        """The draws and what goes with them as a DataTree for ArviZ; see :func:`lifestage.diagnostics.arviz.to_arviz`."""
        from lifestage.diagnostics.arviz import to_arviz

        return to_arviz(self, customers)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model into the folder *path*, whole or not at all; see :func:`load`.

        The folder holds ``model.json`` (everything but the draws) and a Parquet file of draws for
        each part. No customer is in it. A folder that holds an earlier model is replaced.

        Raises
        ------
        ConfigError
            If *path* is a file, or a folder that holds anything else.
        """
        from lifestage.fitting.saved import write_model

        return write_model(self, path)


def fit(
    customers: Summary,
    purchases: str = "bg/nbd",
    spend: str | None = "gamma-gamma",
    *,
    method: str = "mle",
    draws: int = 1000,
    seed: int = 0,
    chains: int = 4,
    tune: int = 1000,
    progress: bool = False,
    priors: Mapping[str, Any] | None = None,
    start: LTVModel | None = None,
    raise_on_failure: bool = False,
) -> LTVModel:
    """Fit purchases and spend to a base of customers.

    Parameters
    ----------
    customers : Summary
        From :func:`lifestage.summarize` or :meth:`lifestage.Summary.from_frame`.
    purchases : ``"bg/nbd"``, ``"mbg/nbd"``, ``"auto"`` or ``"stack"``
        A family; the one that foretold the past best (:func:`lifestage.compare`); or the mixture of
        all, with the weights that foretold it best. The last two need a Summary made from orders.
    spend : ``"gamma-gamma"`` or None
        None leaves money out of the model; so does a base without a single positive repeat spend.
    method : ``"mle"``, ``"map"``, ``"laplace"`` or ``"nuts"``
        Maximum likelihood; the posterior mode; or draws from the posterior, so that predictions and
        their intervals carry the uncertainty of the parameters: by importance sampling, fast at any
        size, or by the No-U-Turn sampler, the slower check. All but the first use the priors of
        :mod:`lifestage.fitting.priors`.
    draws, seed : int
        For ``"laplace"`` the number of draws, for ``"nuts"`` the number of each chain. Equal seeds
        give equal draws.
    chains, tune, progress : int, int, bool
        For ``"nuts"``: chains, draws of each that tune the sampler and are left out, and whether to
        show progress.
    priors : mapping, optional
        Laws in place of the default priors, by quantity or parameter: text as in PyMC, a PreliZ
        distribution, or a ``Prior`` of PyMC's extras; ``{"dropout": "Beta(alpha=1, beta=3)"}``. The
        names are those of
        :mod:`lifestage.fitting.priors`; parameters of time are in periods.
    start : LTVModel, optional
        An earlier model of this base, in the same period: the search begins at its parameters where
        the data of then determined them, and elsewhere where they lead nowhere. The mode is the
        same, sooner found.
    raise_on_failure : bool
        Whether a search that did not converge, or draws that are not reliable, are a FitError with
        the ``status``.

    Raises
    ------
    DataError
        With fewer than 100 customers and fewer than 30 repeat buyers.
    ConfigError
        If a name is unknown, or *start* counts in another period.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> ls.fit(customers, purchases="bg/nbd").log_likelihood().__round__(3)
    -9582.429
    """
    expect_summary(customers)
    with step(__name__, f"Fitting {purchases} by {method} to {customers.customers:,} customers"):
        counts = compress(customers, spend=spend is not None)
        how: dict[str, Any] = {
            "method": method,
            "draws": draws,
            "seed": seed,
            "chains": chains,
            "tune": tune,
        }
        how |= {"progress": progress, "priors": priors}
        how["start"] = None if start is None else _start(start, customers)
        spend_part = (
            fit_spend(counts, spend, **how) if spend is not None and counts.spend_x.size else None
        )
        if purchases in (AUTO, STACK):
            from lifestage.fitting.selection import fit_chosen

            purchase_part = fit_chosen(customers, counts, stacked=purchases == STACK, **how)
        else:
            purchase_part = fit_purchases(counts, purchases, **how)
    from lifestage.prediction.limits import PREDICTION_DRAWS
    from lifestage.prediction.stage_facts import measure_stage_facts

    model = LTVModel(
        purchases=purchase_part,
        spend=spend_part,
        data=customers.without_customers(),
        mean_spend=mean_spend(customers, counts),
    )
    if raise_on_failure and any(part.status.failed for part in model.parts.values()):
        raise FitError(model.status)
    return replace(model, stage_facts=measure_stage_facts(model, counts, PREDICTION_DRAWS))


def _start(model: LTVModel, customers: Summary) -> dict[str, Mapping[str, float]]:
    if model.period != customers.period:
        raise ConfigError(
            f"expected a start in periods of a {customers.period}; got {model.period}"
        )
    return {
        part.family: part.estimate
        for part in model.parts.values()
        if not part.diagnostics.get("undetermined")
    }


def load(path: str | os.PathLike[str]) -> LTVModel:
    """Read a model that :meth:`LTVModel.save` wrote; nothing in the folder is executed.

    Raises
    ------
    RegistryError
        If the folder is not such a model, is damaged, was written by a newer version, or holds a
        value that cannot be, such as a parameter below 0 or one that is no number: its name and the
        value.
    """
    from lifestage.fitting.saved import read_model

    return LTVModel(**vars(read_model(path)))
