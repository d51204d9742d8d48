"""Everything that a report or a script wants to know of a run, as one plain dict; aggregated where the data lives."""

from __future__ import annotations

import platform
from dataclasses import asdict, replace
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
from lifestage.lifecycle.metrics.base_metrics import METRICS, base_metrics, metric_changes
from lifestage.lifecycle.metrics.formulas import YEAR_DAYS, ltv_base, ltv_simple, ltv_with_margin
from lifestage.lifecycle.stages.counts import stage_counts
from lifestage.lifecycle.stages.table import stage_table
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES
from lifestage.prediction.totals import totals
from lifestage.report.facts.outlook import outlook
from lifestage.report.facts.value_distribution import ltv_distribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.core.notes import Note
    from lifestage.data.customers.summary import Summary
    from lifestage.evaluate import ValidationResult
    from lifestage.fitting.posterior import Posterior
    from lifestage.lifecycle.stages.thresholds import Thresholds
    from lifestage.model import LTVModel

__all__ = ["summarize_run"]

COMPARED = ("created", "data", "totals", "at_risk")
"""Parts of an earlier run that a later one keeps."""

VERSIONED = ("lifestage", "numpy", "scipy", "pandas", "duckdb", "narwhals", "pyarrow", "numba")


def summarize_run(
    staged: Any,
    model: LTVModel,
    *,
    currency: str = "",
    previous: Mapping[str, Any] | None = None,
    cac: float | None = None,
    customers: Summary | None = None,
    trust: ValidationResult | None = None,
    thresholds: Thresholds | None = None,
) -> dict[str, Any]:
    """Summarise a run: data quality, fit, totals with intervals, stages, risk, value, metrics and versions.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` returned; pandas, polars, pyarrow or a DuckDB relation.
        Rows whose frequency is null are contacts without a purchase: they are counted as prospects
        and in nothing else.
    model : LTVModel
        The model that scored them.
    currency : str
        Name or symbol of the money, for display; nothing is converted.
    previous : mapping, optional
        The result of this function for an earlier run, to compare with.
    cac : float, optional
        Acquisition cost a customer, money.
    customers : Summary, optional
        What *staged* was made from: with it, ``outlook`` says what the stages went on to do and
        when buyers are back.
    trust : ValidationResult, optional
        What :func:`lifestage.evaluate.validate` found, or ``ValidationResult`` of a backtest and a drift of
        your own.
    thresholds : Thresholds, optional
        Those of :func:`lifestage.assign_stages`, for what is ahead of the stages.

    Returns
    -------
    dict
        Text, numbers, None, lists and dicts only; never NaN. ``totals`` hold sums over customers
        within ``terms.horizon`` periods (revenue undiscounted, LTV discounted margin) and
        ``intervals`` their predictive intervals at ``terms.level``. ``at_risk.value_lost`` is
        money; ``stages.<taxonomy>.<key>`` counts customers, and ``stage_intervals`` holds their
        intervals where the model has draws; money entries are None for a model without spend.

    Raises
    ------
    DataError
        If *staged* lacks a column that staging adds, or holds no customer.
    """
    frame, _ = lazy(staged)
    names = frame.collect_schema().names()
    missing = [
        c
        for c in (FREQUENCY, "p_purchase", *TERMS, "activity_stage", "at_risk", "cannot_lose")
        if c not in names
    ]
    if missing:
        raise DataError(
            f"expected a staged table (ls.assign_stages); columns missing: {', '.join(missing)}"
        )
    buyers = frame.filter(~nw.col(FREQUENCY).is_null())
    base = _base(buyers, names)
    if not base["customers"]:
        raise DataError("expected a staged table with customers; it has no row with a purchase")
    terms = {name: _one_term(base, name) for name in TERMS}
    horizon = terms["horizon_days"] / model.period.days
    counts = compress(replace(model.data, table=buyers))
    money = "ltv" in names
    sums = totals(
        model, counts, Terms(horizon, terms["discount_rate"], terms["margin"], terms["level"])
    )
    metrics = base_metrics(staged, by="channel" if "channel" in names else None, cac=cac)
    everyone = int(to_pandas(frame.select(nw.len().alias("rows")))["rows"].iloc[0])
    run = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "currency": currency,
        "quality": _quality(model.data),
        "data": {
            "customers": base["customers"],
            "repeaters": base["repeaters"],
            "orders": base["orders"],
            "prospects": everyone - base["customers"],
            "until": last_day(frame, None) or model.data.until,
            "holdout_end": model.data.holdout_end,
            "period": model.period.name,
            "stage_window_days": terms["stage_window_days"],
        },
        "fit": {name: _fit(part) for name, part in model.parts.items()},
        "terms": {"horizon": horizon, **terms},
        "totals": {name: base[name] for name in ("expected_purchases", "expected_revenue", "ltv")},
        **_intervals(sums),
        "stages": _stages(staged),
        "stage_intervals": _stage_intervals(model, staged, terms["level"], thresholds),
        "at_risk": {
            "customers": base["at_risk"],
            "value_lost": base["at_risk_lost"],
            "ltv": base["at_risk_ltv"],
        },
        "cannot_lose": {"customers": base["cannot_lose"], "ltv": base["cannot_lose_ltv"]},
        "metrics": records(metrics),
        "metric_changes": _changes(metrics, previous),
        "previous": None if previous is None else {name: previous.get(name) for name in COMPARED},
        "ltv_distribution": (
            ltv_distribution(buyers, base["customers"], base["ltv"]) if money else None
        ),
        "formula_ltv": _formulas(records(metrics)[0], terms, cac) if money else None,
        "frequency_fit": records(frequency_fit(model, counts)),
        "holdout_fit": records(holdout_fit(model, counts)),
        "tracking": (
            []
            if model.data.calendar is None or model.data.until is None
            else records(tracking(model))
        ),
        "outlook": outlook(
            staged, model, customers, {"horizon": horizon, **terms}, cac, thresholds
        ),
        "trust": _trust(trust),
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in VERSIONED},
        },
    }
    return dict(plain(run))


def _trust(trust: ValidationResult | None) -> dict[str, Any] | None:
    """The tests as plain rows: ``forecasts`` are means over the origins."""
    if trust is None:
        return None
    test, watched = trust.backtest, trust.drift
    out: dict[str, Any] = {"reason": trust.reason, "backtest": None, "drift": None}
    if test is not None:
        means = (
            test.table.drop(columns=["origin", "is_model"])
            .groupby("forecast", sort=False)
            .mean()
            .reset_index()
        )
        out["backtest"] = {
            **{name: getattr(test, name) for name in ("horizon", "level", "grades")},
            "period": test.period.name,
            "origins": sorted(set(test.table["origin"])),
            "forecasts": records(means),
            **{
                name: records(getattr(test, name))
                for name in ("table", "differences", "reliability", "tracking")
            },
        }
    if watched is not None:
        out["drift"] = {
            "level": watched.level,
            "signals": [asdict(signal) for signal in watched.signals],
            **{name: records(getattr(watched, name)) for name in ("table", "cohorts")},
        }
    return out


def _one_term(base: Mapping[str, Any], name: str) -> float:
    """The value of a term that holds for every row; NaN where the model knows none."""
    least, most = (
        float("nan" if base[each] is None else base[each]) for each in (f"least_{name}", name)
    )
    if least < most:
        raise DataError(
            f"expected a table of one {name}; got {least:g} to {most:g}: totals are made of scores"
            " under the same terms"
        )
    return most


def _base(buyers: Any, names: list[str]) -> dict[str, Any]:
    """One row of sums over the customers, None where there is no money."""

    def flagged(flag: str, column: str) -> nw.Expr:
        return nw.when(nw.col(flag)).then(nw.col(column)).otherwise(nw.lit(0.0)).sum()

    def count(condition: nw.Expr) -> nw.Expr:
        return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).sum()

    wanted = {
        "customers": nw.len(),
        "repeaters": count(nw.col(FREQUENCY) > 0),
        "orders": nw.col("orders").sum() if "orders" in names else (nw.col(FREQUENCY) + 1).sum(),
        "expected_purchases": nw.col("expected_purchases").sum(),
        "at_risk": count(nw.col("at_risk")),
        "cannot_lose": count(nw.col("cannot_lose")),
        **{name: nw.col(name).max() for name in TERMS},
        **{f"least_{name}": nw.col(name).min() for name in TERMS},
    }
    if "ltv" in names:
        wanted |= {
            "expected_revenue": (nw.col("expected_purchases") * nw.col("expected_spend")).sum(),
            "ltv": nw.col("ltv").sum(),
            "at_risk_lost": flagged("at_risk", "value_lost"),
            "at_risk_ltv": flagged("at_risk", "ltv"),
            "cannot_lose_ltv": flagged("cannot_lose", "ltv"),
        }
    empty = dict.fromkeys(
        ("expected_revenue", "ltv", "at_risk_lost", "at_risk_ltv", "cannot_lose_ltv")
    )
    table = to_pandas(buyers.select(*[expr.alias(name) for name, expr in wanted.items()]))
    row = {name: table[name].iloc[0] for name in wanted}
    whole = ("customers", "repeaters", "orders", "at_risk", "cannot_lose")
    return {**empty, **row, **{name: int(row[name] or 0) for name in whole}}


def _quality(data: Summary) -> dict[str, Any]:
    quality = data.quality
    if quality is None:
        return {
            "rows_read": None,
            "rows_used": None,
            "dropped": {},
            "merged": {},
            "found": {},
            "notes": [],
        }
    return {
        "rows_read": quality.rows_read,
        "rows_used": quality.rows_used,
        "dropped": quality.dropped,
        "merged": quality.merged,
        "found": quality.found,
        "notes": [_note(note) for note in quality.notes],
    }


def _note(note: Note) -> dict[str, Any]:
    return {"code": note.code, "text": note.text, "values": note.values}


def _fit(part: Posterior) -> dict[str, Any]:
    """What was fitted, how well, and what a reader must know of it."""
    known = part.diagnostics
    return {
        "family": part.family,
        "method": part.method,
        "params": part.estimate,
        "table": records(part.table()),
        **{name: known.get(name) for name in ("log_likelihood", "aic", "bic", "observations")},
        "status": str(part.status),
        "converged": part.status.converged,
        "notes": [_note(note) for note in part.status.notes],
        "independence": known.get("independence"),
    }


def _intervals(sums: Any) -> dict[str, Any]:
    """Intervals of the totals by name; ``interval_note`` says where they are not to be trusted."""
    names = {"purchases": "expected_purchases", "revenue": "expected_revenue", "ltv": "ltv"}
    found = {names[row["quantity"]]: [row["low"], row["high"]] for row in records(sums)}
    return {
        "intervals": found,
        "interval_note": next((note for note in sums["note"] if note), None),
    }


def _stages(staged: Any) -> dict[str, dict[str, int]]:
    counts = {
        taxonomy: {stage.key: 0 for stage in stages} for taxonomy, stages in TAXONOMIES.items()
    }
    for row in stage_table(staged).to_dict("records"):
        counts[row["taxonomy"]][row["stage"]] = int(row["customers"])
    return counts


def _stage_intervals(
    model: LTVModel, staged: Any, level: float, thresholds: Thresholds | None
) -> dict[str, dict[str, list[float]]] | None:
    """Intervals of the customers in each stage; None for a point estimate."""
    if model.purchases.size < 2:
        return None
    out: dict[str, dict[str, list[float]]] = {}
    for row in stage_counts(model, staged, level=level, thresholds=thresholds).to_dict("records"):
        out.setdefault(row["taxonomy"], {})[row["stage"]] = [row["low"], row["high"]]
    return out


def _changes(metrics: Any, previous: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Every metric's change since the run before; empty where that run has none that can be compared."""
    import pandas as pd

    before = pd.DataFrame((previous or {}).get("metrics") or [])
    if any(name not in before for name in ("scope", "group", *METRICS)):
        return []
    return records(metric_changes(metrics, before.astype(dict.fromkeys(METRICS, float))))


def _formulas(
    metrics: Mapping[str, Any], terms: Mapping[str, float], cac: float | None
) -> dict[str, Any] | None:
    """LTV a customer by formula beside the model's; ``gaps`` are formula ÷ model − 1."""
    value, rate, years, model = (
        metrics[name]
        for name in ("average_order_value", "purchases_per_year", "lifespan_years", "ltv")
    )
    if value is None or value < 0 or rate is None:
        return None
    horizon_years, margin = terms["horizon_days"] / YEAR_DAYS, terms["margin"]
    ways = {"same_horizon": ltv_with_margin(value, rate, horizon_years, margin)}
    if years is not None:
        ways["simple"] = ltv_simple(value, rate, years)
        ways["with_margin"] = ltv_with_margin(value, rate, years, margin)
        ways["base"] = ltv_base(
            value * rate, metrics["customers"], years, cac or 0.0, scope="customer"
        )
    return {
        "model": model,
        **ways,
        "horizon_years": horizon_years,
        "lifespan_years": years,
        "cac": cac,
        "gaps": {name: amount / model - 1 if model else None for name, amount in ways.items()},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
