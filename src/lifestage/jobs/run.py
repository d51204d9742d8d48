"""The whole corridor in one call: orders in, a folder of staged customers, report and model out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lifestage.core.addresses import address_of, local_path
from lifestage.core.files import ensure_empty_or_own, staging_folder
from lifestage.data.customers.summarize import summarize
from lifestage.data.engines.frames import write_parquet
from lifestage.data.sources.files import read_orders
from lifestage.data.sources.plain_csv import write_csv
from lifestage.data.sources.write import check_target, write_table
from lifestage.evaluate import calibrate, validate
from lifestage.lifecycle import assign_stages, stage_table
from lifestage.model import LTVModel, fit
from lifestage.report import summarize_run, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from lifestage.data.customers.summary import Summary
    from lifestage.jobs.config import RunConfig

__all__ = [
    "RUN_FILES",
    "fit_orders",
    "log_settings",
    "open_orders",
    "run",
    "score",
    "summarize_orders",
]

Step = Callable[[str], None]

LOG_SETTINGS = (
    *("customer", "time", "amount", "quantity", "order", "channel", "earliest", "period", "tz"),
    *("drop_duplicates", "drop_zero", "stage_window", "resolution", "max_dropped"),
)
ENGINE_SETTINGS = ("memory_limit", "temp_directory", "threads")
RUN_FILES = frozenset({"customers.parquet", "stages.csv", "summary.json", "report.html", "model"})


def summarize_orders(orders: Any, config: RunConfig) -> Summary:
    """Read and summarise *orders* (a path, glob, database file or frame) by the settings."""
    table = open_orders(orders, config)
    summary: Summary = summarize(table, until=config.until, **log_settings(config))
    return summary


def open_orders(orders: Any, config: RunConfig) -> Any:
    """Open the table of a path, glob or address by the settings; a frame is returned as it is."""
    if not isinstance(orders, str | os.PathLike):
        return orders
    address, engine = os.fspath(orders), _engine_settings(config)
    return read_orders(address, table=config.table, query=config.query, **engine)


def log_settings(config: RunConfig) -> dict[str, Any]:
    """Collect the arguments of :func:`lifestage.summarize` other than ``until``."""
    return {name: getattr(config, name) for name in LOG_SETTINGS}


def _engine_settings(config: RunConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in ENGINE_SETTINGS}


def fit_orders(customers: Summary, config: RunConfig, start: LTVModel | None = None) -> LTVModel:
    """Fit the families that the settings name, and recalibrate if they ask for it.

    *start* is an earlier model whose parameters the search begins at.
    """
    model = fit(
        customers,
        purchases=config.purchases,
        spend=config.spend if config.amount is not None else None,
        method=config.method,
        draws=config.draws,
        seed=config.seed,
        priors=config.priors,
        start=start,
    )
    return calibrate(model, customers) if config.calibrate else model


def score(model: LTVModel, customers: Summary, config: RunConfig) -> Any:
    """Predict and stage every customer by the settings."""
    scores = model.predict(
        customers,
        horizon=config.horizon,
        discount_rate=config.discount_rate,
        margin=config.margin,
        level=config.level,
        calibrated=config.calibrate and model.calibration is not None,
        high_value=config.high_value,
    )
    return assign_stages(
        scores,
        line_rule=config.line_rule,
        thresholds=config.thresholds,
        lang=config.lang,
        playbook=config.playbook,
    )


def run(
    orders: Any,
    out: str | os.PathLike[str],
    config: RunConfig,
    *,
    customers: Summary | None = None,
    model: LTVModel | None = None,
    to: str | None = None,
    to_table: str = "customers",
    step: Step = lambda _: None,
) -> dict[str, Any]:
    """Run the corridor and write its results into the folder *out*, atomically.

    The folder gets ``customers.parquet``, ``stages.csv``, ``summary.json``, ``report.html`` and
    ``model/``. They are written beside it and moved into place at the end, for their user alone;
    what takes the place of an earlier run keeps its permissions. A folder that holds an earlier run
    is replaced, and the report compares with it; any other folder that is not empty is refused.

    Parameters
    ----------
    orders : path, glob, database file, address of a database, or frame
    customers : Summary, optional
        These orders, if they are summarised already.
    model : LTVModel, optional
        In place of a fit. What is written, ``model/`` too, then describes these customers, not
        those that it was fitted on.
    to, to_table : str, optional
        A database to write the customers to as well, and the table; see :func:`write_table`.
    step : callable
        Called with the name of each step as it begins.

    Returns
    -------
    dict
        The contents of ``summary.json``.

    Raises
    ------
    DataError, FitError
        If the log cannot be used, the model not fitted, or the database not written.
    ConfigError
        If *out* is taken by something else.
    """
    if isinstance(orders, str | os.PathLike):
        address_of(orders)
    if to is not None:
        check_target(to)
    target = local_path(out).resolve()
    ensure_empty_or_own(target, RUN_FILES)
    previous = _previous_run(target)
    with staging_folder(target, private=True) as staging:
        step("Reading orders")
        orders = open_orders(orders, config)
        customers = summarize_orders(orders, config) if customers is None else customers
        step("Fitting the models")
        model = model or fit_orders(customers, config)
        model = replace(
            model, data=replace(customers.without_customers(), stage_window=model.data.stage_window)
        )
        step("Testing the model on the past")
        tests: dict[str, Any] = {"origins": config.backtest, "seed": config.seed}
        validation = validate(orders, customers, model, log_settings(config), **tests)
        step("Predicting customers")
        write_parquet(score(model, customers, config), staging / "customers.parquet")
        staged = read_orders(staging / "customers.parquet", **_engine_settings(config))
        step("Totals and stages")
        stages = stage_table(staged, lang=config.lang, playbook=config.playbook)
        write_csv(stages, staging / "stages.csv")
        summary = summarize_run(
            staged,
            model,
            currency=config.currency,
            previous=previous,
            cac=config.cac,
            customers=customers,
            validation=validation,
            thresholds=config.thresholds,
            playbook=config.playbook,
        )
        (staging / "summary.json").write_text(
            json.dumps(summary, indent=1, ensure_ascii=False), "utf-8"
        )
        model.save(staging / "model")
        step("Writing the report")
        write_report(
            staged,
            model,
            staging / "report.html",
            lang=config.lang,
            currency=config.currency,
            title=config.title,
            summary=summary,
            playbook=config.playbook,
        )
        if to is not None:
            step(f"Writing to {to}")
            write_table(staged, to, to_table)
    return summary


def _previous_run(target: Path) -> dict[str, Any] | None:
    """Read the summary of an earlier run in this folder; None if there is none to compare with."""
    try:
        summary = json.loads((target / "summary.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    parts = ("quality", "data", "fit", "totals", "stages", "versions")
    comparable = isinstance(summary, dict) and all(
        isinstance(summary.get(part), dict) for part in parts
    )
    return summary if comparable else None
