"""Thresholds that fit a base: where realised repurchase falls in clear steps."""

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

__all__ = ["SuggestedThresholds", "suggest_thresholds"]


BINS = 100
"""Of R, 0 to 1; thresholds are cut between them."""

NAMES = ("awake", "drowsy", "half_asleep", "asleep")


@dataclass(frozen=True, eq=False)
class SuggestedThresholds:
    """What a base suggests; nothing is applied until it is given to :func:`lifestage.assign_stages`.

    Attributes
    ----------
    thresholds : Thresholds
        The suggested cuts, the rest as in the defaults or as given.
    table : pandas.DataFrame
        ``thresholds`` (``"suggested"`` or ``"current"``), ``band`` (awake to asleep),
        ``low_activity_ratio``, ``high_activity_ratio``, ``customers``, ``buyers`` within H, ``repurchased`` and
        its Wilson interval ``low``, ``high``, over all splits.
    splits : tuple of dates
        Last days of observation that were used.
    window_days : float
        H.
    gain : float
        Log-likelihood that the suggested bands explain beyond the current ones, in natural units.
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
    **columns: Any,
) -> SuggestedThresholds:
    r"""Choose the cuts of R so that realised repurchase falls in clear steps.

    The log is cut at *splits* days, H apart, the last one H before its end. At each a model is
    fitted to what came before, every customer gets R, and who bought within H is counted. Of all
    ways to cut R into four bands that each hold a share *least* of the customers and whose rates
    fall from band to band, the one is taken under which the purchases are likeliest, :math:`\sum_b
    k_b \ln \hat p_b + (n_b - k_b)\ln(1 - \hat p_b)`.

    Parameters
    ----------
    orders : frame or path
        As in :func:`lifestage.summarize`, whose other arguments (``customer``, ``time``,
        ``amount``, ``period``, ``stage_window`` …) are given as *columns*.
    splits : int
        Days to cut at.
    purchases : str
        Family of the model.
    least : float
        Smallest share of the customers in a band, in (0, 0.25].
    current : Thresholds, optional
        To compare with; the defaults if left out.

    Raises
    ------
    DataError
        If the log is shorter than H times *splits* + 1, or no cuts give falling rates.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> found = suggest_thresholds(ls.datasets.cdnow(), purchases="mbg/nbd", period="week")
    >>> rates = found.table.query("thresholds == 'suggested'")["repurchased"]
    >>> rates.is_monotonic_decreasing, found.thresholds.asleep < found.thresholds.awake
    (True, True)
    """
    if splits < 1 or not 0 < least <= 0.25:
        raise ConfigError(
            f"expected 1 or more splits and a least share in (0, 0.25]; got {splits!r} and"
            f" {least!r}"
        )
    if "until" in columns:
        raise ConfigError("expected no until=: the splits end where the log allows")
    with order_log(orders, LogOptions(**columns)) as log:
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
    days = [whole.until - timedelta(days=int(np.ceil(window)) * k) for k in range(1, splits + 1)]
    if (days[-1] - start).days < window:
        raise DataError(
            f"expected a log of at least {splits + 1} stage windows of {window:g} days; it covers"
            f" {(whole.until - start).days} days: ask for fewer splits, or set a shorter"
            " stage_window="
        )
    counts = np.sum([_counted(log, day, purchases, window) for day in days], axis=0)
    cuts = _best(counts, least)
    chosen = replace(now, awake=cuts[2] / BINS, drowsy=cuts[1] / BINS, asleep=cuts[0] / BINS)
    ours = [round(cut * BINS) for cut in (now.asleep, now.drowsy, now.awake)]
    table = pd.concat(
        [_table("suggested", counts, cuts), _table("current", counts, ours)], ignore_index=True
    )
    gain = _likelihood(counts, cuts) - _likelihood(counts, ours)
    return SuggestedThresholds(chosen, table, tuple(sorted(days)), window, float(gain))


def _counted(log: OrderLog, until: date, purchases: str, window: float) -> Floats:
    """Customers and buyers within the window by bin of R, shape (2, BINS)."""
    customers = log.summary(until, stage_window=window)
    scores = fit(customers, purchases=purchases, spend=None).predict(customers)
    limit = until + timedelta(days=int(window))
    later = lazy(customers.later)[0].filter(nw.col("next_purchase").cast(nw.Date) <= nw.lit(limit))
    bought = lazy(
        upload(later.select(CUSTOMER, nw.lit(1).alias("__bought")).to_native(), like=scores)
    )[0]
    place = (nw.col("activity_ratio") * BINS).floor().clip(0, BINS - 1).cast(nw.Int64)
    rows = to_pandas(
        lazy(scores)[0]
        .filter(~nw.col(FREQUENCY).is_null())
        .join(bought, on=CUSTOMER, how="left")
        .with_columns(__bin=place)
        .group_by("__bin")
        .agg(nw.len().alias("customers"), nw.col("__bought").sum().alias("buyers"))
    )
    out = np.zeros((2, BINS))
    out[:, rows["__bin"].to_numpy(int)] = rows[["customers", "buyers"]].fillna(0).to_numpy(float).T
    return out


def _best(counts: Floats, least: float) -> list[int]:
    """The three cuts, rising, under which the purchases are likeliest."""
    n, k = (np.concatenate([[0.0], np.cumsum(each)]) for each in counts)
    people, buyers = (
        n[None, :] - n[:, None],
        k[None, :] - k[:, None],
    )  # of the bins from row to column
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = buyers / people
    fit_of = np.where(people >= least * n[-1], _bernoulli(people, buyers), -np.inf)
    best, found = -np.inf, None
    for a in range(1, BINS - 2):
        if not np.isfinite(fit_of[0, a]):
            continue
        for b in range(a + 1, BINS - 1):
            if not (np.isfinite(fit_of[a, b]) and rate[0, a] < rate[a, b]):
                continue
            c = np.arange(b + 1, BINS)
            falls = (rate[b, c] > rate[a, b]) & (rate[c, BINS] > rate[b, c])
            total = np.where(
                falls, fit_of[0, a] + fit_of[a, b] + fit_of[b, c] + fit_of[c, BINS], -np.inf
            )
            at = int(np.argmax(total)) if total.size else 0
            if total.size and total[at] > best:
                best, found = float(total[at]), [a, b, int(c[at])]
    if found is None:
        raise DataError(
            "expected a repurchase that falls with R; no cuts into four bands give one: the base"
            ' may be too small, or the family does not order it (see purchases="mbg/nbd")'
        )
    return found


def _bernoulli(people: Floats, buyers: Floats) -> Floats:
    """Largest log-likelihood of so many buyers among so many."""
    from scipy.special import xlogy

    return np.asarray(
        xlogy(buyers, buyers) + xlogy(people - buyers, people - buyers) - xlogy(people, people)
    )


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
            "band": NAMES,
            "low_activity_ratio": np.array(edges[:-1])[::-1] / BINS,
            "high_activity_ratio": np.array(edges[1:])[::-1] / BINS,
            "customers": n.astype(int),
            "buyers": k.astype(int),
            "repurchased": k / np.maximum(n, 1),
            "low": low,
            "high": high,
        }
    )
