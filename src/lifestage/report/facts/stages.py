"""Customers by stage and their intervals, as plain dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.lifecycle.stages.counts import stage_counts
from lifestage.lifecycle.stages.rules import taxonomies_of
from lifestage.lifecycle.stages.table import stage_table

if TYPE_CHECKING:
    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.lifecycle.stages.thresholds import Thresholds
    from lifestage.model import LTVModel

__all__ = ["stage_facts", "stage_interval_facts"]


def stage_facts(staged: Any, playbook: Playbook | None = None) -> dict[str, dict[str, int]]:
    """Customers by taxonomy and stage, zeros included."""
    counts: dict[str, dict[str, int]] = {}
    for taxonomy in taxonomies_of(playbook):
        counts[taxonomy.name] = dict.fromkeys(taxonomy.keys, 0)
    for row in stage_table(staged, playbook=playbook).to_dict("records"):
        counts[row["taxonomy"]][row["stage"]] = int(row["customers"])
    return counts


def stage_interval_facts(
    model: LTVModel,
    staged: Any,
    level: float,
    thresholds: Thresholds | None,
    playbook: Playbook | None = None,
) -> dict[str, dict[str, list[float]]] | None:
    """Intervals of the customers in each stage; None for a point estimate."""
    if model.purchases.size < 2:
        return None
    out: dict[str, dict[str, list[float]]] = {}
    table = stage_counts(model, staged, level=level, thresholds=thresholds, playbook=playbook)
    for row in table.to_dict("records"):
        out.setdefault(row["taxonomy"], {})[row["stage"]] = [row["low"], row["high"]]
    return out
