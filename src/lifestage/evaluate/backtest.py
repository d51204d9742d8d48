"""Backtest: forecasts from past dates against what customers did, and against simple baselines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError
from lifestage.core.steps import step
from lifestage.core.terms import check_horizon
from lifestage.data.customers.order_log import LogOptions, OrderLog, order_log
from lifestage.evaluate.baselines import baseline_forecasts
from lifestage.evaluate.forecasts import model_forecast, reliability, tracking_curve
from lifestage.evaluate.grades import grade_models
from lifestage.evaluate.measures import (
    calibration_error,
    customer_losses,
    forecast_measures,
    tracking_error,
)
from lifestage.evaluate.origins import choose_origins
from lifestage.evaluate.outcomes import with_outcomes
from lifestage.evaluate.recalibrate import calibrate
from lifestage.model import fit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from lifestage.core.notes import Note
    from lifestage.core.period import Period
    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary

__all__ = ["Backtest", "BacktestOptions", "backtest", "backtest_log"]


@dataclass(frozen=True, eq=False)
class Backtest:
    """How well models and baselines forecast.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per origin and forecast: ``origin``, ``forecast`` (a family, or a baseline),
        ``is_model``, ``customers``; ``mae``, ``rmse``, ``bias`` of purchases per customer;
        ``revenue_mae``, ``revenue_bias`` (money); ``log_loss``, ``brier``, ``auc`` of any purchase,
        with ``buyers``, the share who bought; ``crps`` and ``coverage`` of purchases,
        ``spend_crps`` (money) and ``spend_coverage`` of total spend; ``calibration_error``, the
        mean distance of predicted probability and observed share over tenths of the customers;
        ``gini``, ``lift`` (revenue of the tenth ranked best ÷ that of a random tenth) and
        ``top_share`` (of the best fifth by revenue); ``tracking_error``, the mean relative distance
        of the cumulative curves of purchases. NaN where a forecast has no such quantity.
    differences : pandas.DataFrame
        One row per model, loss and baseline that has it, over all origins: ``model``, ``loss``
        (``"purchases"``, absolute error, or ``"log_loss"``), ``baseline``, ``difference`` (below 0
        the model is better), ``low``, ``high``.
    reliability : pandas.DataFrame
        ``origin``, ``forecast`` and the columns of
        :func:`lifestage.evaluate.forecasts.reliability`.
    tracking : pandas.DataFrame
        ``origin``, ``forecast`` and the columns of
        :func:`lifestage.evaluate.forecasts.tracking_curve`.
    grades : dict of str to str
        Model → ``"better"``, ``"no better"`` or ``"worse"`` than the best baseline.
    level : float
        Level of the intervals.
    horizon : float
        Length of the forecasts, in periods.
    period : Period
        The unit of time.
    notes : tuple of Note
        Where the log was too short for three origins and half a year.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    reliability: pd.DataFrame
    tracking: pd.DataFrame
    grades: dict[str, str]
    level: float
    horizon: float
    period: Period
    notes: tuple[Note, ...] = ()

    def __str__(self) -> str:
        origins = self.table["origin"].nunique()
        plural = "s" if origins > 1 else ""
        grades = [
            f"{model}: {grade} than the best baseline" for model, grade in self.grades.items()
        ]
        sentences = [
            f"{origins} origin{plural}, horizon {self.horizon:g} {self.period.name}s.",
            f"{'; '.join(grades)}.",
        ]
        sentences += [note.text for note in self.notes]
        return " ".join(sentences)


@dataclass(frozen=True)
class BacktestOptions:
    """Options of :func:`backtest` other than the log."""

    horizon: float | None = None
    origins: int | Sequence[date | str] | None = None
    families: Sequence[str] = ("bg/nbd", "mbg/nbd")
    spend: str | None = "gamma-gamma"
    method: str = "mle"
    recalibrate: bool = False
    level: float = 0.9
    seed: int = 0


def backtest(  # noqa: PLR0913
    orders: Any,
    *,
    horizon: float | None = None,
    origins: int | Sequence[date | str] | None = None,
    families: Sequence[str] = ("bg/nbd", "mbg/nbd"),
    spend: str | None = "gamma-gamma",
    method: str = "mle",
    recalibrate: bool = False,
    level: float = 0.9,
    seed: int = 0,
    **summarize_options: Any,
) -> Backtest:
    r"""Forecast from past dates, compare with what customers did, and grade against baselines.

    At each origin customers are summarised up to it and every family is fitted. Each customer's
    purchases, revenue and probability of a purchase within the horizon are compared with the log,
    beside baselines that need no model. A model is ``better`` if its mean loss is below that of the
    best baseline beyond sampling error, in purchases and in log-loss; ``worse`` if it is above in
    either; else ``no better``. The intervals of the differences

    .. math:: \bar d = \frac1n \sum_i \left(L_i^{\text{model}} - L_i^{\text{baseline}}\right)

    are quantiles over 300 resamples of the customers, the same for both sides.

    Parameters
    ----------
    orders : frame or path
        As in :func:`lifestage.summarize`. One row per customer is held in memory.
    horizon : float, optional
        Length of the forecasts in periods; half a year if left out, or less where the log is too
        short for it, with a note.
    origins : int or dates, optional
        So many dates a horizon apart, the last one a horizon before the end of the log; or these
        dates. If left out 3, or fewer where the log is too short for them.
    families : sequence of str
        As ``purchases`` of :func:`lifestage.fit`; ``"auto"`` and ``"stack"`` too.
    spend : str or None
        As in :func:`lifestage.fit`.
    method : str
        As in :func:`lifestage.fit`.
    recalibrate : bool
        Whether each model is also evaluated with its probabilities corrected by
        :func:`lifestage.calibrate` from what was known at the origin.
    level : float
        Level of the predictive intervals and of those of the differences, in (0, 1).
    seed : int
        Random seed.
    **summarize_options
        Other arguments of :func:`lifestage.summarize`: ``customer``, ``time``, ``amount``,
        ``period`` …

    Returns
    -------
    Backtest
        Measures, differences to the baselines, and grades.

    Raises
    ------
    DataError
        If the log is too short for an origin.
    ConfigError
        If an option is out of range.

    Source: Gneiting & Raftery (2007), Strictly proper scoring rules, JASA 102, 359–378.

    Examples
    --------
    >>> import lifestage as ls
    >>> orders = ls.datasets.cdnow()
    >>> result = ls.backtest(orders, origins=["1997-09-30"], horizon=39, period="week")
    >>> result.table.set_index("forecast").loc[["bg/nbd", "mbg/nbd"], "auc"].round(2).tolist()
    [0.76, 0.76]
    >>> result.grades
    {'bg/nbd': 'better', 'mbg/nbd': 'better'}
    """
    if horizon is not None:
        check_horizon(horizon)
    if not 0 < level < 1:
        raise ConfigError(f"expected a level in (0, 1); got {level!r}")
    if "until" in summarize_options:
        raise ConfigError("expected origins= in the place of until=")
    log_options = LogOptions(**summarize_options)
    options = BacktestOptions(
        horizon=horizon,
        origins=origins,
        families=families,
        spend=spend if log_options.amount is not None else None,
        method=method,
        recalibrate=recalibrate,
        level=level,
        seed=seed,
    )
    with order_log(orders, log_options) as log:
        return backtest_log(log, options)


def backtest_log(log: OrderLog, options: BacktestOptions) -> Backtest:
    """Backtest on a log that is read already; see :func:`backtest`."""
    import pandas as pd

    whole = log.whole
    chosen = choose_origins(whole, options.horizon, options.origins)
    horizon = timedelta(days=round(chosen.horizon * whole.period.days))
    rows, bins, curves, losses = [], [], [], []
    models: list[str] = []
    for number, origin in enumerate(chosen.days, 1):
        with step(__name__, f"Backtest from {origin}, {number} of {len(chosen.days)}"):
            customers = log.at(origin)
            table = with_outcomes(customers, log, origin, horizon)
            forecasts, tracked = _model_forecasts(customers, table, chosen.horizon, options)
            models = list(forecasts)
            forecasts |= baseline_forecasts(table, chosen.horizon)
            for name, forecast in forecasts.items():
                row = {"origin": origin, "forecast": name, "is_model": name in models}
                row |= forecast_measures(forecast, table)
                if name in models:
                    bought = table["purchases"] > 0
                    bins.append(reliability(forecast["probability"], bought, options.level))
                    curves.append(tracked[name].copy())
                    row["calibration_error"] = calibration_error(bins[-1])
                    row["tracking_error"] = tracking_error(curves[-1])
                    for part in (bins[-1], curves[-1]):
                        part.insert(0, "origin", origin)
                        part.insert(1, "forecast", name)
                rows.append(row)
            losses.append({name: customer_losses(forecasts[name], table) for name in forecasts})
    differences, grades = grade_models(losses, models, options.level, options.seed)
    return Backtest(
        pd.DataFrame(rows),
        differences,
        pd.concat(bins, ignore_index=True),
        pd.concat(curves, ignore_index=True),
        grades,
        options.level,
        float(chosen.horizon),
        whole.period,
        chosen.notes,
    )


def _model_forecasts(
    customers: Summary, table: pd.DataFrame, horizon: float, options: BacktestOptions
) -> tuple[dict[str, dict[str, Floats]], dict[str, pd.DataFrame]]:
    """Forecasts and tracking curves of each family fitted at an origin, by name."""
    forecasts: dict[str, dict[str, Floats]] = {}
    tracked = {}
    for name in options.families:
        model = fit(
            customers,
            purchases=name,
            spend=options.spend,
            method=options.method,
            seed=options.seed,
        )
        tracked[name] = tracking_curve(model, customers, table, horizon)
        forecasts[name] = model_forecast(model, customers, table, horizon, options.level)
        if options.recalibrate:
            calibration = calibrate(model, customers).calibration
            assert calibration is not None
            corrected = calibration(forecasts[name]["probability"])
            label = f"{name}, recalibrated"
            forecasts[label] = forecasts[name] | {"probability": corrected, "score": corrected}
            tracked[label] = tracked[name]
    return forecasts, tracked
