"""What is ahead of a base, and how its stages have proved themselves, as plain rows for the report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, KEYS, MONETARY
from lifestage.core.plain import plain, records
from lifestage.data.engines.frames import ENGINES, drawn, lazy, sampled, to_pandas
from lifestage.lifecycle.campaigns.acquisition import acquisition_limits
from lifestage.lifecycle.forecast.stage_forecast import stage_forecast
from lifestage.lifecycle.metrics.groups import COHORT, MOST, group_column, group_totals
from lifestage.lifecycle.metrics.realised import realised_repurchase
from lifestage.lifecycle.metrics.regularity import regularity
from lifestage.lifecycle.metrics.repurchase_curve import repurchase_curve

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifestage.data.customers.summary import Summary
    from lifestage.lifecycle.stages.thresholds import Thresholds
    from lifestage.model import LTVModel

__all__ = ["outlook"]

POINTS = 12
"""Points of the forecast over the horizon; a third of them are shown as stages."""

SCENARIOS = 200

SAMPLE = 50_000
"""Customers that stand for a larger base in what is simulated."""

SPREAD = 10_000
"""Customers that stand for a larger base in the intervals of groups."""

PURCHASES = 50_000
"""Purchase days that stand for more of them in the schedule."""

WEIGHT = "__stands_for"
"""Column of how many customers one of a sample stands for."""

SUMS = ("customers", "past_revenue", "purchases", "revenue", "ltv")
"""Beginnings of the columns that add up over customers."""

TERMS = ("horizon", "discount_rate", "margin", "level")
SCHEDULE = (3, 7, 15)
CURVE = (1, 2, 3, 5, 7, 10, 15, 21, 30, 45, 60, 90, 120, 180, 270, 365)
"""Days after a purchase of the schedule, and of its curve."""


def outlook(
    staged: Any,
    model: LTVModel,
    customers: Summary | None,
    terms: Mapping[str, float],
    cac: float | None = None,
    thresholds: Thresholds | None = None,
) -> dict[str, Any]:
    """The forecast of stages, what came of them, the touch schedule, and groups; None or empty where not known.

    Parameters
    ----------
    terms : mapping
        ``horizon`` (periods), ``discount_rate``, ``margin``, ``level``.
    customers : Summary, optional
        What *staged* was made from: with it, what came after its last day, and when buyers are
        back.
    thresholds : Thresholds, optional
        Those of the stages.

    Returns
    -------
    dict
        ``forecast`` (``stages``, ``transitions`` to the end, ``totals``, ``sample``,
        ``scenarios``), ``realised``, ``schedule`` (``days``, ``curve``, ``regularity``), ``groups``
        (``by``, ``rows``, ``quantile``), ``at_risk`` (what those at risk are expected to buy, with
        intervals; None if nobody is).
    """
    horizon, level = terms["horizon"], terms["level"]
    some, people = _some(staged, SAMPLE)
    factor = people / len(some) if people > SAMPLE else 1.0
    base = some if people > SAMPLE else staged
    how: dict[str, Any] = {"points": POINTS, "scenarios": SCENARIOS, "thresholds": thresholds}
    ahead = stage_forecast(model, base, horizon=horizon, level=level, **how)
    stages, moves, totals = (
        _scaled(table, factor) for table in (ahead.stages, ahead.transitions, ahead.totals)
    )
    shown = sorted(totals["periods"])[POINTS // 4 - 1 :: POINTS // 4]
    return {
        "forecast": {
            "stages": records(stages[stages["periods"].isin(shown)]),
            "transitions": records(
                moves[(moves["periods"] == shown[-1]) & (moves["customers"] > 0)]
            ),
            "totals": records(totals),
            "scenarios": ahead.scenarios,
            "sample": ahead.sample,
        },
        "realised": [] if customers is None else _realised(staged, customers, level),
        "schedule": None if customers is None else _schedule(model, staged, customers, level),
        "groups": _groups(
            model,
            staged,
            some.sample(SPREAD, random_state=0) if people > SAMPLE else staged,
            terms,
            cac,
        ),
        "at_risk": _at_risk(model, staged, terms),
    }


def _some(frame: Any, size: int) -> tuple[pd.DataFrame, int]:
    """The buyers of a table in pandas, or about *size* of them drawn by lot; and how many there are."""
    buyers = lazy(frame)[0].filter(~nw.col(FREQUENCY).is_null())
    people = int(to_pandas(buyers.select(nw.len().alias("n")))["n"].iloc[0])
    return drawn(buyers, people, size), people


def _scaled(table: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Sums over a sample as sums over the base."""
    names = [name for name in table.columns if str(name).startswith(SUMS)]
    return table.assign(**{name: table[name] * factor for name in names})


def _realised(staged: Any, customers: Summary, level: float) -> list[dict[str, Any]]:
    return (
        []
        if customers.later is None
        else records(realised_repurchase(staged, customers, level=level))
    )


def _schedule(
    model: LTVModel, staged: Any, customers: Summary, level: float
) -> dict[str, Any] | None:
    if customers.purchases is None:
        return None
    table, kind = lazy(customers.purchases)
    if kind in ENGINES:
        rows = int(to_pandas(table.select(nw.len().alias("n")))["n"].iloc[0])
        every = max(1, rows // PURCHASES)
        customers = replace(customers, purchases=sampled(table, CUSTOMER, every).to_native())
        staged = sampled(lazy(staged)[0], CUSTOMER, every).to_native() if every > 1 else staged
    try:
        rhythm = regularity(customers, level=level)
        known = {
            name: plain(getattr(rhythm, name))
            for name in ("k", "low", "high", "customers", "regular")
        }
    except DataError:  # too few customers who bought three times
        known = {}
    longest = max(customers.gaps, default=0)
    curve = [day for day in CURVE if day <= max(longest, SCHEDULE[-1])]
    return {
        "days": records(
            repurchase_curve(customers, model, days=SCHEDULE, staged=staged, level=level)
        ),
        "curve": records(repurchase_curve(customers, model, days=curve, level=level)),
        "regularity": known or None,
    }


def _at_risk(model: LTVModel, staged: Any, terms: Mapping[str, float]) -> dict[str, Any] | None:
    """What those at risk are expected to buy and to be worth."""
    table, _ = lazy(staged)
    read = [
        name
        for name in (CUSTOMER, *KEYS, MONETARY, "revenue")
        if name in table.collect_schema().names()
    ]
    some, people = _some(
        table.filter(nw.col("at_risk")).select(*read, "at_risk").to_native(), SPREAD
    )
    if not people:
        return None
    some = some.assign(**{WEIGHT: people / len(some)})
    return records(
        group_totals(model, some, "at_risk", **{name: terms[name] for name in TERMS}, weight=WEIGHT)
    )[0]


def _groups(
    model: LTVModel, staged: Any, base: Any, terms: Mapping[str, float], cac: float | None
) -> list[dict[str, Any]]:
    """By channel and by cohort, as far as they are known and few; means of all customers, spreads of the *base*."""
    frame, _ = lazy(staged)
    names = frame.collect_schema().names()
    if model.spend is None or "revenue" not in names:
        return []
    values, quantile, found = {name: terms[name] for name in TERMS}, (1 - terms["level"]) / 2, []
    for by, needed in (("channel", "channel"), (COHORT, "first_purchase")):
        if needed not in names:
            continue
        sums = to_pandas(
            frame.filter(~nw.col(FREQUENCY).is_null())
            .group_by(needed)
            .agg(nw.len().alias("customers"), nw.col("revenue").sum(), nw.col("ltv").sum())
        )
        named = group_column(nw.from_native(sums), by).to_native()
        counts = named.groupby("__group")[["customers", "revenue", "ltv"]].sum()
        if not 1 < len(counts) <= MOST:
            continue
        part = to_pandas(group_column(nw.from_native(base), by))
        part = part.assign(
            **{WEIGHT: part["__group"].map(counts["customers"] / part["__group"].value_counts())}
        )
        known = acquisition_limits(
            model, part, by, quantile=quantile, cac=cac, weight=WEIGHT, **values
        )
        counts.loc["total"] = counts.sum()
        table = _of_all(known, counts, terms)
        found.append({"by": by, "quantile": quantile, "rows": records(table)})
    return found


def _of_all(table: pd.DataFrame, sums: pd.DataFrame, terms: Mapping[str, float]) -> pd.DataFrame:
    """Means of all customers of each group, with the relative spread of the LTV of those who stand for them."""
    table = (
        table.set_index("group")
        .reindex([*sorted(sums.index.drop("total")), "total"])
        .reset_index(names="group")
    )
    known = sums.loc[table["group"]].reset_index(drop=True)
    people, ltv = known["customers"], known["ltv"] / known["customers"]
    past, grown = terms["margin"] * known["revenue"] / people, ltv / table["ltv"]
    out = table.assign(customers=people.astype(int), past_margin=past, ltv=ltv, worth=past + ltv)
    for name in ("worth_low", "worth_high", "max_cac"):
        out[name] = past + (table[name] - table["past_margin"]) * grown
    if "cac" in out:
        out["cac"] = out["cac"].bfill()
        for end in ("", "_low", "_high"):
            out[f"ltv_to_cac{end}"] = out[f"worth{end}"] / out["cac"].where(out["cac"] > 0)
        out["pays"] = out["cac"] <= out["max_cac"]
    return out
