"""Release notes: changes in parameters, and in scores and stages of the same customers."""

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

__all__ = ["population_stability", "release_notes"]

MAX_SCORED_CUSTOMERS = 50_000
"""A random sample of this size stands for a larger base."""

PREDICT_SETTINGS = ("horizon", "discount_rate", "margin", "level", "high_value")
COMPARED_SCORES = ("p_purchase", "expected_purchases", "ltv")
BINS = 10


def population_stability(before: ArrayLike, after: ArrayLike) -> float:
    r"""Compute the population stability index of a score over the tenths of its earlier values.

    .. math:: \mathrm{PSI} = \sum_k (a_k - b_k) \ln(a_k / b_k)

    with the shares b before and a after; below 0.1 little has changed, above 0.25 much. Shares are
    of at least half a customer, so that the index is finite.

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


def release_notes(
    champion: LTVModel | None,
    model: LTVModel,
    customers: Summary,
    config: RunConfig,
    comparison: pd.DataFrame | None,
) -> str:
    """Write the release notes of a new version as Markdown; both models score today's customers."""
    if champion is None:
        return "# Release notes\n\nThe first version.\n"
    data, data_before = model.data, champion.data
    parts = [
        "# Release notes",
        f"Observed until {data.until}; before, until {data_before.until}.",
        f"{data.customers:,} customers; before, {data_before.customers:,}.",
    ]
    if comparison is not None:
        parts += ["## Champion and challenger on the same forecasts", markdown_table(comparison)]
    keys = ["family", "parameter"]
    columns = [*keys, "estimate", "low", "high"]
    params = champion.params[columns].merge(
        model.params[columns], how="outer", on=keys, suffixes=(" before", " after"), sort=False
    )
    parts += ["## Parameters, with 95 % intervals", markdown_table(params)]
    before, after = (_staged(each, customers, config) for each in (champion, model))
    stability, transitions = _stability(before, after), _transitions(before, after)
    parts += ["## Scores of the same customers", markdown_table(stability)]
    parts += ["## Stages of the same customers, before and after", markdown_table(transitions)]
    return "\n\n".join(parts) + "\n"


def _stability(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    names = [name for name in COMPARED_SCORES if name in before and name in after]
    rows = [(name, population_stability(before[name], after[name])) for name in names]
    return pd.DataFrame(rows, columns=["score", "population stability index"])


def _transitions(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    counts = pd.crosstab(before["activity_stage"], after["activity_stage"])
    return counts.reset_index().rename(columns={"activity_stage": "before \\ after"})


def _staged(model: LTVModel, customers: Summary, config: RunConfig) -> pd.DataFrame:
    """Score and stage the customers, or a random sample of them."""
    sample = sample_customers(customers.table, customers.customers, MAX_SCORED_CUSTOMERS)
    settings: dict[str, Any] = {name: getattr(config, name) for name in PREDICT_SETTINGS}
    scores = model.predict(replace(customers, table=sample.reset_index(drop=True)), **settings)
    staged = assign_stages(scores, line_rule=config.line_rule, thresholds=config.thresholds)
    return to_pandas(staged).sort_values(CUSTOMER, ignore_index=True)
