"""Grades of models against baselines: better, no better or worse, beyond sampling error."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifestage.numerics.statistics import resampled_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from lifestage.core.typing import Floats

    type Losses = Mapping[str, Mapping[str, Floats]]
    """Losses per customer, by forecast and loss."""

__all__ = ["Difference", "grade_models"]

GRADED_LOSSES = ("purchases", "log_loss")
"""What a model is graded by: the error of purchases, and of the probability of any purchase."""


class Difference(NamedTuple):
    """Mean loss of a model − that of a baseline, and the interval of that mean."""

    model: str
    loss: str
    baseline: str
    difference: float
    low: float
    high: float


def grade_models(
    losses: Sequence[Losses], models: Sequence[str], level: float, seed: int
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Differences of mean losses with intervals over resamples of the customers, and the grades.

    Parameters
    ----------
    losses : sequence of mappings
        Losses per customer at each origin, by forecast and loss.
    models : sequence of str
        The forecasts that are graded; the others are baselines.
    level : float
        Level of the intervals.
    seed : int
        Random seed of the resamples.

    Returns
    -------
    pandas.DataFrame
        One row per :class:`Difference`.
    dict of str to str
        Model → ``"better"``, ``"no better"`` or ``"worse"``.
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    rows: list[Difference] = []
    grades = {}
    for model in models:
        signs = []
        for loss in GRADED_LOSSES:
            differences = [
                _difference(losses, model, loss, baseline, level, rng)
                for baseline in _baselines_with(loss, losses, models)
            ]
            rows += differences
            # the best baseline is the one with the largest difference
            hardest = max(differences, key=lambda row: row[3:])
            signs.append(_sign(hardest.low, hardest.high))
        grades[model] = _grade(signs)
    return pd.DataFrame(rows, columns=list(Difference._fields)), grades


def _baselines_with(loss: str, losses: Sequence[Losses], models: Sequence[str]) -> list[str]:
    """The baselines that have this loss at every origin."""
    names = [name for name in losses[0] if name not in models]
    for origin in losses:
        names = [name for name in names if loss in origin.get(name, {})]
    return names


def _difference(
    losses: Sequence[Losses],
    model: str,
    loss: str,
    baseline: str,
    level: float,
    rng: np.random.Generator,
) -> Difference:
    gap = np.concatenate([origin[model][loss] - origin[baseline][loss] for origin in losses])
    low, high = resampled_mean(gap, level, rng)
    return Difference(model, loss, baseline, float(gap.mean()), low, high)


def _sign(low: float, high: float) -> int:
    """−1 if the model's loss is lower beyond sampling error, 1 if it is higher, else 0."""
    if high < 0:
        return -1
    return 1 if low > 0 else 0


def _grade(signs: Sequence[int]) -> str:
    if 1 in signs:
        return "worse"
    return "better" if set(signs) == {-1} else "no better"
