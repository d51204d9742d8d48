"""Repurchase curve: the share of buyers who have bought again so many days after a purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.customers.summary import Summary, expect_summary
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.families import family
from lifestage.lifecycle.frames import open_frame
from lifestage.numerics.statistics import z_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.model import LTVModel

__all__ = ["purchases_in_order", "repurchase_curve"]


MAX_DRAWS = 50
"""Draws of the parameters that the expected curve averages over."""

DEFAULT_DAYS = (3, 7, 15)


def repurchase_curve(
    customers: Summary,
    model: LTVModel | None = None,
    *,
    days: Sequence[float] | str = DEFAULT_DAYS,
    staged: Any = None,
    by: str = "activity_stage",
    level: float = 0.9,
) -> pd.DataFrame:
    r"""Compute the share of buyers who buy again within so many days, observed and predicted.

    The observed share is the Kaplan–Meier estimate over all purchases, since the wait after a
    customer's last one is not over yet:

    .. math:: 1 - \prod_{g \le d} \Big(1 - \frac{\text{ended}_g}{\text{waiting}_g}\Big).

    The expected share is the mean over the same purchases of the model's probability of buying
    within d days, each given the history up to it.

    Parameters
    ----------
    customers : Summary
        Made from orders.
    model : LTVModel, optional
        Without it there is no expected share.
    days : sequence of numbers, or ``"quartiles"``
        Days after a purchase, rising; or the quartiles of the gaps between the first and the second
        purchase.
    staged : frame, optional
        One row per customer with the column *by*, to group the purchases by.
    by : str
        Column of *staged*, such as ``activity_stage`` or ``channel``. The stage of today follows
        from the waits themselves (customers are asleep because they did not come back), so that
        by stage observed and expected shares are no check of the model; in total and by channel
        they are.
    level : float
        Interval level, in (0, 1); Greenwood's variance on the scale of ln(−ln).

    Returns
    -------
    pandas.DataFrame
        One row per group and day: ``group`` (``"all"`` first), ``day``, ``purchases``,
        ``bought_again`` (observed share), ``low``, ``high``, ``expected`` (missing without a
        model).

    Raises
    ------
    DataError
        If the summary was not made from orders, or columns are missing.
    ConfigError
        If *days* or *level* is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> table = repurchase_curve(customers, ls.fit(customers))
    >>> table[["day", "bought_again", "expected"]].round(3).values.tolist()
    [[3.0, 0.05, 0.049], [7.0, 0.105, 0.102], [15.0, 0.188, 0.183]]
    """
    import pandas as pd

    if not 0 < level < 1:
        raise ConfigError(f"level must be a probability in (0, 1); got {level!r}")
    rows = purchases_in_order(customers)
    at = _days(days, rows)
    wait, ended = _waits(rows, customers)
    expected = None if model is None else _expected(model, rows, at)
    groups = {"all": np.ones(len(rows), bool)}
    if staged is not None:
        groups |= _groups(rows, staged, by)
    tables = []
    for name, inside in groups.items():
        share, low, high = _bought_again(wait[inside], ended[inside], at, level)
        table = pd.DataFrame(
            {
                "group": name,
                "day": at,
                "purchases": int(inside.sum()),
                "bought_again": share,
            }
        )
        mean = np.nan if expected is None else expected[:, inside].mean(axis=1)
        tables.append(table.assign(low=low, high=high, expected=mean))
    return pd.concat(tables, ignore_index=True)


def purchases_in_order(customers: Summary) -> pd.DataFrame:
    """Purchase days of a base in order: ``_code`` of the customer, ``date``, ``gap_days``."""
    import pandas as pd

    expect_summary(customers)
    if customers.purchases is None:
        raise DataError(
            "expected a Summary made from orders; this one was made from a ready-made customer"
            " table"
        )
    rows = to_pandas(customers.purchases)
    rows = rows.assign(_code=pd.factorize(rows[CUSTOMER])[0], date=pd.to_datetime(rows["date"]))
    return rows.sort_values(["_code", "date"], ignore_index=True)


def _days(days: Sequence[float] | str, rows: pd.DataFrame) -> Floats:
    if isinstance(days, str):
        if days != "quartiles":
            raise ConfigError(f'days must be numbers or "quartiles"; got {days!r}')
        second = rows["gap_days"][rows.groupby("_code").cumcount() == 1].to_numpy(float)
        if not second.size:
            raise DataError(
                "expected customers who bought twice, for the quartiles of the gap; there are none"
            )
        return np.unique(np.quantile(second, [0.25, 0.5, 0.75]).round())
    at = np.asarray(days, float)
    if (
        at.ndim != 1
        or not at.size
        or not np.all(np.isfinite(at))
        or np.any(np.diff(at, prepend=0.0) <= 0)
    ):
        raise ConfigError(f"days must be rising numbers above 0; got {days!r}")
    return at


def _waits(rows: pd.DataFrame, customers: Summary) -> tuple[Floats, NDArray[np.bool_]]:
    """Days from each purchase to the next or the end of the log; whether the wait is over."""
    following = rows["gap_days"].shift(-1).to_numpy(float)
    over = rows["_code"].eq(rows["_code"].shift(-1)).to_numpy()
    silent = (
        np.datetime64(customers.until, "D") - rows["date"].to_numpy().astype("datetime64[D]")
    ).astype(float)
    return np.where(over, following, silent), over


def _expected(model: LTVModel, rows: pd.DataFrame, at: Floats) -> Floats:
    """Predict the probability of buying within each of the days, shape (days, purchases)."""
    part = model.purchases.thin(MAX_DRAWS)
    module, params, unit = family(part.family), part.columns(), model.period.days
    x = rows.groupby("_code").cumcount().to_numpy(float)
    first = rows.groupby("_code")["date"].transform("min")
    t = (rows["date"] - first).dt.days.to_numpy(float) / unit
    pairs, place = np.unique(np.column_stack([x, t]), axis=0, return_inverse=True)
    x, t = pairs.T
    return np.array(
        [module.p_purchase(d / unit, x, t, t, **params).mean(axis=0)[place.ravel()] for d in at]
    )


def _groups(rows: pd.DataFrame, staged: Any, by: str) -> dict[str, NDArray[np.bool_]]:
    table = to_pandas(lazy(open_frame(staged, (CUSTOMER, by)).to_native())[0].select(CUSTOMER, by))
    belongs = rows[CUSTOMER].map(dict(zip(table[CUSTOMER], table[by], strict=True)))
    names = sorted(belongs.dropna().unique(), key=str)
    return {str(name): belongs.eq(name).to_numpy(bool) for name in names}


def _bought_again(
    wait: Floats, ended: NDArray[np.bool_], at: Floats, level: float
) -> tuple[Floats, Floats, Floats]:
    """Kaplan and Meier's share by each day, with its interval."""
    times, place = np.unique(wait, return_inverse=True)
    over = np.bincount(place, ended, times.size)
    waiting = np.cumsum(np.bincount(place, minlength=times.size)[::-1])[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.concatenate([[1.0], np.cumprod(1 - over / waiting)])
        variance = np.concatenate([[0.0], np.cumsum(over / (waiting * (waiting - over)))])
        spot = np.searchsorted(times, at, side="right")
        s, v = survival[spot], variance[spot]
        reach = z_score(level) * np.sqrt(v) / np.abs(np.log(s))
        low, high = s ** np.exp(-reach), s ** np.exp(reach)
    certain = ~np.isfinite(low)  # nobody or everybody has bought again: there is no interval
    return 1 - s, 1 - np.where(certain, s, low), 1 - np.where(certain, s, high)
