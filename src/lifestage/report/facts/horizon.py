"""What is expected within the horizon and what was observed after the data, as plain rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.plain import records
from lifestage.lifecycle.metrics.realised import realised_repurchase
from lifestage.report.facts.forecast import forecast_facts
from lifestage.report.facts.groups import at_risk_facts, group_facts
from lifestage.report.facts.repurchase import repurchase_facts
from lifestage.report.facts.sample import sample_buyers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.data.customers.summary import Summary
    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.lifecycle.stages.thresholds import Thresholds
    from lifestage.model import LTVModel

__all__ = ["horizon_facts"]

MAX_SIMULATED = 50_000
"""Customers up to which all are simulated; a random sample represents a larger base."""

MAX_WITH_INTERVALS = 10_000
"""Customers up to which the intervals of groups use all of them."""


def horizon_facts(
    staged: Any,
    model: LTVModel,
    customers: Summary | None,
    terms: Mapping[str, float],
    cac: float | None = None,
    thresholds: Thresholds | None = None,
    playbook: Playbook | None = None,
) -> dict[str, Any]:
    """The forecast of stages, repurchase after the data, repurchase by day, and values by group.

    Parameters
    ----------
    terms : mapping
        ``horizon`` (periods), ``discount_rate``, ``margin``, ``level``.
    customers : Summary, optional
        What *staged* was made from: with it, what was observed after its last day, and when
        customers buy again.
    thresholds : Thresholds, optional
        Those of the stages.
    playbook : Playbook, optional
        Its own taxonomies are forecast too.

    Returns
    -------
    dict
        ``forecast`` (``stages``, ``transitions`` to the end, ``totals``, ``sample``,
        ``scenarios``), ``realised``, ``schedule`` (``days``, ``curve``, ``regularity``), ``groups``
        (``by``, ``rows``, ``quantile``), ``at_risk`` (what those at risk are expected to buy, with
        intervals; None if nobody is). What is not known is None or empty.
    """
    sample, buyers = sample_buyers(staged, MAX_SIMULATED)
    if buyers > MAX_SIMULATED:
        simulated, scale = sample, buyers / len(sample)
        grouped = sample.sample(MAX_WITH_INTERVALS, random_state=0)
    else:
        simulated, scale, grouped = staged, 1.0, staged
    realised: list[dict[str, Any]] = []
    if customers is not None and customers.holdout_purchases is not None:
        realised = records(
            realised_repurchase(
                staged,
                customers,
                level=terms["level"],
            )
        )
    schedule = None
    if customers is not None and customers.purchases is not None:
        schedule = repurchase_facts(model, staged, customers, terms["level"])
    return {
        "forecast": forecast_facts(model, simulated, terms, scale, thresholds, playbook),
        "realised": realised,
        "schedule": schedule,
        "groups": group_facts(model, staged, grouped, terms, cac),
        "at_risk": at_risk_facts(model, staged, terms, MAX_WITH_INTERVALS),
    }
