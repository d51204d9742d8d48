"""Purchases, revenue and value by channel, cohort, stage, or any other column, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, KEYS, MONETARY, RECENCY, T
from lifestage.core.terms import Terms
from lifestage.data.customers.counts import Counts
from lifestage.data.engines.frames import to_pandas
from lifestage.lifecycle.frames import open_frame
from lifestage.prediction.spend import require_money
from lifestage.prediction.totals import totals

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["COHORT", "by_group", "group_column", "group_totals"]

COHORT = "cohort"
"""The month of the first purchase, from ``first_purchase`` where there is no such column."""

MAX_GROUPS = 200

QUANTITIES = ("purchases", "revenue", "ltv")

SUMS = ("weight", "_money", "_square", "_past")
"""What is added up for each distinct history of a group."""


def group_totals(
    model: LTVModel,
    staged: Any,
    by: str = COHORT,
    *,
    horizon: float = 52,
    discount_rate: float = 0.10,
    margin: float = 1.0,
    level: float = 0.9,
    weight: str | None = None,
) -> pd.DataFrame:
    """Add up past revenue and predicted purchases, revenue and LTV by group, with intervals.

    Parameters
    ----------
    model : LTVModel
        The model that made the scores.
    staged : frame
        One row per customer, as ``LTVModel.predict`` or :func:`lifestage.assign_stages` returned
        it. Contacts without a purchase are left out.
    by : str
        A column such as ``channel``, ``activity_stage``, ``at_risk``; or ``"cohort"``, the month of
        ``first_purchase``. Customers without a value are the group ``"unknown"``; true and false
        are ``"yes"`` and ``"no"``.
    horizon : float
        Periods of the model.
    discount_rate : float
        Per year.
    margin : float
        Share of revenue that is earned.
    level : float
        Interval level, in (0, 1).
    weight : str, optional
        Column with the number of customers each row stands for, where *staged* is a sample; 1 if
        left out.

    Returns
    -------
    pandas.DataFrame
        One row per group, ``"total"`` last: ``group``, ``customers``, ``past_revenue`` (money up to
        the last day, NaN without the column ``revenue``), and within the horizon ``purchases``,
        ``revenue`` (money, undiscounted), ``ltv`` (discounted margin), each with ``_low`` and
        ``_high``. Intervals of groups do not add up to that of the total.

    Raises
    ------
    DataError
        If columns are missing, nobody has bought, or there are more than 200 groups.
    ConfigError
        If there is no column to group by, or a term is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> table = group_totals(model, model.predict(customers), "cohort")
    >>> table["group"].tolist(), table["customers"].tolist()
    (['1997-01', '1997-02', '1997-03', 'total'], [781, 857, 719, 2357])
    """
    import pandas as pd

    terms = Terms(horizon, discount_rate, margin, level)
    needed = [CUSTOMER, *KEYS, *_column(by)] + ([] if weight is None else [weight])
    frame = group_column(open_frame(staged, needed), by).lazy()
    names = frame.collect_schema().names()
    require_money(model, names)
    money = nw.col(MONETARY).cast(nw.Float64) if MONETARY in names else nw.lit(0.0)
    past = nw.col("revenue").cast(nw.Float64) if "revenue" in names else nw.lit(None, nw.Float64)
    customers = nw.lit(1.0) if weight is None else nw.col(weight).cast(nw.Float64)
    buyers = frame.filter(~nw.col(FREQUENCY).is_null()).select(
        "_group",
        *KEYS,
        weight=customers,
        _money=customers * money,
        _square=customers * money * money,
        _past=customers * past,
    )
    histories = buyers.group_by("_group", *KEYS).agg(nw.col(*SUMS).sum())
    # In a fixed order: engines return groups in any, and sums depend on it in the last digit.
    order = ["_group", FREQUENCY, T, RECENCY]
    rows = to_pandas(histories).sort_values(order, ignore_index=True)
    groups = rows["_group"].unique().tolist()
    if not groups:
        raise DataError("expected customers who have bought; there are none")
    _check_number(groups, by)
    table = [_row(model, str(name), rows[rows["_group"] == name], terms) for name in groups]
    together = rows.groupby([FREQUENCY, T, RECENCY], as_index=False)[list(SUMS)].sum()
    table.append(_row(model, "total", together, terms))
    result = pd.DataFrame(table)
    return result if "revenue" in names else result.assign(past_revenue=np.nan)


def _column(by: str) -> list[str]:
    """Name the column that *by* needs; a cohort can be made from the first purchase."""
    return [] if by == COHORT else [by]


def _check_number(groups: list[Any], by: str) -> None:
    if len(groups) > MAX_GROUPS:
        raise DataError(f"expected at most {MAX_GROUPS} groups in {by}; got {len(groups):,}")


def by_group(staged: Any, by: str, make: Callable[[Any], pd.DataFrame]) -> pd.DataFrame:
    """Make a table for every group of customers: stages, forecasts, metrics, or your own.

    Parameters
    ----------
    staged : frame
        One row per customer.
    by : str
        A column, or ``"cohort"``, as in :func:`group_totals`.
    make : callable
        Makes a pandas table from the customers of one group, in the kind that went in.

    Returns
    -------
    pandas.DataFrame
        The tables one below the other, with the column ``group`` first; groups in order,
        ``"total"`` last.

    Raises
    ------
    ConfigError
        If there is no column to group by.
    DataError
        If there are more than 200 groups.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> staged = ls.assign_stages(ls.fit(customers).predict(customers))
    >>> table = by_group(staged, "cohort", ls.lifecycle.base_metrics)
    >>> table[["group", "customers"]].values.tolist()
    [['1997-01', 781], ['1997-02', 857], ['1997-03', 719], ['total', 2357]]
    """
    import pandas as pd

    frame = group_column(open_frame(staged, (CUSTOMER, *_column(by))), by)
    groups = sorted(to_pandas(frame.lazy().select("_group").unique())["_group"].tolist())
    _check_number(groups, by)
    tables = []
    for name in groups:
        part = frame.filter(nw.col("_group") == name).drop("_group")
        tables.append(make(part.to_native()).assign(group=name))
    tables.append(make(staged).assign(group="total"))
    whole = pd.concat(tables, ignore_index=True)
    return whole[["group", *[name for name in whole.columns if name != "group"]]]


def group_column(frame: Any, by: str) -> Any:
    """Add ``_group``, the text of the column *by*; a cohort is the month of the first purchase.

    Raises
    ------
    ConfigError
        If there is neither such a column nor, for a cohort, the date.
    """
    names = frame.collect_schema().names()
    if by in names and frame.collect_schema()[by] == nw.Boolean:
        value = nw.when(nw.col(by)).then(nw.lit("yes")).otherwise(nw.lit("no"))
    elif by in names:
        value = nw.col(by).cast(nw.String)
    elif by == COHORT and "first_purchase" in names:
        date = nw.col("first_purchase").cast(nw.Date)
        month = nw.concat_str([nw.lit("0"), date.dt.month().cast(nw.String)]).str.tail(2)
        value = nw.concat_str([date.dt.year().cast(nw.String), nw.lit("-"), month])
    else:
        needed = by if by != COHORT else "first_purchase or cohort"
        raise ConfigError(
            f"expected a column {needed} to group by; the table has {', '.join(names)}"
        )
    return frame.with_columns(_group=value.fill_null("unknown"))


def _row(model: LTVModel, group: str, part: pd.DataFrame, terms: Terms) -> dict[str, Any]:
    columns = (FREQUENCY, RECENCY, T, "weight", "_money", "_square")
    x, t_x, t, weight, money, square = (part[column].to_numpy(float) for column in columns)
    none = np.zeros(0)
    counts = Counts(x, t_x, t, weight, money, square, none, none, none)
    sums = totals(model, counts, terms).set_index("quantity").reindex(QUANTITIES)
    row: dict[str, Any] = {
        "group": group,
        "customers": round(weight.sum()),
        "past_revenue": float(part["_past"].sum()),
    }
    for name in QUANTITIES:
        estimate, low, high = sums.loc[name, ["estimate", "low", "high"]].astype(float)
        row |= {name: estimate, f"{name}_low": low, f"{name}_high": high}
    return row
