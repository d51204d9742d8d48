"""Moves of customers between stages or tiers from one run to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import lazy, native, to_pandas
from lifestage.lifecycle.frames import open_frame
from lifestage.lifecycle.stages.taxonomies import built_in
from lifestage.lifecycle.stages.tiers import TIERS

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["ABSENT", "moved_customers", "stage_migration"]

ABSENT = "absent"
"""The stage of a customer who is in one of the two tables only."""

QUIET = ("half_asleep", "asleep")
"""Stages from which a customer who is active again was reactivated."""


def stage_migration(before: Any, after: Any, *, column: str = "activity_stage") -> pd.DataFrame:
    """Count the customers who moved from each stage to each other one between two runs.

    Parameters
    ----------
    before, after : frame
        Staged customers of the two runs, in one kind.
    column : str
        ``activity_stage``, ``lifecycle_phase``, ``value_segment``, the column of a taxonomy of a
        playbook (``stage_<name>``), or ``tier``.

    Returns
    -------
    pandas.DataFrame
        One row per pair of stages that occurs: ``before``, ``after``, ``customers``, ``share`` (of
        the customers with that stage in *before*), and ``reactivated`` (half asleep or asleep
        before, active now; only for ``activity_stage``). ``"absent"`` stands for customers who are
        in one table only: new ones, and ones that the log no longer holds. The counts add up to all
        customers of both tables.

    Raises
    ------
    DataError
        If columns are missing, the tables are of two kinds, or an id occurs in one of them twice.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"customer_id": [1, 2], "activity_stage": ["active", "asleep"]})
    >>> after = pd.DataFrame({"customer_id": [1, 3], "activity_stage": ["drowsy", "new"]})
    >>> stage_migration(before, after)[["before", "after", "customers"]].values.tolist()
    [['active', 'drowsy', 1], ['asleep', 'absent', 1], ['absent', 'new', 1]]
    """
    pairs, _ = _pairs(before, after, column)
    counts = to_pandas(pairs.group_by("before", "after").agg(nw.len().alias("customers")))
    counts["customers"] = counts["customers"].astype("int64")
    rank = {key: place for place, key in enumerate([*_order(column, counts), ABSENT])}
    counts = counts.sort_values(
        ["before", "after"], key=lambda keys: keys.map(rank), ignore_index=True
    )
    share = counts["customers"] / counts.groupby("before")["customers"].transform("sum")
    counts["share"] = share.where(counts["before"] != ABSENT)
    if column == "activity_stage":
        counts["reactivated"] = counts["before"].isin(QUIET) & (counts["after"] == "active")
    return counts


def moved_customers(before: Any, after: Any, *, column: str = "tier") -> Any:
    """List the customers whose tier or stage differs between two runs: promotions and demotions.

    Parameters
    ----------
    before, after : frame
        Customers of the two runs with ``customer_id`` and *column*, in one kind.
    column : str
        ``tier``, or a column of stages as in :func:`stage_migration`.

    Returns
    -------
    frame
        One row per customer who moved: ``customer_id``, ``before``, ``after``, ``move`` (``"up"``,
        ``"down"``, ``"new"``, ``"gone"``), in the kind that went in. Tiers rank from budget to
        high; the stages of line, phase and segment rank in the order of their lists, the first
        highest; other keys alphabetically, the first highest.

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
    pairs, kind = _pairs(before, after, column)
    changed = pairs.filter(nw.col("before") != nw.col("after"))
    order = _order(column, to_pandas(changed.select("before", "after").unique()))
    rises = _place("after", order) < _place("before", order)
    move = nw.when(rises).then(nw.lit("up")).otherwise(nw.lit("down"))
    move = nw.when(nw.col("after") == ABSENT).then(nw.lit("gone")).otherwise(move)
    move = nw.when(nw.col("before") == ABSENT).then(nw.lit("new")).otherwise(move)
    return native(changed.with_columns(move=move).sort(CUSTOMER), kind)


def _place(column: str, order: list[str]) -> nw.Expr:
    """Find the place of a key in the order, −1 if it is not there."""
    place: nw.Expr = nw.lit(-1)
    for i, key in enumerate(order):
        place = nw.when(nw.col(column) == key).then(nw.lit(i)).otherwise(place)
    return place


def _pairs(before: Any, after: Any, column: str) -> tuple[nw.LazyFrame[Any], str]:
    """Join both columns, ``absent`` where a customer is in one table only; and return the kind."""
    (first, kind), (second, kind_after) = (
        lazy(open_frame(table, (CUSTOMER, column)).to_native()) for table in (before, after)
    )
    if kind != kind_after:
        raise DataError(f"expected two tables of one kind; got {kind} and {kind_after}")
    for name, table in (("before", first), ("after", second)):
        counts = table.group_by(CUSTOMER).agg(nw.len().alias("rows")).filter(nw.col("rows") > 1)
        repeated = to_pandas(counts.select(CUSTOMER).head(3))[CUSTOMER].tolist()
        if repeated:
            raise DataError(f"expected one row per customer in {name}; twice or more: {repeated}")
    left = first.select(CUSTOMER, nw.col(column).fill_null(ABSENT).alias("before"))
    right = second.select(CUSTOMER, nw.col(column).fill_null(ABSENT).alias("after"))
    stayed = left.join(right, on=CUSTOMER, how="left")
    stayed = stayed.with_columns(nw.col("after").fill_null(ABSENT))
    new = right.join(left, on=CUSTOMER, how="anti").with_columns(nw.lit(ABSENT).alias("before"))
    return nw.concat([stayed, new.select(CUSTOMER, "before", "after")], how="vertical"), kind


def _order(column: str, pairs: pd.DataFrame) -> list[str]:
    """Keys from the best to the least."""
    ordered = list(reversed(TIERS)) if column == "tier" else []
    for taxonomy in built_in().values():
        if taxonomy.column == column:
            ordered = list(taxonomy.keys)
    others = {*pairs["before"], *pairs["after"]} - {*ordered, ABSENT}
    return [*ordered, *sorted(others)]
