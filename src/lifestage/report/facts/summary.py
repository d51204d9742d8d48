"""Everything that a report or a script needs to know of a run, as one plain dict."""

from __future__ import annotations

import platform
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import FREQUENCY, TERMS
from lifestage.core.plain import plain, records
from lifestage.core.terms import Terms
from lifestage.data.customers.compress import compress
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.evaluate.fit_checks import frequency_fit, holdout_fit, tracking
from lifestage.lifecycle.frames import last_day
from lifestage.lifecycle.metrics.base_metrics import base_metrics
from lifestage.lifecycle.stages.playbook import as_playbook
from lifestage.lifecycle.stages.states import predictable
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.prediction.totals import totals
from lifestage.report.facts.fit import fit_facts, quality_facts
from lifestage.report.facts.horizon import horizon_facts
from lifestage.report.facts.metrics import change_facts, formula_facts
from lifestage.report.facts.stages import stage_facts, stage_interval_facts
from lifestage.report.facts.totals import customer_sums, term_of, total_intervals
from lifestage.report.facts.validation import validation_facts
from lifestage.report.facts.value_distribution import ltv_distribution

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from lifestage.data.customers.counts import Counts
    from lifestage.data.customers.summary import Summary
    from lifestage.evaluate import ValidationResult
    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.model import LTVModel

__all__ = ["summarize_run"]

COMPARED = ("created", "data", "totals", "at_risk")
"""Parts of an earlier run that a later one keeps."""

NEEDED = (FREQUENCY, "p_purchase", *TERMS, "activity_stage", "at_risk", "cannot_lose")

VERSIONED = ("lifestage", "numpy", "scipy", "pandas", "duckdb", "narwhals", "pyarrow", "numba")


def summarize_run(  # noqa: PLR0913
    staged: Any,
    model: LTVModel,
    *,
    currency: str = "",
    previous: Mapping[str, Any] | None = None,
    cac: float | None = None,
    customers: Summary | None = None,
    validation: ValidationResult | None = None,
    thresholds: Thresholds | None = None,
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> dict[str, Any]:
    """Summarise a run: data quality, fit, totals with intervals, stages, risk, value and metrics.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` returned; pandas, polars, pyarrow or a DuckDB relation.
        Rows whose frequency is null are contacts without a purchase: they are counted as prospects
        and in nothing else.
    model : LTVModel
        The model that scored them.
    currency : str
        Symbol or code of the money, for display; nothing is converted.
    previous : mapping, optional
        The result of this function for an earlier run, to compare with.
    cac : float, optional
        Acquisition cost per customer, money.
    customers : Summary, optional
        What *staged* was made from: with it, ``outlook`` holds what the stages did after the last
        day of observation and when customers buy again.
    validation : ValidationResult, optional
        What :func:`lifestage.evaluate.validate` returned, or a ``ValidationResult`` of your own
        backtest and drift.
    thresholds : Thresholds, optional
        Those of :func:`lifestage.assign_stages`, for the forecast of the stages.
    playbook : path or Playbook, optional
        That of :func:`lifestage.assign_stages`: its own taxonomies are counted too, and forecast
        where a forecast can know what their conditions read.

    Returns
    -------
    dict
        Text, numbers, None, lists and dicts only; never NaN. ``totals`` hold sums over customers
        within ``terms.horizon`` periods (revenue undiscounted, LTV discounted margin) and
        ``intervals`` their prediction intervals at ``terms.level``. ``at_risk.value_lost`` is
        money; ``stages.<taxonomy>.<key>`` counts customers, and ``stage_intervals`` holds their
        intervals where the model has draws; money entries are None for a model without spend.
        ``outlook`` holds the forecast of the stages, ``trust`` the validation.

    Raises
    ------
    DataError
        If *staged* lacks a column that staging adds, or holds no customer.

    Examples
    --------
    >>> import lifestage as ls
    >>> from lifestage.report import summarize_run
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers, horizon=52))
    >>> run = summarize_run(staged, model, currency="USD")
    >>> run["data"]["customers"], round(run["totals"]["expected_purchases"])
    (2357, 2089)
    >>> run["stages"]["line"]["active"], run["fit"]["purchases"]["converged"]
    (336, True)
    """
    book = None if playbook is None else as_playbook(playbook)
    known = None if book is None else predictable(book, thresholds or Thresholds())
    frame, _ = lazy(staged)
    names = frame.collect_schema().names()
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise DataError(
            f"expected a staged table (ls.assign_stages); columns missing: {', '.join(missing)}"
        )
    buyers = frame.filter(~nw.col(FREQUENCY).is_null())
    sums = customer_sums(buyers, names)
    if not sums["customers"]:
        raise DataError("expected a staged table with customers; it has no row with a purchase")
    terms = {name: term_of(sums, name) for name in TERMS}
    terms = {"horizon": terms["horizon_days"] / model.period.days, **terms}
    level, has_money = terms["level"], "ltv" in names
    counts = compress(replace(model.data, table=buyers))
    metrics = base_metrics(
        staged,
        by="channel" if "channel" in names else None,
        cac=cac,
    )
    formulas = formula_facts(records(metrics)[0], terms, cac) if has_money else None
    values = ltv_distribution(buyers, sums["customers"], sums["ltv"]) if has_money else None
    run = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "currency": currency,
        "quality": quality_facts(model.data.quality),
        "data": _data(frame, sums, model, terms),
        "fit": {name: fit_facts(part) for name, part in model.parts.items()},
        "terms": terms,
        "totals": {name: sums[name] for name in ("expected_purchases", "expected_revenue", "ltv")},
        **_total_intervals(model, counts, terms),
        "stages": stage_facts(staged, book),
        "stage_intervals": stage_interval_facts(model, staged, level, thresholds, known),
        "at_risk": {
            "customers": sums["at_risk"],
            "value_lost": sums["at_risk_lost"],
            "ltv": sums["at_risk_ltv"],
        },
        "cannot_lose": {"customers": sums["cannot_lose"], "ltv": sums["cannot_lose_ltv"]},
        "metrics": records(metrics),
        "metric_changes": change_facts(metrics, previous),
        "previous": None if previous is None else {name: previous.get(name) for name in COMPARED},
        "ltv_distribution": values,
        "formula_ltv": formulas,
        "frequency_fit": records(frequency_fit(model, counts)),
        "holdout_fit": records(holdout_fit(model, counts)),
        "tracking": _tracking(model),
        "outlook": horizon_facts(staged, model, customers, terms, cac, thresholds, known),
        "trust": validation_facts(validation),
        "versions": _versions(),
    }
    return dict(plain(run))


def _data(
    frame: nw.LazyFrame[Any],
    sums: Mapping[str, Any],
    model: LTVModel,
    terms: Mapping[str, float],
) -> dict[str, Any]:
    rows = int(to_pandas(frame.select(nw.len().alias("rows")))["rows"].iloc[0])
    return {
        "customers": sums["customers"],
        "repeaters": sums["repeaters"],
        "orders": sums["orders"],
        "prospects": rows - sums["customers"],
        "until": last_day(frame, None) or model.data.until,
        "holdout_end": model.data.holdout_end,
        "period": model.period.name,
        "stage_window_days": terms["stage_window_days"],
    }


def _total_intervals(
    model: LTVModel,
    counts: Counts,
    terms: Mapping[str, float],
) -> dict[str, Any]:
    rate, margin, level = terms["discount_rate"], terms["margin"], terms["level"]
    return total_intervals(
        totals(
            model,
            counts,
            Terms(terms["horizon"], rate, margin, level),
        )
    )


def _tracking(model: LTVModel) -> list[dict[str, Any]]:
    """Purchases over time; empty for a model that was not made from orders."""
    if model.data.calendar is None or model.data.until is None:
        return []
    return records(tracking(model))


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in VERSIONED:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions
