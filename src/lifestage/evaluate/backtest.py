"""Forecasts put to the test on the past: at rolling origins, beside baselines, with intervals on the differences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER
from lifestage.core.steps import step
from lifestage.core.terms import check_horizon
from lifestage.data.customers.order_log import LogOptions, OrderLog, order_log
from lifestage.data.customers.splits import NO_STAGES
from lifestage.data.engines.frames import to_pandas
from lifestage.evaluate import scoring_rules as scores
from lifestage.evaluate.baselines import baseline_forecasts
from lifestage.evaluate.forecasts import model_forecast, reliability, tracking_curve
from lifestage.evaluate.origins import choose_origins
from lifestage.evaluate.recalibrate import calibrate
from lifestage.model import fit
from lifestage.numerics import statistics
from lifestage.numerics.statistics import resampled_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from lifestage.core.notes import Note
    from lifestage.core.period import Period
    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary


__all__ = ["Backtest", "backtest", "backtest_log"]


LOSSES = ("purchases", "log_loss")
"""What a model is graded by: the error of purchases, and of the chance to buy."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """How models and baselines foretold what came.

    Attributes
    ----------
    table : pandas.DataFrame
        A row an origin and forecast: ``origin``, ``forecast`` (a family, or a baseline),
        ``is_model``, ``customers``; ``mae``, ``rmse``, ``bias`` of purchases a customer;
        ``revenue_mae``, ``revenue_bias`` (money); ``log_loss``, ``brier``, ``auc`` of any purchase,
        with ``buyers``, the share who bought; ``crps`` and ``coverage`` of purchases,
        ``spend_crps`` (money) and ``spend_coverage`` of total spend; ``calibration_error``, the
        mean distance of chance and share over tenths of the customers; ``gini``, ``lift`` (revenue
        of the tenth that was ranked best, over that of a tenth by lot) and ``top_share`` (of the
        best fifth by revenue); ``tracking_error``, the mean relative distance of the cumulative
        curves of purchases. NaN where a forecast does not say.
    differences : pandas.DataFrame
        A row a model, loss and baseline that has it, over all origins: ``model``, ``loss``
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
    level, horizon, period
        Of the intervals; of the forecasts, in periods; and the unit.
    notes : tuple of Note
        Where the log had no room for three origins and half a year.
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
        origins, period = self.table["origin"].nunique(), self.period.name
        said = "; ".join(
            f"{model}: {grade} than the best baseline" for model, grade in self.grades.items()
        )
        head = (
            f"{origins} origin{'s' if origins > 1 else ''}, {self.horizon:g} {period}s ahead."
            f" {said}."
        )
        return " ".join([head, *(note.text for note in self.notes)])


def backtest(
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
    **columns: Any,
) -> Backtest:
    r"""Stand at days of the past, forecast from what was known then, and compare with what came.

    At each origin customers are summarised up to it, every family is fitted, and each customer's
    purchases, revenue and chance to buy within the horizon are held against the log; so are
    baselines that need no model. A model is ``better`` if its mean loss is below that of the best
    baseline beyond what chance does, in purchases and in log-loss; ``worse`` if it is above in
    either; else ``no better``. The intervals of differences are quantiles over 300 resamples of the
    customers, the same for both sides.

    Parameters
    ----------
    orders : frame or path
        As in :func:`lifestage.summarize`, whose other arguments (``customer``, ``time``,
        ``amount``, ``period`` …) are given as *columns*. A row a customer is brought into memory.
    horizon : float, optional
        Periods; half a year if left out, or less where the log has no room for it, with a note.
    origins : int or dates, optional
        So many days a horizon apart, the last one a horizon before the end of the log; or these. If
        left out 3, or fewer where the log has no room for them.
    families, spend, method
        As in :func:`lifestage.fit`; families may be ``"auto"`` and ``"stack"`` too.
    recalibrate : bool
        Whether each model is judged a second time, with its chances corrected by
        :func:`lifestage.calibrate` from what was known at the origin.
    level : float
        Coverage of the predictive intervals and of those of the differences.

    Raises
    ------
    DataError
        If the log is too short for an origin.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> found = backtest(ls.datasets.cdnow(), origins=["1997-09-30"], horizon=39, period="week")
    >>> found.table.set_index("forecast").loc[["bg/nbd", "mbg/nbd"], "auc"].round(2).tolist()
    [0.76, 0.76]
    """
    if horizon is not None:
        check_horizon(horizon)
    if not 0 < level < 1:
        raise ConfigError(f"expected a level in (0, 1); got {level!r}")
    if "until" in columns:
        raise ConfigError("expected origins= in the place of until=")
    options = LogOptions(**columns)
    with order_log(orders, options) as log:
        return backtest_log(
            log,
            horizon=horizon,
            origins=origins,
            families=families,
            spend=spend if options.amount is not None else None,
            method=method,
            recalibrate=recalibrate,
            level=level,
            seed=seed,
        )


def backtest_log(
    log: OrderLog,
    *,
    horizon: float | None,
    origins: int | Sequence[date | str] | None,
    families: Sequence[str],
    spend: str | None,
    method: str,
    recalibrate: bool,
    level: float = 0.9,
    seed: int,
) -> Backtest:
    """Backtest on a log that is read already; see :func:`backtest`."""
    import pandas as pd

    whole = log.summary(**NO_STAGES)
    chosen = choose_origins(whole, horizon, origins)
    horizon = chosen.horizon
    ahead = timedelta(days=round(horizon * whole.period.days))
    rows, bins, curves = [], [], []
    losses: list[dict[str, dict[str, Floats]]] = []
    models: list[str] = []
    forecasts: dict[str, dict[str, Floats]]
    for origin in chosen.days:
        with step(__name__, f"Backtest from {origin}, {len(losses) + 1} of {len(chosen.days)}"):
            customers = log.summary(origin, **NO_STAGES)
            table = _with_future(customers, log, origin, ahead)
            forecasts, tracked = {}, {}
            for name in families:
                model = fit(customers, purchases=name, spend=spend, method=method, seed=seed)
                tracked[name] = tracking_curve(model, customers, table, horizon)
                forecasts[name] = model_forecast(model, customers, table, horizon, level)
                if recalibrate:
                    correct = calibrate(model, customers).calibration
                    assert correct is not None
                    chance = correct(forecasts[name]["chance"])
                    forecasts[f"{name}, recalibrated"] = forecasts[name] | {
                        "chance": chance,
                        "score": chance,
                    }
                    tracked[f"{name}, recalibrated"] = tracked[name]
            models = list(forecasts)
            forecasts |= baseline_forecasts(table, horizon)
            for name, said in forecasts.items():
                row = {"origin": origin, "forecast": name, "is_model": name in models} | _measures(
                    said, table
                )
                if name in models:
                    bins.append(
                        _of(
                            reliability(said["chance"], table["purchases"] > 0, level), origin, name
                        )
                    )
                    curves.append(_of(tracked[name].copy(), origin, name))
                    row["calibration_error"] = _calibration_error(bins[-1])
                    row["tracking_error"] = _tracking_error(curves[-1])
                rows.append(row)
            losses.append({name: _losses(said, table) for name, said in forecasts.items()})
    differences, grades = _compare(losses, models, level, seed)
    return Backtest(
        pd.DataFrame(rows),
        differences,
        pd.concat(bins, ignore_index=True),
        pd.concat(curves, ignore_index=True),
        grades,
        level,
        float(horizon),
        whole.period,
        chosen.notes,
    )


def _of(table: pd.DataFrame, origin: date, name: str) -> pd.DataFrame:
    table.insert(0, "origin", origin)
    table.insert(1, "forecast", name)
    return table


def _calibration_error(bins: pd.DataFrame) -> float:
    return float(
        np.average((bins["predicted"] - bins["observed"]).abs(), weights=bins["customers"])
    )


def _tracking_error(curve: pd.DataFrame) -> float:
    """Mean of |expected − actual| ÷ actual over the points at which there is something."""
    some = curve[curve["actual"] > 0]
    return float(((some["expected"] - some["actual"]).abs() / some["actual"]).mean())


def _with_future(customers: Summary, log: OrderLog, origin: date, ahead: timedelta) -> pd.DataFrame:
    """A row a customer with what came (``purchases``, ``spent``) and what had come lately (``recent``)."""
    table = to_pandas(customers.table)
    if "revenue" not in table:
        table = table.assign(revenue=np.nan)
    then = to_pandas(log.summary(origin + ahead, **NO_STAGES).table).set_index(CUSTOMER)
    at = then.reindex(table[CUSTOMER])
    table["purchases"] = at["frequency"].to_numpy(float) - table["frequency"].to_numpy(float)
    spent = at["revenue"].to_numpy(float) - table["revenue"].to_numpy(float)
    table["spent"] = np.where(
        table["purchases"] > 0, np.maximum(spent, 0.0), 0.0
    )  # sums of the same differ by rounding
    assert customers.calendar is not None
    table["recent"], table["known"] = np.nan, False
    if origin - ahead > min(customers.calendar["day"]):
        before = to_pandas(log.summary(origin - ahead, **NO_STAGES).table).set_index(CUSTOMER)[
            "frequency"
        ]
        was = before.reindex(table[CUSTOMER]).to_numpy(float)
        table["known"] = np.isfinite(was)
        table["recent"] = np.where(np.isfinite(was), table["frequency"] - was, table["frequency"])
    return table


def _measures(said: dict[str, Floats], table: pd.DataFrame) -> dict[str, float]:
    actual, spent = table["purchases"].to_numpy(float), table["spent"].to_numpy(float)
    came, nothing = (actual > 0).astype(float), float("nan")
    buys, chance, money = said.get("purchases"), said.get("chance"), said.get("revenue")
    rank, paid = (
        said.get("score"),
        (said["spend_low"], said["spend_high"]) if "spend_low" in said else None,
    )
    return {
        "customers": len(table),
        "mae": nothing if buys is None else scores.mean_absolute_error(buys, actual),
        "rmse": nothing if buys is None else scores.root_mean_square_error(buys, actual),
        "bias": nothing if buys is None else scores.bias(buys, actual),
        "revenue_mae": nothing if money is None else scores.mean_absolute_error(money, spent),
        "revenue_bias": nothing if money is None else scores.bias(money, spent),
        "buyers": float(came.mean()),
        "log_loss": nothing if chance is None else statistics.log_loss(chance, came),
        "brier": nothing if chance is None else scores.brier(chance, came),
        "auc": nothing if rank is None else scores.area_under_curve(rank, came),
        "crps": float(said["crps"].mean()) if "crps" in said else nothing,
        "spend_crps": float(said["spend_crps"].mean()) if "spend_crps" in said else nothing,
        "coverage": (
            scores.coverage(said["low"], said["high"], actual) if "low" in said else nothing
        ),
        "spend_coverage": nothing if paid is None else scores.coverage(paid[0], paid[1], spent),
        "lift": nothing if money is None else scores.lift(money, spent),
        "gini": nothing if money is None else scores.gini(money, spent),
        "top_share": nothing if money is None else scores.top_share(money, spent),
    }


def _losses(said: dict[str, Floats], table: pd.DataFrame) -> dict[str, Floats]:
    """Each customer's loss, of what a forecast says."""
    actual = table["purchases"].to_numpy(float)
    came, out = actual > 0, {}
    if "purchases" in said:
        out["purchases"] = np.abs(said["purchases"] - actual)
    if "chance" in said:
        out["log_loss"] = statistics.log_losses(said["chance"], came)
    return out


def _compare(
    losses: list[dict[str, dict[str, Floats]]], models: list[str], level: float, seed: int
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Differences of mean losses, with intervals over resamples of the customers; and the grades."""
    import pandas as pd

    rng, rows, grades = np.random.default_rng(seed), [], {}
    for model in models:
        signs = []
        for loss in LOSSES:
            others = [
                name
                for name in losses[0]
                if name not in models and all(loss in one.get(name, {}) for one in losses)
            ]
            found = []
            for other in others:
                gap = np.concatenate([one[model][loss] - one[other][loss] for one in losses])
                low, high = resampled_mean(gap, level, rng)
                found.append((float(gap.mean()), low, high))
                rows.append((model, loss, other, float(gap.mean()), low, high))
            hardest = max(found)  # against the best baseline the difference is the largest
            signs.append(-1 if hardest[2] < 0 else 1 if hardest[1] > 0 else 0)
        grades[model] = "worse" if 1 in signs else "better" if signs == [-1, -1] else "no better"
    columns = ["model", "loss", "baseline", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns), grades
