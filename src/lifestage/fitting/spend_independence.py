"""Whether spend depends on frequency, which spend models assume it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = ["spend_independence"]

TIED = 1e-12
"""Relative difference up to which two mean spends are equal but for the rounding of their sums."""


def spend_independence(x: Floats, m: Floats, weight: Floats) -> dict[str, dict[str, float]]:
    """Correlation of frequency and mean spend over repeat buyers, with and without the top 1 %.

    Pearson's and Spearman's. The top 1 % are the repeat buyers of the highest mean spend.
    Correlations that are not defined (no spread) are 0.

    Examples
    --------
    >>> m = np.array([30.0, 20.0, 10.0])
    >>> spend_independence(np.array([1.0, 2.0, 3.0]), m, np.ones(3))["all"]
    {'pearson': -1.0, 'spearman': -1.0}
    """
    order = np.argsort(m, kind="stable")
    reach = np.cumsum(weight[order])
    limit = m[order][np.searchsorted(reach, 0.99 * (reach[-1] - 1), side="right")]
    kept = np.empty(m.size, bool)
    kept[order] = m[order] <= limit * (1 + TIED)
    out: dict[str, dict[str, float]] = {}
    for name, rows in {"all": np.ones(m.size, bool), "without_top_1_percent": kept}.items():
        xs, ms, ws = x[rows], m[rows], weight[rows]
        out[name] = {
            "pearson": _correlation(xs, ms, ws),
            "spearman": _correlation(_ranks(xs, ws), _ranks(ms, ws), ws),
        }
    return out


def _correlation(a: Floats, b: Floats, weight: Floats) -> float:
    """Pearson's, of values that stand *weight* times each; 0 without spread."""
    if not (np.ptp(a) > 0 and np.ptp(b) > 0):
        return 0.0
    covariance = np.cov(a, b, aweights=weight, ddof=0)
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


def _ranks(values: Floats, weight: Floats) -> Floats:
    """Mean ranks of values that stand *weight* times each."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    larger = np.diff(ordered, prepend=-np.inf) > TIED * np.abs(ordered)
    group = np.cumsum(larger) - 1
    group_weight = np.bincount(group, weight[order])
    ranks = np.empty(values.size)
    ranks[order] = (np.cumsum(group_weight) - 0.5 * (group_weight - 1.0))[group]
    return ranks
