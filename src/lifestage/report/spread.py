"""How the value of a base is spread over its customers, reckoned in the engine."""

from __future__ import annotations

import math
from typing import Any

import narwhals as nw

from lifestage.data.engine import to_pandas

__all__ = ["ltv_distribution"]

QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
TOPS = (0.01, 0.05, 0.10, 0.20)
CURVE = (0.02, 0.03, 0.15, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90)
"""Shares of customers, beside ``TOPS``, at which the curve of concentration is drawn."""
BINS = 16


def ltv_distribution(buyers: Any, customers: int, total: float) -> dict[str, Any]:
    r"""Quantiles, histogram and concentration of LTV.

    The share of the top p is (sum of LTV above the quantile c at 1 − p, plus what c itself adds up to
    for the places left) ÷ total, so that ties are shared out and not counted at will:

    .. math:: \Bigl(\sum_{v_i > c} v_i + (p n - \#\{v_i > c\})\, c\Bigr) \Big/ \sum_i v_i

    Parameters
    ----------
    buyers : lazy narwhals frame with the column ``ltv``

    Returns
    -------
    dict
        ``mean``; ``quantiles`` {"0.5": money}; ``histogram`` (rows ``low``, ``high``, ``customers``; a last ``high`` of
        None has no end); ``bands`` (of the histogram, ``even`` or ``widening`` to the right); ``concentration``
        {"0.1": share of LTV}; ``curve`` (pairs of share of customers, share of LTV).
    """
    ltv = nw.col("ltv")
    shares = sorted({*TOPS, *CURVE})
    levels = sorted({*QUANTILES, *(1 - p for p in shares), 0.98})
    asked = [ltv.quantile(q, "linear").alias(f"q{i}") for i, q in enumerate(levels)]
    row = to_pandas(buyers.select(*asked, ltv.max().alias("max"))).iloc[0]
    at = {q: float(row[f"q{i}"]) for i, q in enumerate(levels)}
    edges, widening = _edges(at[0.05], at[0.98], float(row["max"]))
    sums = {f"n{i}": _count(ltv > at[1 - p]) for i, p in enumerate(shares)}
    sums |= {f"v{i}": _sum(ltv > at[1 - p]) for i, p in enumerate(shares)}
    sums |= {f"b{i}": _count(ltv >= low) for i, low in enumerate(edges)}
    found = to_pandas(buyers.select(*[expr.alias(name) for name, expr in sums.items()])).iloc[0]
    held = {
        p: _share(float(found[f"v{i}"]) + (p * customers - float(found[f"n{i}"])) * at[1 - p], total)
        for i, p in enumerate(shares)
    }
    above = [customers, *(int(found[f"b{i}"]) for i in range(1, len(edges))), 0]
    highs = [*edges[1:], None]
    bars = [
        {"low": low, "high": high, "customers": above[i] - above[i + 1]}
        for i, (low, high) in enumerate(zip(edges, highs, strict=True))
    ]
    bars = bars[:-1] if len(bars) > 1 and not bars[-1]["customers"] else bars
    return {
        "mean": total / customers,
        "quantiles": {f"{q:g}": at[q] for q in QUANTILES},
        "bands": "widening" if widening else "even",
        "histogram": bars,
        "concentration": {f"{p:g}": held[p] for p in TOPS},
        "curve": [[p, held[p]] for p in shares] + [[1.0, 1.0]],
    }


def _share(part: float, total: float) -> float | None:
    return min(1.0, max(0.0, part / total)) if total > 0 else None


def _count(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).sum()


def _sum(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.col("ltv")).otherwise(nw.lit(0.0)).sum()


def _edges(least: float, most: float, top: float) -> tuple[list[float], bool]:
    """Lower ends of bands at round amounts from zero to about *most*, and whether they widen to the right.

    Where the values span more than a factor of eight, the ends follow 1, 1.5, 2, 3, 5, 7, 10 …
    """
    most = most if most > 0 else top
    if not (most > 0 and math.isfinite(most)):
        return [0.0], False
    least = max(least, most / 200)
    if most / least > 8:
        powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
        steps = [m * 10.0**k for k in powers for m in (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)]
        return [0.0, *(round(e, 12) for e in steps if least <= e <= most)], True
    raw = most / BINS
    unit = 10.0 ** math.floor(math.log10(raw))
    step = unit * next(m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * unit >= raw * (1 - 1e-9))
    return [round(i * step, 12) for i in range(math.ceil(most / step) + 1)], False
