"""What is ahead of a base, and how its stages have proved themselves, as plain rows for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.errors import DataError
from lifestage.lifecycle.acquire import acquisition_limits
from lifestage.lifecycle.forecast import stage_forecast
from lifestage.lifecycle.groups import COHORT, MOST, group_totals
from lifestage.lifecycle.realised import realised_repurchase
from lifestage.lifecycle.regularity import regularity
from lifestage.lifecycle.touch import touch_schedule
from lifestage.report.plain import plain, records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.model import LTVModel
    from lifestage.tables import Summary

__all__ = ["outlook"]

POINTS = 12
"""Points of the forecast over the horizon; a third of them are shown as stages."""

SCENARIOS = 200
SCHEDULE = (3, 7, 15)
CURVE = (1, 2, 3, 5, 7, 10, 15, 21, 30, 45, 60, 90, 120, 180, 270, 365)
"""Days after a purchase of the schedule, and of its curve."""


def outlook(
    staged: Any,
    model: LTVModel,
    customers: Summary | None,
    terms: Mapping[str, float],
    cac: float | None = None,
) -> dict[str, Any]:
    """The forecast of stages, what came of them, the touch schedule, and groups; None or empty where not known.

    Parameters
    ----------
    terms : mapping
        ``horizon`` (periods), ``discount_rate``, ``margin``, ``level``.
    customers : Summary, optional
        What *staged* was made from: with it, what came after its last day, and when buyers are back.

    Returns
    -------
    dict
        ``forecast`` (``stages``, ``transitions`` to the end, ``totals``, ``sample``, ``scenarios``), ``realised``,
        ``schedule`` (``days``, ``curve``, ``regularity``), ``groups`` (``by``, ``rows``, ``quantile``), ``at_risk``
        (what those at risk are expected to buy, with intervals; None if nobody is).
    """
    horizon, level = terms["horizon"], terms["level"]
    ahead = stage_forecast(model, staged, horizon=horizon, points=POINTS, scenarios=SCENARIOS, level=level)
    shown = sorted(ahead.totals["periods"])[POINTS // 4 - 1 :: POINTS // 4]
    end = ahead.transitions["periods"] == shown[-1]
    return {
        "forecast": {
            "stages": records(ahead.stages[ahead.stages["periods"].isin(shown)]),
            "transitions": records(ahead.transitions[end & (ahead.transitions["customers"] > 0)]),
            "totals": records(ahead.totals),
            "scenarios": ahead.scenarios,
            "sample": ahead.sample,
        },
        "realised": [] if customers is None else _realised(staged, customers, level),
        "schedule": None if customers is None else _schedule(model, staged, customers, level),
        "groups": _groups(model, staged, terms, cac),
        "at_risk": _at_risk(model, staged, terms),
    }


def _realised(staged: Any, customers: Summary, level: float) -> list[dict[str, Any]]:
    return [] if customers.later is None else records(realised_repurchase(staged, customers, level=level))


def _schedule(model: LTVModel, staged: Any, customers: Summary, level: float) -> dict[str, Any] | None:
    if customers.purchases is None:
        return None
    try:
        rhythm = regularity(customers, level=level)
        known = {name: plain(getattr(rhythm, name)) for name in ("k", "low", "high", "customers", "regular")}
    except DataError:  # too few customers who bought three times
        known = {}
    longest = max(customers.gaps, default=0)
    curve = [day for day in CURVE if day <= max(longest, SCHEDULE[-1])]
    return {
        "days": records(touch_schedule(customers, model, days=SCHEDULE, staged=staged, level=level)),
        "curve": records(touch_schedule(customers, model, days=curve, level=level)),
        "regularity": known or None,
    }


def _at_risk(model: LTVModel, staged: Any, terms: Mapping[str, float]) -> dict[str, Any] | None:
    values = {name: terms[name] for name in ("horizon", "discount_rate", "margin", "level")}
    rows = records(group_totals(model, staged, "at_risk", **values))
    return next((row for row in rows if row["group"] == "yes"), None)


def _groups(model: LTVModel, staged: Any, terms: Mapping[str, float], cac: float | None) -> list[dict[str, Any]]:
    """By channel and by cohort, as far as they are known and few."""
    from lifestage.data.engine import lazy, to_pandas
    from lifestage.lifecycle.groups import group_column

    frame, _ = lazy(staged)
    names = frame.collect_schema().names()
    if model.spend is None or "revenue" not in names:
        return []
    values = {name: terms[name] for name in ("horizon", "discount_rate", "margin", "level")}
    quantile = (1 - terms["level"]) / 2
    found = []
    for by, needed in (("channel", "channel"), (COHORT, "first_purchase")):
        if needed not in names:
            continue
        if not 1 < len(to_pandas(group_column(frame, by).select("__group").unique())) <= MOST:
            continue
        table = acquisition_limits(model, staged, by, quantile=quantile, cac=cac, **values)
        found.append({"by": by, "quantile": quantile, "rows": records(table)})
    return found
