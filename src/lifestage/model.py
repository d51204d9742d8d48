"""The fitted model: purchases, spend, and what is known of the data behind them; fit, save and load."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.addresses import local_path
from lifestage.data.compress import compress, mean_spend
from lifestage.errors import ConfigError, FitError, RegistryError
from lifestage.families import STACK
from lifestage.fitting import fit_purchases, fit_spend
from lifestage.folders import refuse_others, staging_folder
from lifestage.posterior import Posterior, Status
from lifestage.stage_facts import HIGH_VALUE
from lifestage.steps import step
from lifestage.tables import Note, Period, Summary, expect_summary

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from lifestage.recalibration import Calibration
    from lifestage.stage_facts import StageFacts

__all__ = ["LTVModel", "fit", "load"]

AUTO = "auto"
"""In the place of a family: the one that foretold the past best."""
MODEL_FILES = frozenset({"model.json", "purchases.parquet", "spend.parquet"})


@dataclass(frozen=True, eq=False)
class LTVModel:
    """A fitted model of purchases and spend.

    Attributes
    ----------
    purchases : Posterior
    spend : Posterior or None
    data : Summary
        What the model was fitted on, without its customers: ``table`` is None.
    mean_spend : float
        Mean spend per purchase day of the base, money; stands in where the spend model has no finite mean.
    calibration : Calibration or None
        How to correct the chance of a purchase; see :func:`lifestage.calibrate`.
    stage_facts : StageFacts or None
        What the stages compare a customer with, as the base was at the fit; None in models saved before they had it.
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
        return {"purchases": self.purchases} | ({"spend": self.spend} if self.spend is not None else {})

    @property
    def status(self) -> str:
        """Sentences on convergence and on everything that limits the model."""
        return " ".join(f"{name.capitalize()}: {part.status}" for name, part in self.parts.items())

    @property
    def converged(self) -> bool:
        """Whether every part converged."""
        return all(part.status.converged for part in self.parts.values())

    def log_likelihood(self, part: str = "purchases") -> float:
        """Log-likelihood over all customers (``"purchases"``) or all repeat buyers (``"spend"``), every constant in.

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
        """From what on a customer is of high value; see :meth:`lifestage.stage_facts.StageFacts.high_value_cut`."""
        if self.stage_facts is None:
            raise ConfigError("expected a model that carries its cut of high value; got one saved before: refit it")
        return self.stage_facts.high_value_cut(share)

    def thinned(self, draws: int) -> LTVModel:
        """The model with at most this many draws of each part."""
        return replace(self, **{name: part.thinned(draws) for name, part in self.parts.items()})  # type: ignore[arg-type]

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
        """Predict every customer; see :func:`lifestage.prediction.predict`."""
        from lifestage.prediction import predict

        terms: dict[str, Any] = {"horizon": horizon, "discount_rate": discount_rate, "margin": margin, "level": level}
        return predict(self, customers, **terms, calibrated=calibrated, high_value=high_value)

    def predict_draws(
        self, customers: Summary | Any, horizon: float = 52, *, discount_rate: float = 0.10, margin: Any = 1.0
    ) -> xr.Dataset:
        """Predict every customer under each draw of the parameters; see :func:`lifestage.draws.predict_draws`."""
        from lifestage.draws import predict_draws

        return predict_draws(self, customers, horizon=horizon, discount_rate=discount_rate, margin=margin)

    def prior_predictive(self, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
        """What the priors believe of a base like this one; see :func:`lifestage.prior_check.prior_predictive`."""
        from lifestage.prior_check import prior_predictive

        return prior_predictive(self, draws, seed)

    def to_arviz(self, customers: Summary | Any = None) -> xr.DataTree:
        """The draws and what goes with them as a DataTree for ArviZ; see :func:`lifestage.arviz_export.to_arviz`."""
        from lifestage.arviz_export import to_arviz

        return to_arviz(self, customers)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model into the folder *path*, whole or not at all; see :func:`load`.

        The folder holds ``model.json`` (everything but the draws) and a Parquet file of draws for each part.
        No customer is in it. A folder that holds an earlier model is replaced.

        Raises
        ------
        ConfigError
            If *path* is a file, or a folder that holds anything else.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        from lifestage.saved import model_to_json

        target = local_path(path).resolve()
        refuse_others(target, MODEL_FILES)
        with staging_folder(target) as staging:
            (staging / "model.json").write_text(json.dumps(model_to_json(self), indent=1, ensure_ascii=False), "utf-8")
            for name, part in self.parts.items():
                pq.write_table(pa.table(dict(part.draws)), staging / f"{name}.parquet")
        return target

    def __repr__(self) -> str:
        names = " + ".join(part.family for part in self.parts.values())
        return f"LTVModel({names}, {self.purchases.method}, {self.data.customers:,} customers until {self.data.until})"

    def _repr_html_(self) -> str:
        table = self.params.to_html(index=False, float_format="{:.5g}".format)
        return f"<p><b>{self!r}</b></p>{table}<p>{self.status}</p>"


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
        A family; the one that foretold the past best (:func:`lifestage.compare`); or the mixture of all, with the
        weights that foretold it best. The last two need a Summary made from orders.
    spend : ``"gamma-gamma"`` or None
        None leaves money out of the model; so does a base without a single positive repeat spend.
    method : ``"mle"``, ``"map"``, ``"laplace"`` or ``"nuts"``
        Maximum likelihood; the posterior mode; or draws from the posterior, so that predictions and their intervals
        carry the uncertainty of the parameters: by importance sampling, fast at any size, or by the No-U-Turn sampler,
        the slower check. All but the first use the priors of :mod:`lifestage.fitting.priors`.
    draws, seed : int
        For ``"laplace"`` the number of draws, for ``"nuts"`` the number of each chain. Equal seeds give equal draws.
    chains, tune, progress : int, int, bool
        For ``"nuts"``: chains, draws of each that tune the sampler and are left out, and whether to show progress.
    priors : mapping, optional
        Laws in place of the default priors, by quantity or parameter: text as in PyMC, a PreliZ distribution, or a
        ``Prior`` of PyMC's extras; ``{"dropout": "Beta(alpha=1, beta=3)"}``. The names are those of
        :mod:`lifestage.fitting.priors`; parameters of time are in periods.
    start : LTVModel, optional
        An earlier model of this base, in the same period: the search begins at its parameters where the data of then
        determined them, and elsewhere where they lead nowhere. The mode is the same, sooner found.
    raise_on_failure : bool
        Whether a search that did not converge, or draws that are not reliable, are a FitError with the ``status``.

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
        how: dict[str, Any] = {"method": method, "draws": draws, "seed": seed, "chains": chains, "tune": tune}
        how |= {"progress": progress, "priors": priors}
        how["start"] = None if start is None else _start(start, customers)
        spend_part = fit_spend(counts, spend, **how) if spend is not None and counts.spend_x.size else None
        if purchases in (AUTO, STACK):
            from lifestage.evaluate.choice import fit_chosen

            purchase_part = fit_chosen(customers, counts, stacked=purchases == STACK, **how)
        else:
            purchase_part = fit_purchases(counts, purchases, **how)
    from lifestage.prediction import PREDICTION_DRAWS
    from lifestage.stage_facts import measure_stage_facts

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
        raise ConfigError(f"expected a start in periods of a {customers.period}; got {model.period}")
    return {part.family: part.estimate for part in model.parts.values() if not part.diagnostics.get("undetermined")}


def load(path: str | os.PathLike[str]) -> LTVModel:
    """Read a model that :meth:`LTVModel.save` wrote; nothing in the folder is executed.

    Raises
    ------
    RegistryError
        If the folder is not such a model, is damaged, was written by a newer version, or holds a value that cannot be,
        such as a parameter below 0 or one that is no number: its name and the value.
    """
    from lifestage.data.facts import facts_from_json
    from lifestage.recalibration import Calibration
    from lifestage.saved import read_draws, read_model_json
    from lifestage.stage_facts import read_stage_facts

    folder = local_path(path)
    raw = read_model_json(folder)
    try:
        parts = {}
        for name in [each for each in ("purchases", "spend") if raw["parts"].get(each) is not None]:
            part = raw["parts"][name]
            parts[name] = Posterior(
                family=part["family"],
                method=part["method"],
                draws=read_draws(folder / f"{name}.parquet", part["family"]),
                status=Status(part["converged"], tuple(Note(**note) for note in part["notes"])),
                covariance=None if part["covariance"] is None else np.array(part["covariance"], float),
                diagnostics=part["diagnostics"],
                priors=part["priors"],
            )
        known = raw.get("calibration")
        return LTVModel(
            parts["purchases"],
            parts.get("spend"),
            facts_from_json(raw["data"]),
            raw["mean_spend"],
            None if known is None else Calibration(**known),
            read_stage_facts(raw.get("stage_facts")),
        )
    except RegistryError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise RegistryError(f"expected a saved model in {folder}; could not read it: {error}") from error
