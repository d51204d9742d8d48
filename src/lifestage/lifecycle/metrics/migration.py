"""What changed between two runs: who moved between stages or tiers, and why the value of the base changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import lazy, native, to_pandas
from lifestage.lifecycle.frames import open_frame
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES
from lifestage.lifecycle.stages.tiers import TIERS

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["ABSENT", "moved_customers", "stage_migration"]

ABSENT = "absent"
"""The stage of a customer who is in one of the two tables only."""

QUIET = ("half_asleep", "asleep")
"""Stages from which a customer who is active again was reactivated."""


def stage_migration(before: Any, after: Any, *, column: str = "activity_stage") -> pd.DataFrame:
    """Count who went from which stage to which between two runs.

    Parameters
    ----------
    before, after : frame
        Staged customers of the two runs, of one kind; or paths' tables read by
        :func:`lifestage.read_orders`.
    column : str
        ``activity_stage``, another ``stage_…`` column, or ``tier``.

    Returns
    -------
    pandas.DataFrame
        ``before``, ``after``, ``customers``, ``share`` (of those who were in *before*, by stage),
        and ``reactivated`` (half asleep or asleep before, active now; only for ``activity_stage``).
        ``"absent"`` stands for customers who are in one table only: new ones, and ones that the log
        no longer holds. Counts add up to all customers of both.

    Raises
    ------
    DataError
        If columns are missing, the tables are of two kinds, or an id stands in one of them twice.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"customer_id": [1, 2, 3], "activity_stage": ["active", "asleep", "asleep"]})
    >>> after = pd.DataFrame({"customer_id": [1, 2, 4], "activity_stage": ["drowsy", "active", "new"]})
    >>> stage_migration(before, after)[["before", "after", "customers"]].values.tolist()
    [['active', 'drowsy', 1], ['asleep', 'active', 1], ['asleep', 'absent', 1], ['absent', 'new',
    1]]
    """
    both = _both(before, after, [column])
    counted = to_pandas(both.group_by("before", "after").agg(nw.len().alias("customers")))
    order = [*_order(column, counted), ABSENT]
    rank = {key: i for i, key in enumerate(order)}
    counted = counted.assign(customers=counted["customers"].astype("int64"))
    counted = counted.sort_values(
        ["before", "after"], key=lambda keys: keys.map(rank), ignore_index=True
    )
    share = counted["customers"] / counted.groupby("before")["customers"].transform("sum")
    counted["share"] = share.where(counted["before"] != ABSENT)
    if column == "activity_stage":
        counted["reactivated"] = counted["before"].isin(QUIET) & (counted["after"] == "active")
    return counted


def moved_customers(before: Any, after: Any, *, column: str = "tier") -> Any:
    """List the customers whose tier or stage is another than in the run before: promotions and demotions.

    Returns
    -------
    frame
        ``customer_id``, ``before``, ``after``, ``move`` (``"up"``, ``"down"``, ``"new"``,
        ``"gone"``) in the kind that went in. Tiers rank from budget to high; stages of the line and
        of the segments as their lists begin with the best, after ``new``.

    Raises
    ------
    DataError
        As in :func:`stage_migration`.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"customer_id": [1, 2, 3], "tier": ["high", "mid", "mid"]})
    >>> after = pd.DataFrame({"customer_id": [1, 2, 3], "tier": ["mid", "mid", "high"]})
    >>> moved_customers(before, after)[["customer_id", "move"]].values.tolist()
    [[1, 'down'], [3, 'up']]
    """
    both, kind = _both(before, after, [column]), lazy(before)[1]
    changed = both.filter(nw.col("before") != nw.col("after"))
    keys = to_pandas(changed.select("before", "after").unique())
    rank = {key: i for i, key in enumerate(_order(column, keys))}

    def place(side: str) -> nw.Expr:
        out: nw.Expr = nw.lit(-1)
        for key, i in rank.items():
            out = nw.when(nw.col(side) == key).then(nw.lit(i)).otherwise(out)
        return out

    move = nw.when(place("after") < place("before")).then(nw.lit("up")).otherwise(nw.lit("down"))
    move = nw.when(nw.col("after") == ABSENT).then(nw.lit("gone")).otherwise(move)
    move = nw.when(nw.col("before") == ABSENT).then(nw.lit("new")).otherwise(move)
    return native(changed.with_columns(move=move).sort(CUSTOMER), kind)


def _both(before: Any, after: Any, columns: list[str]) -> nw.LazyFrame[Any]:
    """Both tables side by side, ``absent`` where a customer is in one only."""
    first, second = (open_frame(table, (CUSTOMER, *columns)).lazy() for table in (before, after))
    if lazy(before)[1] != lazy(after)[1]:
        raise DataError(
            f"expected two tables of one kind; got {lazy(before)[1]} and {lazy(after)[1]}"
        )
    for name, table in (("before", first), ("after", second)):
        twice = table.group_by(CUSTOMER).agg(nw.len().alias("n")).filter(nw.col("n") > 1)
        few = to_pandas(twice.select(CUSTOMER).head(3))
        if len(few):
            raise DataError(
                f"expected one row a customer in {name}; twice or more: {few[CUSTOMER].tolist()}"
            )
    column = columns[0]
    left = first.select(CUSTOMER, nw.col(column).fill_null(ABSENT).alias("before"))
    right = second.select(CUSTOMER, nw.col(column).fill_null(ABSENT).alias("after"))
    stayed = left.join(right, on=CUSTOMER, how="left").with_columns(
        nw.col("after").fill_null(ABSENT)
    )
    came = right.join(left, on=CUSTOMER, how="anti").with_columns(nw.lit(ABSENT).alias("before"))
    return nw.concat([stayed, came.select(CUSTOMER, "before", "after")], how="vertical")


def _order(column: str, found: pd.DataFrame) -> list[str]:
    """Keys from the best to the least."""
    taxonomy = column.removeprefix("stage_")
    known = list(reversed(TIERS)) if column == "tier" else []
    if taxonomy in TAXONOMIES:
        known = [stage.key for stage in TAXONOMIES[taxonomy]]
    seen = sorted({*found["before"], *found["after"]} - {*known, ABSENT})
    return [*known, *seen]
