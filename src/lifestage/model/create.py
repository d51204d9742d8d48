"""Where models come from: fitted to customers, or loaded from a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError, FitError
from lifestage.core.steps import step
from lifestage.data.customers.compress import compress, mean_spend
from lifestage.data.customers.summary import expect_summary
from lifestage.families import AUTO, STACK
from lifestage.fitting import fit_purchases, fit_spend
from lifestage.model.ltv_model import LTVModel

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from lifestage.data.customers.summary import Summary

__all__ = ["fit", "load"]


def fit(  # noqa: PLR0913
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
    r"""Fit a model of purchases and a model of spend to a customer base.

    The purchase parameters maximise, or are drawn from, the likelihood of the customers' histories

    .. math:: \log L(\theta) = \sum_i w_i \log L(\theta \mid x_i, t_{x,i}, T_i)

    over the distinct rows i of (frequency, recency, T) with their number of customers w, so the
    cost grows with the distinct histories and not with the customers.

    Parameters
    ----------
    customers : Summary
        From :func:`lifestage.summarize` or :meth:`lifestage.Summary.from_frame`.
    purchases : str
        A family of :mod:`lifestage.families`, such as ``"bg/nbd"`` or ``"mbg/nbd"``; ``"auto"``,
        the family with the best forecasts of the past (:func:`lifestage.compare`); or ``"stack"``,
        the mixture of all, with the weights of the best forecasts. The last two need a Summary made
        from orders.
    spend : ``"gamma-gamma"`` or None
        None leaves money out of the model; so does a base without a single positive repeat spend.
    method : ``"mle"``, ``"map"``, ``"laplace"`` or ``"nuts"``
        Maximum likelihood; the posterior mode; or draws from the posterior, so that predictions and
        their intervals carry the uncertainty of the parameters: by importance sampling, fast at any
        size, or by the No-U-Turn sampler, the slower check. All but the first use the priors of
        :mod:`lifestage.fitting.priors`.
    draws : int
        For ``"laplace"`` the number of draws, for ``"nuts"`` the number per chain.
    seed : int
        Random seed; equal seeds give equal draws.
    chains : int
        Number of chains of ``"nuts"``.
    tune : int
        Draws per chain of ``"nuts"`` that tune the sampler and are discarded.
    progress : bool
        Whether ``"nuts"`` shows its progress.
    priors : mapping, optional
        Prior distributions in place of the defaults, by quantity or parameter: text as in PyMC, a
        PreliZ distribution, or a ``Prior`` of PyMC's extras;
        ``{"dropout": "Beta(alpha=1, beta=3)"}``. The names are those of
        :mod:`lifestage.fitting.priors`; parameters of time are in periods.
    start : LTVModel, optional
        An earlier model of this base, in the same period. The search begins at its parameters if
        they were well determined; it finds the same optimum sooner.
    raise_on_failure : bool
        Whether to raise a FitError where the search did not converge or the draws are not reliable.
        If not, ``model.status`` and ``model.converged`` tell.

    Returns
    -------
    LTVModel
        The fitted model.

    Raises
    ------
    DataError
        With fewer than 100 customers and fewer than 30 repeat buyers.
    ConfigError
        If a name is unknown, or *start* is in another period.
    FitError
        If ``raise_on_failure`` and the fit failed; the message is the status.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24,
    275–284 (BG/NBD). Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of
    models for customer base analysis, IJRM 24, 201–209 (MBG/NBD). Fader, Hardie & Lee (2005), RFM
    and CLV, JMR 42, 415–430 (Gamma-Gamma).

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers, purchases="bg/nbd")
    >>> round(model.log_likelihood(), 3)
    -9582.429
    """
    expect_summary(customers)
    options: dict[str, Any] = {
        "method": method,
        "draws": draws,
        "seed": seed,
        "chains": chains,
        "tune": tune,
        "progress": progress,
        "priors": priors,
        "start": None if start is None else _start(start, customers),
    }
    with step(
        "lifestage.model", f"Fitting {purchases} by {method} to {customers.customers:,} customers"
    ):
        counts = compress(customers, spend=spend is not None)
        spend_part = None
        if spend is not None and counts.spend_x.size:
            spend_part = fit_spend(counts, spend, **options)
        if purchases in (AUTO, STACK):
            from lifestage.fitting.selection import fit_chosen

            purchase_part = fit_chosen(customers, counts, stacked=purchases == STACK, **options)
        else:
            purchase_part = fit_purchases(counts, purchases, **options)
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
    """Estimates by family, of the parts whose parameters the data determined."""
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

    Parameters
    ----------
    path : path
        The folder.

    Returns
    -------
    LTVModel
        The model as it was saved; every prediction is the same.

    Raises
    ------
    RegistryError
        If the folder is not such a model, is damaged, was written by a newer version, or holds an
        impossible value, such as a parameter below 0: its name and the value.

    Examples
    --------
    >>> import lifestage as ls, tempfile
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> folder = ls.fit(customers).save(f"{tempfile.mkdtemp()}/model")
    >>> ls.load(folder)
    LTVModel(bg/nbd + gamma-gamma, mle, 2,357 customers until 1997-09-30)
    """
    from lifestage.fitting.saved import read_model

    return LTVModel(**vars(read_model(path)))
