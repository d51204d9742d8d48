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
"""The month of the first purchase, made from ``first_purchase`` where the table has no such column."""

MOST = 200
"""Groups that are told apart."""

QUANTITIES = ("purchases", "revenue", "ltv")

SUMS = ("weight", "__money", "__square", "__past")
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
    """What each group of customers is expected to do within a horizon, and what it has done.

    Parameters
    ----------
    model : LTVModel
    staged : frame
        One row a customer, as ``LTVModel.predict`` or :func:`lifestage.assign_stages` returned it.
        Contacts without a purchase are left out.
    by : str
        A column such as ``channel``, ``activity_stage``, ``at_risk``; or ``"cohort"``, the month of
        ``first_purchase``. Customers without a value are the group ``"unknown"``; true and false
        are ``"yes"`` and ``"no"``.
    horizon, discount_rate, margin, level
        As in ``LTVModel.predict``; give those of the scores.
    weight : str, optional
        Column with the number of customers each row stands for, where *staged* is a sample; 1 if
        left out.

    Returns
    -------
    pandas.DataFrame
        A row a group, and ``"total"`` last: ``group``, ``customers``, ``past_revenue`` (money up to
        the last day, NaN if not known), and within the horizon ``purchases``, ``revenue`` (money,
        undiscounted), ``ltv`` (discounted margin), each with ``_low`` and ``_high`` as in the
        totals of a report. Intervals of groups do not add up.

    Raises
    ------
    DataError
        If columns are missing, or there are more than 200 groups.

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
    frame = group_column(
        open_frame(
            staged,
            (CUSTOMER, *KEYS, *((by,) if by != COHORT else ()), *((weight,) if weight else ())),
        ),
        by,
    ).lazy()
    names = frame.collect_schema().names()
    require_money(model, names)
    money = nw.col(MONETARY).cast(nw.Float64) if MONETARY in names else nw.lit(0.0)
    past = nw.col("revenue").cast(nw.Float64) if "revenue" in names else nw.lit(None, nw.Float64)
    each = nw.lit(1.0) if weight is None else nw.col(weight).cast(nw.Float64)
    facts = frame.filter(~nw.col(FREQUENCY).is_null()).select(
        "__group",
        *KEYS,
        weight=each,
        __money=each * money,
        __square=each * money * money,
        __past=each * past,
    )
    rows = to_pandas(
        facts.group_by("__group", *KEYS).agg(*(nw.col(name).sum() for name in SUMS))
    ).sort_values(["__group", FREQUENCY, T, RECENCY], ignore_index=True)
    groups = rows["__group"].unique().tolist()
    if not groups:
        raise DataError("expected customers who have bought; there are none")
    if len(groups) > MOST:
        raise DataError(f"expected at most {MOST} groups in {by}; got {len(groups):,}")
    parts = [(name, rows[rows["__group"] == name]) for name in groups]
    table = [
        _row(model, str(name), part, terms) for name, part in [*parts, ("total", _together(rows))]
    ]
    columns = [f"{name}{end}" for name in QUANTITIES for end in ("", "_low", "_high")]
    out = pd.DataFrame(table, columns=["group", "customers", "past_revenue", *columns])
    return out if "revenue" in names else out.assign(past_revenue=np.nan)


def by_group(staged: Any, by: str, make: Callable[[Any], pd.DataFrame]) -> pd.DataFrame:
    """Make a table of the base for every group: stages, forecasts, realised repurchase, metrics, or your own.

    Parameters
    ----------
    staged : frame
    by : str
        As in :func:`group_totals`.
    make : callable
        Makes the table from the customers of one group, in the kind that went in.

    Returns
    -------
    pandas.DataFrame
        The tables one below the other, with the column ``group`` first; groups in order,
        ``"total"`` last.

    Raises
    ------
    ConfigError, DataError
        As in :func:`group_totals`.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers))
    >>> from lifestage.lifecycle import stage_forecast
    >>> table = by_group(staged, "cohort", lambda part: stage_forecast(model, part, points=1, scenarios=10).totals)
    >>> table["group"].tolist()
    ['1997-01', '1997-02', '1997-03', 'total']
    """
    import pandas as pd

    frame = group_column(open_frame(staged, (CUSTOMER, *((by,) if by != COHORT else ()))), by)
    groups = sorted(to_pandas(frame.lazy().select("__group").unique())["__group"].tolist())
    if len(groups) > MOST:
        raise DataError(f"expected at most {MOST} groups in {by}; got {len(groups):,}")
    parts = [
        make(frame.filter(nw.col("__group") == name).drop("__group").to_native()) for name in groups
    ]
    tables = [
        part.assign(group=name)
        for name, part in zip([*groups, "total"], [*parts, make(staged)], strict=True)
    ]
    whole = pd.concat(tables, ignore_index=True)
    return whole[["group", *[name for name in whole.columns if name != "group"]]]


def group_column(frame: Any, by: str) -> Any:
    """Add ``__group``, the text of the column *by*, or the month of the first purchase for ``"cohort"``.

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
    return frame.with_columns(__group=value.fill_null("unknown"))


def _together(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby([FREQUENCY, T, RECENCY], as_index=False)[list(SUMS)].sum()


def _row(model: LTVModel, name: str, part: pd.DataFrame, terms: Terms) -> dict[str, Any]:
    x, t_x, t, weight, money, square = (
        part[column].to_numpy(float)
        for column in (FREQUENCY, RECENCY, T, "weight", "__money", "__square")
    )
    none = np.zeros(0)
    counts = Counts(x, t_x, t, weight, money, square, none, none, none)
    row: dict[str, Any] = {
        "group": name,
        "customers": round(weight.sum()),
        "past_revenue": float(part["__past"].sum()),
    }
    found = totals(model, counts, terms).set_index("quantity").reindex(QUANTITIES)
    for end, suffix in (("estimate", ""), ("low", "_low"), ("high", "_high")):
        row |= dict(
            zip([f"{name}{suffix}" for name in QUANTITIES], found[end].tolist(), strict=True)
        )
    return row
