"""How regularly a base buys, and the windows of time that follow from it."""

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

__all__ = ["REGULAR", "Regularity", "purchase_windows", "regularity"]


REGULAR = 1.5
"""From this k on, by the lower end of its interval, purchases are clearly more regular than random."""

MOST_REGULAR = 1000.0

HALF_A_DAY = 0.5
"""Taken off each gap of whole days: two purchases of one day are one, so that random gaps would look regular."""

INSTANT = 1e-9
"""Periods, so short that the expected purchases within them are a living customer's rate."""


@dataclass(frozen=True)
class Regularity:
    """Wheat and Morrison's k, with its interval at ``level``; 1 is random, more is regular, less comes in bursts.

    ``pairs`` of gaps of ``customers`` were used. ``regular`` says whether k is clearly above 1.5.
    """

    k: float
    low: float
    high: float
    pairs: int
    customers: int
    level: float

    @property
    def regular(self) -> bool:
        """Whether windows should follow the rhythm and not the Poisson law of the model."""
        return self.low > REGULAR


def regularity(customers: Summary, *, level: float = 0.9) -> Regularity:
    r"""Measure how regularly customers buy.

    If the gaps of a customer are Gamma with shape k, whatever their scale, the share :math:`M =
    g_1/(g_1+g_2)` that the first of two consecutive gaps has of both is Beta(k, k), so :math:`k =
    (1 - 4V)/(8V)` with :math:`V = E(M - ½)^2`. All pairs of gaps that do not overlap are used; M
    does not depend on the length of a pair, so that the end of the log does not bias it. Random
    (Poisson) purchases have k = 1. Half a day is taken off each gap, since purchases of one day are
    merged; where customers buy every few days k is still a little low for regular ones.

    Parameters
    ----------
    customers : Summary
        Made from orders.
    level : float
        Coverage of the interval, which treats the pairs of a customer as one observation.

    Raises
    ------
    DataError
        If the summary was not made from orders, or fewer than 30 customers have bought three times.

    Source: Wheat & Morrison (1990), Estimating purchase regularity with two interpurchase times,
    Journal of Marketing Research 27(1), 87–93.

    Examples
    --------
    >>> import lifestage as ls
    >>> found = regularity(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> found.regular, round(found.k, 2)
    (False, 1.0)
    """
    if not 0 < level < 1:
        raise ConfigError(f"level must be a probability in (0, 1); got {level!r}")
    rows = purchases_in_order(customers)
    place = (
        rows.groupby("_code").cumcount().to_numpy()
    )  # 0 is the first purchase, its gap is missing
    second = (place >= 2) & (place % 2 == 0)
    gap = rows["gap_days"].to_numpy(float) - HALF_A_DAY
    first, other = gap[np.flatnonzero(second) - 1], gap[second]
    square = (first / (first + other) - 0.5) ** 2
    codes = rows["_code"].to_numpy()[second]
    people, owner = np.unique(codes, return_inverse=True)
    if people.size < 30:
        raise DataError(f"expected 30 or more customers who bought three times; got {people.size}")
    spread = square.mean()
    error = np.bincount(owner, square - spread)
    reach = z_score(level) * float(np.sqrt((error**2).sum())) / square.size

    def shape(variance: float) -> float:
        return float(np.clip((1 - 4 * variance) / max(8 * variance, 1e-12), 0.0, MOST_REGULAR))

    return Regularity(
        shape(spread),
        shape(spread + reach),
        shape(spread - reach),
        int(square.size),
        int(people.size),
        level,
    )


def purchase_windows(
    model: LTVModel,
    staged: Any,
    rhythm: Regularity,
    *,
    until: date | str | None = None,
) -> Any:
    r"""Put windows that follow the rhythm of the base in the place of the dates of the next purchase.

    Where purchases are clearly more regular than random (``rhythm.regular``), the gap after the
    last purchase is Erlang-like: Gamma with shape k and mean 1/λ, where λ is Gamma with the mean m
    and the squared mean over variance R of the family's rate right after the last purchase. So
    :math:`P(\text{gap} \le s) = I_z(k, R), z = ks/(R/m + ks)`, a regularised incomplete Beta
    function; at k = 1 the gap has a Lomax distribution. The dates are its quartiles given the
    silence so far and a purchase within the horizon. Where they are not, or the family has no
    ``rate_shape``, *staged* keeps the dates of the model.

    Returns
    -------
    frame
        *staged* with ``next_purchase_p25``, ``_p50``, ``_p75`` and ``window_law`` (``"erlang"`` or
        ``"model"``), in the kind that went in.

    Raises
    ------
    ConfigError
        If no last day of observation is known.
    DataError
        If columns are missing.
    """
    table, kind = lazy(
        open_frame(staged, (FREQUENCY, RECENCY, T, "days_silent", "horizon_days")).to_native()
    )
    has_rate = hasattr(family(model.purchases.family), "rate_shape")
    if not rhythm.regular or not has_rate:
        return native(table.with_columns(window_law=nw.lit("model")), kind)
    day = np.datetime64(required_day(table, until), "D")
    known = [FREQUENCY, RECENCY, "days_silent", "horizon_days"]
    keys = to_pandas(
        table.filter(~nw.col(FREQUENCY).is_null())
        .group_by(*known)
        .agg(nw.len().alias("_n"))
        .select(*known)
    )
    for name, wait in zip(NEXT_PURCHASE, _regular_waits(model, keys, rhythm.k), strict=True):
        dates = day + np.maximum(1, np.ceil(wait)).astype("timedelta64[D]")
        keys[name] = date_column(dates, kind)
    replaced = (*NEXT_PURCHASE, *NEXT_WAITS, "window_law")
    kept = [name for name in table.collect_schema().names() if name not in replaced]
    joined = table.select(*kept).join(
        lazy(upload(keys, like=table.to_native()))[0], on=known, how="left"
    )
    return native(joined.with_columns(window_law=nw.lit("erlang")), kind)


def _regular_waits(model: LTVModel, keys: pd.DataFrame, k: float) -> list[Floats]:
    """Quartiles of the wait from now, in days, given silence so far and a purchase within the horizon."""
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
        odds = betaincinv(k, shape, start + share * (end - start))
        waits.append(
            np.clip(scale / k * odds / np.maximum(1 - odds, 1e-300) - silent, 0.0, horizon)
        )
    return waits
