"""The whole corridor in one call: orders in, a folder of staged customers, report and model out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lifestage.config import RunConfig
from lifestage.data.engine import write_parquet
from lifestage.data.orders import read_orders
from lifestage.data.summary import summarize
from lifestage.folders import refuse_others, staging_folder
from lifestage.lifecycle import assign_stages, stage_table
from lifestage.model import LTVModel, fit
from lifestage.report import summarize_run, write_report
from lifestage.tables import Summary

__all__ = ["fit_orders", "run", "score", "summarize_orders", "write_table"]

Step = Callable[[str], None]

RUN_FILES = frozenset({"customers.parquet", "stages.csv", "summary.json", "report.html", "model"})


def summarize_orders(orders: Any, config: RunConfig) -> Summary:
    """Read and summarise *orders* (a path, glob, database file or frame) as the settings say."""
    source = read_orders(Path(orders), table=config.table) if isinstance(orders, str | os.PathLike) else orders
    summary: Summary = summarize(
        source,
        customer=config.customer,
        time=config.time,
        amount=config.amount,
        quantity=config.quantity,
        order=config.order,
        channel=config.channel,
        until=config.until,
        period=config.period,
        tz=config.tz,
        drop_duplicates=config.drop_duplicates,
        drop_zero=config.drop_zero,
        stage_window=config.stage_window,
        max_dropped=config.max_dropped,
    )
    return summary


def fit_orders(customers: Summary, config: RunConfig) -> LTVModel:
    """Fit the families that the settings name."""
    spend = config.spend if config.amount is not None else None
    return fit(customers, purchases=config.purchases, spend=spend, method=config.method)


def score(model: LTVModel, customers: Summary, config: RunConfig) -> Any:
    """Predict and stage every customer under the terms of the settings."""
    scores = model.predict(
        customers,
        horizon=config.horizon,
        discount_rate=config.discount_rate,
        margin=config.margin,
        level=config.level,
    )
    return assign_stages(scores, line_rule=config.line_rule, lang=config.lang)


def write_table(table: Any, path: str | os.PathLike[str]) -> None:
    """Write a table as one Parquet file, whole or not at all."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}.part")
    try:
        write_parquet(table, staging)
        os.replace(staging, target)
    finally:
        staging.unlink(missing_ok=True)


def run(orders: Any, out: str | os.PathLike[str], config: RunConfig, *, step: Step = lambda _: None) -> dict[str, Any]:
    """Run the corridor and write its results into the folder *out*, whole or not at all.

    The folder gets ``customers.parquet``, ``stages.csv``, ``summary.json``, ``report.html`` and ``model/``. They are
    written beside it and moved into place at the end. A folder that holds an earlier run is replaced, and the report
    compares with it; any other folder that is not empty is refused.

    Parameters
    ----------
    orders : path, glob, database file, or frame
    step : callable
        Told the name of each step as it begins.

    Returns
    -------
    dict
        The contents of ``summary.json``.

    Raises
    ------
    DataError, FitError
        If the log cannot be used or the model not fitted.
    ConfigError
        If *out* is taken by something else.
    """
    target = Path(out).resolve()
    refuse_others(target, RUN_FILES)
    previous = _previous_run(target)
    with staging_folder(target) as staging:
        step("Reading orders")
        customers = summarize_orders(orders, config)
        step("Fitting the models")
        model = fit_orders(customers, config)
        step("Predicting customers")
        staged = score(model, customers, config)
        write_parquet(staged, staging / "customers.parquet")
        step("Totals and stages")
        stage_table(staged, lang=config.lang).to_csv(staging / "stages.csv", index=False)
        summary = summarize_run(staged, model, currency=config.currency, previous=previous, cac=config.cac)
        (staging / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False), "utf-8")
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
        )
    return summary


def _previous_run(target: Path) -> dict[str, Any] | None:
    """The summary of an earlier run in this folder; None where there is none, or one that cannot be compared with."""
    try:
        found = json.loads((target / "summary.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    parts = ("quality", "data", "fit", "totals", "stages", "versions")
    return found if isinstance(found, dict) and all(isinstance(found.get(part), dict) for part in parts) else None
