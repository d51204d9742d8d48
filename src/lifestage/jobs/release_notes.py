"""What a new version changes against the one before: parameters, scores, and the stages of the same customers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import to_pandas
from lifestage.data.engines.operations import sample_customers
from lifestage.lifecycle import assign_stages
from lifestage.registry.model_card import markdown_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from lifestage.data.customers.summary import Summary
    from lifestage.jobs.config import RunConfig
    from lifestage.model import LTVModel

__all__ = ["change_note", "population_stability"]

SAMPLE = 50_000
"""Customers that stand for more of them."""

TERMS = ("horizon", "discount_rate", "margin", "level", "high_value")
SCORES = ("p_purchase", "expected_purchases", "ltv")
BINS = 10


def population_stability(before: ArrayLike, after: ArrayLike) -> float:
    r"""Population stability index of a score over the tenths of what it was.

    .. math:: \mathrm{PSI} = \sum_k (a_k - b_k) \ln(a_k / b_k)

    with the shares b of before and a of after; below 0.1 little has moved, above 0.25 much. Shares
    are of at least half a customer, so that it stays finite.

    Examples
    --------
    >>> population_stability(range(1000), range(1000))
    0.0
    >>> population_stability(range(1000), range(500, 1500)) > 0.25
    True
    """
    before, after = np.asarray(before, float), np.asarray(after, float)
    edges = np.unique(np.quantile(before, np.arange(1, BINS) / BINS))
    shares = []
    for values in (before, after):
        counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=edges.size + 1)
        shares.append(np.maximum(counts, 0.5) / values.size)
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def change_note(
    was: LTVModel | None,
    model: LTVModel,
    customers: Summary,
    config: RunConfig,
    comparison: pd.DataFrame | None,
) -> str:
    """Write the change note: both models score the customers of today."""
    import pandas as pd

    if was is None:
        return "# Changes\n\nThe first version.\n"
    keys = ["family", "parameter"]
    old, new = (each.params[[*keys, "estimate", "low", "high"]] for each in (was, model))
    params = old.merge(new, how="outer", on=keys, suffixes=(" before", " after"), sort=False)
    parts = ["# Changes", f"Observed until {model.data.until}; before, until {was.data.until}."]
    parts += [f"{model.data.customers:,} customers; before, {was.data.customers:,}."]
    if comparison is not None:
        parts += ["## Champion and challenger on the same forecasts", markdown_table(comparison)]
    parts += ["## Parameters, with 95 % intervals", markdown_table(params)]
    staged = [_staged(each, customers, config) for each in (was, model)]
    known = [name for name in SCORES if all(name in table for table in staged)]
    stability = {name: population_stability(*(table[name] for table in staged)) for name in known}
    rows = pd.DataFrame(
        {"score": list(stability), "population stability index": list(stability.values())}
    )
    moves = pd.crosstab(staged[0]["activity_stage"], staged[1]["activity_stage"])
    moves = moves.reset_index().rename(columns={"activity_stage": "before \\ after"})
    parts += ["## Scores of the same customers", markdown_table(rows)]
    parts += ["## Stages of the same customers, before and after", markdown_table(moves)]
    return "\n\n".join(parts) + "\n"


def _staged(model: LTVModel, customers: Summary, config: RunConfig) -> pd.DataFrame:
    """The customers, or a random sample of them, as this model sees them."""
    found = sample_customers(customers.table, customers.customers, SAMPLE)
    terms: dict[str, Any] = {name: getattr(config, name) for name in TERMS}
    scores = model.predict(replace(customers, table=found.reset_index(drop=True)), **terms)
    staged = assign_stages(scores, line_rule=config.line_rule, thresholds=config.thresholds)
    return to_pandas(staged).sort_values(CUSTOMER, ignore_index=True)
