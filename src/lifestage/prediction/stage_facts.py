"""Measure the facts of a customer base that its stages are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.fitting.stage_facts import PERCENTS, StageFacts
from lifestage.numerics.statistics import weighted_quantile

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.data.customers.counts import Counts
    from lifestage.fitting.fitted import FittedModel


__all__ = ["measure_stage_facts"]


def measure_stage_facts(model: FittedModel, counts: Counts, draws: int) -> StageFacts:
    """Measure the base that a model was fitted on, under at most so many *draws*."""
    buyers = counts.x > 0
    gap = None
    if buyers.any():
        gaps = counts.t_x[buyers] / counts.x[buyers] * model.period.days
        gap = float(weighted_quantile(gaps, counts.weight[buyers], 0.5))
    values, weights = _values(model.thin(draws), counts)
    return StageFacts(tuple(weighted_quantile(values, weights, PERCENTS / 100).tolist()), gap)


def _values(model: FittedModel, counts: Counts) -> tuple[Floats, Floats]:
    """Distinct values, purchase days × expected spend, and how many buyers have each."""
    from lifestage.prediction.spend import spend_coefficients

    x, place = np.unique(counts.x, return_inverse=True)
    people = np.bincount(place, counts.weight)
    if model.spend is None:
        return x + 1.0, people
    # the spends that are counted leave out a mean of 0: those of one-time buyers, and of repeat
    # buyers who paid nothing
    unpaid = people - np.bincount(
        np.searchsorted(x, counts.spend_x), counts.spend_weight, minlength=x.size
    )
    x = np.concatenate([x, counts.spend_x])
    money = np.concatenate([np.zeros(unpaid.size), counts.spend_m])
    weights = np.concatenate([unpaid, counts.spend_weight])
    intercept, slope = (line.mean(axis=0) for line in spend_coefficients(model, x))
    some = weights > 0
    return ((x + 1.0) * (intercept + slope * money))[some], weights[some]
