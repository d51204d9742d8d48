"""Customers by stage and their intervals, as plain dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.lifecycle.stages.counts import stage_counts
from lifestage.lifecycle.stages.table import stage_table
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES

if TYPE_CHECKING:
    from lifestage.lifecycle.stages.thresholds import Thresholds
    from lifestage.model import LTVModel

__all__ = ["stage_facts", "stage_interval_facts"]


def stage_facts(staged: Any) -> dict[str, dict[str, int]]:
    """Customers by taxonomy and stage, zeros included."""
    counts: dict[str, dict[str, int]] = {}
    for taxonomy, stages in TAXONOMIES.items():
        counts[taxonomy] = dict.fromkeys((stage.key for stage in stages), 0)
    for row in stage_table(staged).to_dict("records"):
        counts[row["taxonomy"]][row["stage"]] = int(row["customers"])
    return counts


def stage_interval_facts(
    model: LTVModel, staged: Any, level: float, thresholds: Thresholds | None
) -> dict[str, dict[str, list[float]]] | None:
    """Intervals of the customers in each stage; None for a point estimate."""
    if model.purchases.size < 2:
        return None
    out: dict[str, dict[str, list[float]]] = {}
    for row in stage_counts(model, staged, level=level, thresholds=thresholds).to_dict("records"):
        out.setdefault(row["taxonomy"], {})[row["stage"]] = [row["low"], row["high"]]
    return out
