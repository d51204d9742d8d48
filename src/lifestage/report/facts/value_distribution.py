"""How LTV is distributed over the customers: quantiles, histogram and concentration."""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.data.engines.frames import to_pandas
from lifestage.numerics.statistics import weighted_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ltv_distribution"]

QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
TOPS = (0.01, 0.05, 0.10, 0.20)
CURVE = (0.02, 0.03, 0.15, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90)
"""Shares of customers, beside ``TOPS``, at which the curve of concentration is drawn."""
BINS = 16
STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
"""Ends of classes within a power of ten."""
MAX_EXACT_CUSTOMERS = 100_000
"""Customers up to which every value counts as it is."""
PARTS_PER_LOG_UNIT = 10_000
"""Of ln(LTV), into which values are rounded beyond that."""


def ltv_distribution(buyers: Any, customers: int, total: float) -> dict[str, Any]:
    r"""Quantiles, histogram and concentration of LTV, from one pass over the customers.

    The share of the top p is (sum of LTV above the quantile c at 1 − p, plus what c itself adds up
    to for the places left) ÷ total, so that ties are shared out and not counted at will:

    .. math:: \Bigl(\sum_{v_i > c} v_i + (p n - \#\{v_i > c\})\, c\Bigr) \Big/ \sum_i v_i

    Parameters
    ----------
    buyers : lazy narwhals frame with the column ``ltv``

    Returns
    -------
    dict
        ``mean``; ``quantiles`` {"0.5": money}; ``histogram`` (rows ``low``, ``high``,
        ``customers``; a last ``high`` of None has no end); ``bands`` (of the histogram, ``even`` or
        ``widening`` to the right); ``concentration`` {"0.1": share of LTV}; ``curve`` (pairs of
        share of customers, share of LTV).
    """
    values, counts = _values(buyers, customers)
    shares = sorted({*TOPS, *CURVE})

    def quantile(q: float) -> float:
        return float(weighted_quantile(values, counts, q))

    def held(p: float) -> float | None:
        cut = quantile(1 - p)
        above = values > cut
        part = (
            float(values[above] @ counts[above])
            + (p * customers - float(counts[above].sum())) * cut
        )
        return min(1.0, max(0.0, part / total)) if total > 0 else None

    edges, widening = _edges(quantile(0.05), quantile(0.98), float(values[-1]))
    bars = _histogram(values, counts, edges, customers)
    return {
        "mean": total / customers,
        "quantiles": {f"{q:g}": quantile(q) for q in QUANTILES},
        "bands": "widening" if widening else "even",
        "histogram": bars,
        "concentration": {f"{p:g}": held(p) for p in TOPS},
        "curve": [*([p, held(p)] for p in shares), [1.0, 1.0]],
    }


def _histogram(
    values: NDArray[np.float64], counts: NDArray[np.int64], edges: list[float], customers: int
) -> list[dict[str, Any]]:
    """Customers between the edges; the first class takes all below it, the last has no end.

    An empty last class is left out.
    """
    bars: list[dict[str, Any]] = []
    at_least = customers
    for low, high in pairwise([*edges, None]):
        above = 0 if high is None else int(counts[values >= high].sum())
        bars.append({"low": low, "high": high, "customers": at_least - above})
        at_least = above
    return bars[:-1] if len(bars) > 1 and not bars[-1]["customers"] else bars


def _values(buyers: Any, customers: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Values of LTV, rising, and how many customers have each.

    On a large base values within 0.01 % of each other count as one, their mean.
    """
    ltv = nw.col("ltv")
    close = (
        nw.when(ltv > 0).then((ltv.log() * PARTS_PER_LOG_UNIT).floor()).otherwise(nw.lit(-math.inf))
    )
    keyed = buyers.select("ltv", key=ltv if customers <= MAX_EXACT_CUSTOMERS else close)
    table = to_pandas(keyed.group_by("key").agg(nw.len().alias("n"), ltv.sum()))
    counts = table["n"].to_numpy(np.int64)
    values = (
        table["key"].to_numpy(np.float64)
        if customers <= MAX_EXACT_CUSTOMERS
        else table["ltv"].to_numpy(np.float64) / counts
    )
    order = np.argsort(values)
    return values[order], counts[order]


def _edges(least: float, most: float, top: float) -> tuple[list[float], bool]:
    """Lower ends of classes at round amounts from zero to about *most*, and whether they widen.

    Where the values span more than a factor of eight, the ends follow 1, 1.5, 2, 3, 5, 7, 10 …
    """
    most = most if most > 0 else top
    if not (most > 0 and math.isfinite(most)):
        return [0.0], False
    least = max(least, most / 200)
    if most / least > 8:
        powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
        amounts = [step * 10.0**power for power, step in product(powers, STEPS)]
        return [0.0, *(round(amount, 12) for amount in amounts if least <= amount <= most)], True
    raw = most / BINS
    unit = 10.0 ** math.floor(math.log10(raw))
    step = unit * next(m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * unit >= raw * (1 - 1e-9))
    return [round(i * step, 12) for i in range(math.ceil(most / step) + 1)], False
