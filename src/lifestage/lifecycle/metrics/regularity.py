"""Regularity of purchases, and the dates of the next purchase that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import FREQUENCY, NEXT_PURCHASE, RECENCY, T
from lifestage.data.engines.frames import date_column, lazy, native, to_pandas, upload
from lifestage.families import family
from lifestage.families.tables import rate_shape
from lifestage.lifecycle.frames import open_frame, required_day
from lifestage.lifecycle.metrics.repurchase_curve import purchases_in_order
from lifestage.numerics.statistics import z_score
from lifestage.prediction.score_columns import NEXT_WAITS

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = ["MIN_REGULAR_SHAPE", "Regularity", "purchase_windows", "regularity"]


MIN_REGULAR_SHAPE = 1.5
"""Purchases are clearly more regular than random if the low end of k's interval is above this."""

MAX_SHAPE = 1000.0
"""Gaps of one length have an infinite shape; no sample tells it from this one."""

MIN_CUSTOMERS = 30

HALF_A_DAY = 0.5
"""Days taken off each gap: merged purchases of one day make random gaps look regular."""

INSTANT = 1e-9
"""Periods, so short that the expected purchases within them are a living customer's rate."""


@dataclass(frozen=True)
class Regularity:
    """Regularity of the purchases of a customer base.

    Attributes
    ----------
    k : float
        Wheat and Morrison's shape of the gaps: 1 is random, more is regular, less comes in bursts.
    low, high : float
        Interval of k.
    pairs : int
        Pairs of consecutive gaps that were used.
    customers : int
        Customers whom they belong to.
    level : float
        Interval level.

    Examples
    --------
    >>> Regularity(k=2.4, low=2.1, high=2.8, pairs=900, customers=300, level=0.9).regular
    True
    """

    k: float
    low: float
    high: float
    pairs: int
    customers: int
    level: float

    @property
    def regular(self) -> bool:
        """Whether k is clearly above 1.5, so that dates should follow it and not the model."""
        return self.low > MIN_REGULAR_SHAPE


def regularity(customers: Summary, *, level: float = 0.9) -> Regularity:
    r"""Measure how regularly customers buy.

    If the gaps of a customer have a Gamma distribution with shape k, whatever their scale, the
    share :math:`M = g_1/(g_1+g_2)` of the first of two consecutive gaps is Beta(k, k), so

    .. math:: k = \frac{1 - 4V}{8V}, \qquad V = E\,(M - \tfrac12)^2.

    All pairs of gaps that do not overlap are used. M does not depend on the length of a pair, so
    that the end of the log does not bias it. Random (Poisson) purchases have k = 1. Half a day is
    taken off each gap, since purchases of one day are merged; where customers buy every few days k
    is still a little low for regular ones.

    The method is that of Wheat & Morrison (1990), Estimating purchase regularity with two
    interpurchase times, Journal of Marketing Research 27(1), 87–93.

    Parameters
    ----------
    customers : Summary
        Made from orders.
    level : float
        Interval level, in (0, 1); the pairs of a customer count as one observation.

    Returns
    -------
    Regularity

    Raises
    ------
    DataError
        If the summary was not made from orders, or fewer than 30 customers have bought three times.
    ConfigError
        If *level* is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> result = regularity(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> result.regular, round(result.k, 2)
    (False, 1.0)
    """
    if not 0 < level < 1:
        raise ConfigError(f"level must be a probability in (0, 1); got {level!r}")
    rows = purchases_in_order(customers)
    place = rows.groupby("_code").cumcount().to_numpy()
    # Purchase 0 is the first and has no gap before it: pairs end at purchases 2, 4, …
    second = (place >= 2) & (place % 2 == 0)
    gap = rows["gap_days"].to_numpy(float) - HALF_A_DAY
    earlier, later = gap[np.flatnonzero(second) - 1], gap[second]
    square = (earlier / (earlier + later) - 0.5) ** 2
    customer = rows["_code"].to_numpy()[second]
    buyers, owner = np.unique(customer, return_inverse=True)
    if buyers.size < MIN_CUSTOMERS:
        raise DataError(
            f"expected {MIN_CUSTOMERS} or more customers who bought three times; got {buyers.size}"
        )
    variance = square.mean()
    error = np.bincount(owner, square - variance)
    reach = z_score(level) * float(np.sqrt((error**2).sum())) / square.size
    return Regularity(
        _shape(variance),
        _shape(variance + reach),
        _shape(variance - reach),
        int(square.size),
        int(buyers.size),
        level,
    )


def _shape(variance: float) -> float:
    return float(np.clip((1 - 4 * variance) / max(8 * variance, 1e-12), 0.0, MAX_SHAPE))


def purchase_windows(
    model: LTVModel,
    staged: Any,
    rhythm: Regularity,
    *,
    until: date | str | None = None,
) -> Any:
    r"""Replace the dates of the next purchase by ones that follow the measured regularity.

    Where purchases are clearly more regular than random (``rhythm.regular``), the gap after the
    last purchase is Erlang-like: Gamma with shape k and mean 1/λ, where λ is Gamma with the mean m
    and the squared mean over variance R of the family's rate right after the last purchase. So
    :math:`P(\text{gap} \le s) = I_z(k, R), z = ks/(R/m + ks)`, a regularised incomplete Beta
    function; at k = 1 the gap has a Lomax distribution. The dates are its quartiles given the
    silence so far and a purchase within the horizon. Where they are not, or the family has no
    ``rate_shape``, *staged* keeps the dates of the model.

    Parameters
    ----------
    model : LTVModel
        The model that made the scores.
    staged : frame
        What ``LTVModel.predict`` or :func:`lifestage.assign_stages` returned.
    rhythm : Regularity
        What :func:`regularity` returned.
    until : date or str, optional
        Last day of observation; the one that the scores name if left out.

    Returns
    -------
    frame
        *staged* with ``next_purchase_p25``, ``_p50``, ``_p75`` (dates) and ``window_distribution``
        (``"erlang"`` or ``"model"``), in the kind that went in.

    Raises
    ------
    ConfigError
        If no last day of observation is known.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers)).head(10)
    >>> rhythm = Regularity(k=3.0, low=2.5, high=3.5, pairs=900, customers=300, level=0.9)
    >>> purchase_windows(model, staged, rhythm)["window_distribution"].unique().tolist()
    ['erlang']
    """
    table, kind = lazy(
        open_frame(staged, (FREQUENCY, RECENCY, T, "days_silent", "horizon_days")).to_native()
    )
    has_rate = hasattr(family(model.purchases.family), "rate_shape")
    if not rhythm.regular or not has_rate:
        return native(table.with_columns(window_distribution=nw.lit("model")), kind)
    day = np.datetime64(required_day(table, until), "D")
    names = [FREQUENCY, RECENCY, "days_silent", "horizon_days"]
    keys = to_pandas(table.filter(~nw.col(FREQUENCY).is_null()).select(*names).unique())
    keys = keys.sort_values(names, ignore_index=True)
    for name, wait in zip(NEXT_PURCHASE, _regular_waits(model, keys, rhythm.k), strict=True):
        dates = day + np.maximum(1, np.ceil(wait)).astype("timedelta64[D]")
        keys[name] = date_column(dates, kind)
    replaced = (*NEXT_PURCHASE, *NEXT_WAITS, "window_distribution")
    kept = [name for name in table.collect_schema().names() if name not in replaced]
    joined = table.select(*kept).join(
        lazy(upload(keys, like=table.to_native()))[0], on=names, how="left"
    )
    return native(joined.with_columns(window_distribution=nw.lit("erlang")), kind)


def _regular_waits(model: LTVModel, keys: pd.DataFrame, k: float) -> list[Floats]:
    """Quartiles of the wait in days, given the silence so far and a purchase in the horizon."""
    from scipy.special import betainc, betaincinv

    unit, point = model.period.days, model.purchases.estimate
    x, t_x, silent, horizon = (
        keys[name].to_numpy(float) for name in (FREQUENCY, RECENCY, "days_silent", "horizon_days")
    )
    module = family(model.purchases.family)
    mean = module.alive_purchases(INSTANT, x, t_x, **point) / INSTANT
    shape = rate_shape(module, point, x)
    scale = shape / mean * unit

    def below(s: Floats) -> Floats:
        return np.asarray(betainc(k, shape, k * s / (scale + k * s)))

    start, end = below(silent), below(silent + horizon)
    waits = []
    for share in (0.25, 0.5, 0.75):
        z = betaincinv(k, shape, start + share * (end - start))
        gap = scale / k * z / np.maximum(1 - z, 1e-300)
        waits.append(np.clip(gap - silent, 0.0, horizon))
    return waits
