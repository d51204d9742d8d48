"""What changed between two runs: who moved between stages or tiers, and why the value of the base changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.data.engine import lazy, native, to_pandas
from lifestage.errors import ConfigError, DataError
from lifestage.lifecycle.frames import open_frame
from lifestage.lifecycle.taxonomies import TAXONOMIES
from lifestage.lifecycle.tiers import TIERS
from lifestage.prediction import predict
from lifestage.tables import CUSTOMER, Summary, T

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["ABSENT", "ltv_change", "moved_customers", "stage_migration"]

ABSENT = "absent"
"""The stage of a customer who is in one of the two tables only."""

QUIET = ("half_asleep", "asleep")
"""Stages from which a customer who is active again was reactivated."""


def stage_migration(before: Any, after: Any, *, column: str = "stage_line") -> pd.DataFrame:
    """Count who went from which stage to which between two runs.

    Parameters
    ----------
    before, after : frame
        Staged customers of the two runs, of one kind; or paths' tables read by :func:`lifestage.read_orders`.
    column : str
        ``stage_line``, another ``stage_…`` column, or ``tier``.

    Returns
    -------
    pandas.DataFrame
        ``before``, ``after``, ``customers``, ``share`` (of those who were in *before*, by stage), and ``reactivated``
        (half asleep or asleep before, active now; only for ``stage_line``). ``"absent"`` stands for customers who are
        in one table only: new ones, and ones that the log no longer holds. Counts add up to all customers of both.

    Raises
    ------
    DataError
        If columns are missing, the tables are of two kinds, or an id stands in one of them twice.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"customer_id": [1, 2, 3], "stage_line": ["active", "asleep", "asleep"]})
    >>> after = pd.DataFrame({"customer_id": [1, 2, 4], "stage_line": ["drowsy", "active", "new"]})
    >>> stage_migration(before, after)[["before", "after", "customers"]].values.tolist()
    [['active', 'drowsy', 1], ['asleep', 'active', 1], ['asleep', 'absent', 1], ['absent', 'new', 1]]
    """
    both = _both(before, after, [column])
    counted = to_pandas(both.group_by("before", "after").agg(nw.len().alias("customers")))
    order = [*_order(column, counted), ABSENT]
    rank = {key: i for i, key in enumerate(order)}
    counted = counted.assign(customers=counted["customers"].astype("int64"))
    counted = counted.sort_values(["before", "after"], key=lambda keys: keys.map(rank), ignore_index=True)
    share = counted["customers"] / counted.groupby("before")["customers"].transform("sum")
    counted["share"] = share.where(counted["before"] != ABSENT)
    if column == "stage_line":
        counted["reactivated"] = counted["before"].isin(QUIET) & (counted["after"] == "active")
    return counted


def moved_customers(before: Any, after: Any, *, column: str = "tier") -> Any:
    """List the customers whose tier or stage is another than in the run before: promotions and demotions.

    Returns
    -------
    frame
        ``customer_id``, ``before``, ``after``, ``move`` (``"up"``, ``"down"``, ``"new"``, ``"gone"``) in the kind that
        went in. Tiers rank from budget to high; stages of the line and of the segments as their lists begin with the
        best, after ``new``.

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


def ltv_change(
    model_before: LTVModel,
    customers_before: Summary,
    model_after: LTVModel,
    customers_after: Summary,
    *,
    horizon: float = 52,
    discount_rate: float = 0.10,
    margin: float = 1.0,
) -> pd.DataFrame:
    r"""Explain the change of the LTV of the base between two dates, step by step; the steps add up to it exactly.

    From the total before, of the model before:

    1. ``lost``: − LTV of customers whom the new data no longer hold;
    2. ``decay``: what the others would be worth on the new date had they bought nothing since;
    3. ``purchases``: what their purchases since have added to that;
    4. ``new_customers``: LTV of those who came since, still under the model before;
    5. ``refit``: the new model in the place of the old one, for everybody.

    Parameters
    ----------
    model_before, model_after : LTVModel
        With a spend model, in one period.
    customers_before, customers_after : Summary
        At the two dates, with ``until``.
    horizon, discount_rate, margin
        As in ``LTVModel.predict``, the same for both.

    Returns
    -------
    pandas.DataFrame
        ``step`` (``before``, the five, ``after``), ``customers`` it is about, ``ltv`` (money): the first plus the five
        is the last.

    Raises
    ------
    DataError
        If a date is unknown or the second one comes first, or rows stand for several customers.
    ConfigError
        If there is no spend model, or the periods differ.
    """
    import pandas as pd

    if model_before.spend is None or model_after.spend is None:
        raise ConfigError("expected models with a spend model: without one there is no LTV")
    if customers_before.period != customers_after.period or model_before.period != model_after.period:
        raise ConfigError("expected both runs in one period")
    if customers_before.until is None or customers_after.until is None:
        raise DataError("expected the last day of observation of both runs; one has no until")
    passed = (customers_after.until - customers_before.until).days / customers_before.period.days
    if passed < 0:
        raise DataError(f"expected the later run second; got {customers_before.until} and {customers_after.until}")
    if customers_before.weights or customers_after.weights:
        raise DataError("expected one row per customer, to follow each from one date to the other; got weighted rows")
    terms: dict[str, Any] = {"horizon": horizon, "discount_rate": discount_rate, "margin": margin}
    aged, kind = lazy(customers_before.table)
    silent = replace(
        customers_before,
        table=native(aged.with_columns((nw.col(T) + passed).alias(T)), kind),
        until=customers_after.until,
    )
    values = {
        "then": predict(model_before, customers_before, **terms),
        "silent": predict(model_before, silent, **terms),
        "old": predict(model_before, customers_after, **terms),
        "fresh": predict(model_after, customers_after, **terms),
    }
    frames = {name: lazy(scores)[0].select(CUSTOMER, nw.col("ltv").alias(name)) for name, scores in values.items()}
    was = frames["then"].join(frames["silent"], on=CUSTOMER, how="inner")
    now = frames["old"].join(frames["fresh"], on=CUSTOMER, how="inner")
    stayed = was.join(frames["old"], on=CUSTOMER, how="inner")
    gone, came = was.join(now, on=CUSTOMER, how="anti"), now.join(was, on=CUSTOMER, how="anti")

    def sums(frame: nw.LazyFrame[Any], *names: str) -> list[float]:
        row = to_pandas(frame.select(nw.len().alias("n"), *(nw.col(name).sum() for name in names))).iloc[0]
        return [float(row[name] or 0.0) for name in ("n", *names)]

    n_before, before = sums(frames["then"], "then")
    n_gone, lost = sums(gone, "then")
    n_stayed, then, quiet, bought = sums(stayed, "then", "silent", "old")
    n_new, new = sums(came, "old")
    n_after, old, after = sums(now, "old", "fresh")
    rows = [
        ("before", n_before, before),
        ("lost", n_gone, 0.0 - lost),
        ("decay", n_stayed, quiet - then),
        ("purchases", n_stayed, bought - quiet),
        ("new_customers", n_new, new),
        ("refit", n_after, after - old),
        ("after", n_after, after),
    ]
    return pd.DataFrame(rows, columns=["step", "customers", "ltv"]).astype({"customers": "int64"})


def _both(before: Any, after: Any, columns: list[str]) -> nw.LazyFrame[Any]:
    """Both tables side by side, ``absent`` where a customer is in one only."""
    first, second = (open_frame(table, (CUSTOMER, *columns)).lazy() for table in (before, after))
    if lazy(before)[1] != lazy(after)[1]:
        raise DataError(f"expected two tables of one kind; got {lazy(before)[1]} and {lazy(after)[1]}")
    for name, table in (("before", first), ("after", second)):
        twice = table.group_by(CUSTOMER).agg(nw.len().alias("n")).filter(nw.col("n") > 1)
        few = to_pandas(twice.select(CUSTOMER).head(3))
        if len(few):
            raise DataError(f"expected one row a customer in {name}; twice or more: {few[CUSTOMER].tolist()}")
    column = columns[0]
    left = first.select(CUSTOMER, nw.col(column).fill_null(ABSENT).alias("before"))
    right = second.select(CUSTOMER, nw.col(column).fill_null(ABSENT).alias("after"))
    stayed = left.join(right, on=CUSTOMER, how="left").with_columns(nw.col("after").fill_null(ABSENT))
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
