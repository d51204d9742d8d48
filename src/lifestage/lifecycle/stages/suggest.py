"""Thresholds that fit a customer base: where realised repurchase falls in clear steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY
from lifestage.data.customers.order_log import LogOptions, OrderLog, order_log
from lifestage.data.engines.frames import lazy, to_pandas, upload
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.model import fit
from lifestage.numerics.statistics import share_interval

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from lifestage.core.typing import Floats

__all__ = ["SuggestedThresholds", "best_cuts", "suggest_thresholds"]

BINS = 100
"""Of R, 0 to 1; thresholds are cut between them."""

BANDS = ("awake", "drowsy", "half_asleep", "asleep")


@dataclass(frozen=True, eq=False)
class SuggestedThresholds:
    """Suggested thresholds; they take effect when given to :func:`lifestage.assign_stages`.

    Attributes
    ----------
    thresholds : Thresholds
        The suggested cuts of R; all else as in *current*.
    table : pandas.DataFrame
        One row per set of thresholds and band: ``thresholds`` (``"suggested"`` or ``"current"``),
        ``band`` (awake to asleep), ``low_activity_ratio``, ``high_activity_ratio``, ``customers``,
        ``buyers`` within H, ``repurchased`` and its Wilson interval ``low``, ``high``, over all
        splits.
    splits : tuple of dates
        Last days of observation that were used.
    window_days : float
        H, the stage window in days.
    gain : float
        Log-likelihood of the suggested bands minus that of the current ones.
    """

    thresholds: Thresholds
    table: pd.DataFrame
    splits: tuple[Any, ...]
    window_days: float
    gain: float


def suggest_thresholds(
    orders: Any,
    *,
    splits: int = 3,
    purchases: str = "bg/nbd",
    least: float = 0.05,
    current: Thresholds | None = None,
    **summarize_options: Any,
) -> SuggestedThresholds:
    r"""Choose the cuts of R so that realised repurchase falls in clear steps.

    The log is split at *splits* days, H apart, the last one H before its end. At each day a model
    is fitted to the orders before, every customer gets R, and the customers who bought within H
    are counted. Of all ways to cut R into four bands that each hold a share *least* of the
    customers and whose rates fall from band to band, the one with the largest likelihood is taken:

    .. math:: \sum_b k_b \ln \hat p_b + (n_b - k_b)\ln(1 - \hat p_b),

    with :math:`n_b` customers in band b, :math:`k_b` buyers among them, and :math:`\hat p_b =
    k_b/n_b`.

    Parameters
    ----------
    orders : frame or path
        Order log, as in :func:`lifestage.summarize`.
    splits : int
        Number of days to split at, 1 or more.
    purchases : str
        Family of the model.
    least : float
        Smallest share of the customers in a band, in (0, 0.25].
    current : Thresholds, optional
        To compare with; the defaults if left out.
    **summarize_options
        Other arguments of :func:`lifestage.summarize`: ``customer``, ``time``, ``amount``,
        ``period``, ``stage_window`` … without ``until``.

    Returns
    -------
    SuggestedThresholds

    Raises
    ------
    DataError
        If the log is shorter than H times *splits* + 1, or no cuts give falling rates.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> orders = ls.datasets.cdnow()
    >>> result = suggest_thresholds(orders, splits=1, purchases="mbg/nbd", period="week")
    >>> rates = result.table.query("thresholds == 'suggested'")["repurchased"]
    >>> rates.is_monotonic_decreasing, result.thresholds.asleep < result.thresholds.awake
    (True, True)
    """
    if splits < 1 or not 0 < least <= 0.25:
        raise ConfigError(
            f"expected 1 or more splits and a least share in (0, 0.25]; got {splits!r} and"
            f" {least!r}"
        )
    if "until" in summarize_options:
        raise ConfigError("expected no until=: the splits end where the log allows")
    with order_log(orders, LogOptions(**summarize_options)) as log:
        return _suggest(log, current or Thresholds(), purchases, splits, least)


def _suggest(
    log: OrderLog, now: Thresholds, purchases: str, splits: int, least: float
) -> SuggestedThresholds:
    import pandas as pd

    whole = log.summary()
    assert whole.until is not None
    assert whole.calendar is not None
    window = float(whole.stage_window)
    start = min(whole.calendar["day"])
    step = int(np.ceil(window))
    days = [whole.until - timedelta(days=step * k) for k in range(1, splits + 1)]
    if (days[-1] - start).days < window:
        raise DataError(
            f"expected a log of at least {splits + 1} stage windows of {window:g} days; it covers"
            f" {(whole.until - start).days} days: ask for fewer splits, or set a shorter"
            " stage_window="
        )
    counts = np.sum([_count(log, day, purchases, window) for day in days], axis=0)
    cuts = best_cuts(counts, least)
    chosen = replace(now, awake=cuts[2] / BINS, drowsy=cuts[1] / BINS, asleep=cuts[0] / BINS)
    current_cuts = [round(cut * BINS) for cut in (now.asleep, now.drowsy, now.awake)]
    tables = [_table("suggested", counts, cuts), _table("current", counts, current_cuts)]
    table = pd.concat(tables, ignore_index=True)
    gain = _likelihood(counts, cuts) - _likelihood(counts, current_cuts)
    return SuggestedThresholds(chosen, table, tuple(sorted(days)), window, float(gain))


def _count(log: OrderLog, until: date, purchases: str, window: float) -> Floats:
    """Count customers and buyers within the window by bin of R, shape (2, BINS)."""
    customers = log.summary(until, stage_window=window)
    scores = fit(customers, purchases=purchases, spend=None).predict(customers)
    limit = until + timedelta(days=int(window))
    is_within = nw.col("next_purchase").cast(nw.Date) <= nw.lit(limit)
    later = lazy(customers.holdout_purchases)[0].filter(is_within)
    bought = lazy(
        upload(later.select(CUSTOMER, nw.lit(1).alias("_bought")).to_native(), like=scores)
    )[0]
    place = (nw.col("activity_ratio") * BINS).floor().clip(0, BINS - 1).cast(nw.Int64)
    rows = to_pandas(
        lazy(scores)[0]
        .filter(~nw.col(FREQUENCY).is_null())
        .join(bought, on=CUSTOMER, how="left")
        .with_columns(_bin=place)
        .group_by("_bin")
        .agg(nw.len().alias("customers"), nw.col("_bought").sum().alias("buyers"))
    )
    counts = np.zeros((2, BINS))
    pairs = rows[["customers", "buyers"]].fillna(0).to_numpy(float)
    counts[:, rows["_bin"].to_numpy(int)] = pairs.T
    return counts


def best_cuts(counts: Floats, least: float) -> list[int]:
    """Find the three cuts, rising, under which the purchases are likeliest."""
    n, k = (np.concatenate([[0.0], np.cumsum(part)]) for part in counts)
    # Customers and buyers in the bins from row to column.
    customers, buyers = n[None, :] - n[:, None], k[None, :] - k[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = buyers / customers
    allowed = customers >= least * n[-1]
    value = np.where(allowed, _bernoulli(customers, buyers), -np.inf)
    largest, best = -np.inf, None
    for a in range(1, BINS - 2):
        if not np.isfinite(value[0, a]):
            continue
        for b in range(a + 1, BINS - 1):
            if not (np.isfinite(value[a, b]) and rate[0, a] < rate[a, b]):
                continue
            c = np.arange(b + 1, BINS)
            rises = (rate[b, c] > rate[a, b]) & (rate[c, BINS] > rate[b, c])
            total = value[0, a] + value[a, b] + value[b, c] + value[c, BINS]
            total = np.where(rises, total, -np.inf)
            at = int(np.argmax(total))
            if total[at] > largest:
                largest, best = float(total[at]), [a, b, int(c[at])]
    if best is None:
        raise DataError(
            "expected a repurchase that falls with R; no cuts into four bands give one: the base"
            ' may be too small, or the family does not order it (see purchases="mbg/nbd")'
        )
    return best


def _bernoulli(customers: Floats, buyers: Floats) -> Floats:
    """Compute the largest log-likelihood of so many buyers among so many customers."""
    from scipy.special import xlogy

    others = customers - buyers
    both = xlogy(buyers, buyers) + xlogy(others, others)
    return np.asarray(both - xlogy(customers, customers))


def _likelihood(counts: Floats, cuts: list[int]) -> float:
    sums = np.add.reduceat(counts, [0, *cuts], axis=1)
    return float(_bernoulli(sums[0], sums[1]).sum())


def _table(name: str, counts: Floats, cuts: list[int]) -> pd.DataFrame:
    import pandas as pd

    edges = [0, *cuts, BINS]
    n, k = np.add.reduceat(counts, edges[:-1], axis=1)[:, ::-1]
    low, high = share_interval(k, n, 0.9)
    return pd.DataFrame(
        {
            "thresholds": name,
            "band": BANDS,
            "low_activity_ratio": np.array(edges[:-1])[::-1] / BINS,
            "high_activity_ratio": np.array(edges[1:])[::-1] / BINS,
            "customers": n.astype(int),
            "buyers": k.astype(int),
            "repurchased": k / np.maximum(n, 1),
            "low": low,
            "high": high,
        }
    )
