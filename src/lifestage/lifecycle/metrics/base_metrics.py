"""What a base report shows: repurchase, retention, order value, cost of acquisition; in total and by channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import FREQUENCY
from lifestage.lifecycle.frames import (
    Frame,
    collect,
    constant,
    days_observed,
    open_frame,
    orders_made,
)
from lifestage.lifecycle.metrics.formulas import YEAR_DAYS, lifespan_years, ltv_simple

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METRICS", "base_metrics", "metric_changes"]

METRICS = (
    *(
        "customers",
        "repurchase_rate",
        "retention",
        "churn",
        "average_order_value",
        "purchases_per_year",
    ),
    *(
        "lifespan_years",
        "arppu",
        "cac",
        "ltv",
        "ltv_simple",
        "ltv_to_cac",
        "revenue",
        "repeat_revenue_share",
    ),
    *("revenue_share", "order_share"),
)
"""Numeric columns of :func:`base_metrics`, in order."""

SLACK_DAYS = 1e-6
"""Whole days that went through weeks or months and back count as whole."""

Row = dict[str, float]


def base_metrics(
    staged: Any,
    *,
    by: str | None = None,
    cac: float | Mapping[Any, float] | None = None,
    churn_window_days: float | None = None,
) -> pd.DataFrame:
    r"""Metrics of the whole base, and of each group.

    Let W be the window, the last days of observation. **churn** = the share of customers first seen
    before the window began (days since the first purchase ≥ W) who did not buy in it (days since
    the last purchase ≥ W); **retention** is 1 − churn; **lifespan_years** = W / (365.25 · churn),
    null without churn. **purchases_per_year** = all orders, the first included, ÷ customer-years
    observed. **arppu** = revenue ÷ paying users. **ltv** is the mean of the model's, **ltv_simple**
    = average_order_value · purchases_per_year · lifespan_years.

    Parameters
    ----------
    staged : frame
        One row a customer; contacts without a purchase are left out.
    by : str, optional
        Column to group by, such as ``channel``.
    cac : float or mapping, optional
        Cost of acquiring one customer; or one cost a group. The total is then the mean over
        customers, null while the cost of a group is not known.
    churn_window_days : float, optional
        W in days; the stage window if left out.

    Returns
    -------
    pandas.DataFrame
        The total first (``scope`` and ``group`` are ``"total"``), then a row a group (``scope`` is
        *by*), with ``customers`` (paying users), ``repurchase_rate``, ``retention``, ``churn``,
        ``churn_window_days``, ``average_order_value``, ``purchases_per_year``, ``lifespan_years``,
        ``arppu``, ``cac``, ``ltv``, ``ltv_simple``, ``ltv_to_cac``, ``revenue``,
        ``repeat_revenue_share`` (of buyers who bought again), ``revenue_share`` and ``order_share``
        (of the total). What cannot be known is null: without the column ``orders`` purchase days
        stand for orders; without ``revenue`` there is no money but the model's.

    Raises
    ------
    DataError
        If columns are missing, or nobody has bought.
    ConfigError
        If the window or a cost is out of range.
    """
    import pandas as pd

    needed = [FREQUENCY, "days_silent", "mean_gap_days"]
    needed += ["stage_window_days"] if churn_window_days is None else []
    frame = open_frame(staged, [*needed, *([by] if by is not None else [])])
    _check_costs(cac, by)
    buyers = frame.filter(orders_made() >= 1)
    window = (
        constant(buyers, "stage_window_days") if churn_window_days is None else churn_window_days
    )
    if not (math.isfinite(window) and window > 0):
        raise ConfigError(f"churn_window_days must be a positive number of days; got {window!r}")
    sums = collect(_sums(buyers, by, window))
    totals = {str(name): float(value) for name, value in sums.drop(columns=["group"]).sum().items()}
    if not totals.get("customers"):
        raise DataError("no customer has bought: there is nothing to measure")
    rows: list[dict[str, Any]] = []
    if by is not None:
        named = sums.assign(_name=sums["group"].astype(str))
        ordered = named.sort_values(["customers", "_name"], ascending=[False, True])
        for _, group in ordered.iterrows():
            cost = cac.get(group["group"]) if isinstance(cac, Mapping) else cac
            found = {name: float(group[name]) for name in totals}
            rows.append(
                {"scope": by, "group": group["group"], **_metrics(found, totals, window, cost)}
            )
    overall = _mean_cost(rows) if isinstance(cac, Mapping) else cac
    rows.insert(
        0, {"scope": "total", "group": "total", **_metrics(totals, totals, window, overall)}
    )
    columns = ["scope", "group", *METRICS[:4], "churn_window_days", *METRICS[4:]]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(METRICS[1:], float))
    return table.astype({"customers": int})


def metric_changes(current: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """Compare two results of :func:`base_metrics`: every metric's change since the run before.

    Returns
    -------
    pandas.DataFrame
        A row a group of *current* and metric: ``scope``, ``group``, ``metric``, ``previous``,
        ``current``, ``change`` (current − previous) and ``relative_change`` (change ÷ previous).
        Null where one run does not know it.

    Raises
    ------
    DataError
        If either is not such a table.
    """
    keys = ["scope", "group"]
    for name, table in (("current", current), ("previous", previous)):
        missing = [column for column in (*keys, *METRICS) if column not in table.columns]
        if missing:
            raise DataError(
                f"{name} must come from base_metrics; columns missing: {', '.join(missing)}"
            )

    def tall(table: pd.DataFrame, name: str) -> pd.DataFrame:
        values = table.assign(
            group=table["group"].astype(object), customers=table["customers"].astype(float)
        )
        return values.melt(keys, list(METRICS), "metric", name).astype({name: float})

    now, before = tall(current, "current"), tall(previous, "previous")
    both = now.merge(before, how="left", on=[*keys, "metric"], validate="one_to_one")
    change = both["current"] - both["previous"]
    relative = change / both["previous"].where(both["previous"] != 0)
    columns = [*keys, "metric", "previous", "current"]
    return both[columns].assign(change=change, relative_change=relative)


def _sums(buyers: Frame, by: str | None, window: float) -> Frame:
    """Everything the metrics are made of, added up by the engine, a row a group."""
    names = buyers.collect_schema().names()
    old = days_observed() >= window - SLACK_DAYS
    gone = old & (nw.col("days_silent") >= window - SLACK_DAYS)
    repeats = orders_made() >= 2
    orders = (
        nw.col("orders").cast(nw.Float64).fill_null(0.0) if "orders" in names else orders_made()
    )
    columns = {
        "customers": nw.lit(1),
        "repeaters": _one(repeats),
        "old": _one(old),
        "gone": _one(gone),
        "orders": orders,
        "years": days_observed() / YEAR_DAYS,
    }
    if "revenue" in names:
        revenue = nw.col("revenue").cast(nw.Float64).fill_null(0.0)
        columns |= {
            "revenue": revenue,
            "repeat_revenue": nw.when(repeats).then(revenue).otherwise(nw.lit(0.0)),
        }
    if "ltv" in names:
        columns["ltv"] = nw.col("ltv").fill_null(0.0)
    group = (nw.lit("total") if by is None else nw.col(by)).alias("group")
    parts = buyers.select(group, **{f"__{name}": value for name, value in columns.items()})
    return parts.group_by("group").agg(*[nw.col(f"__{name}").sum().alias(name) for name in columns])


def _metrics(sums: Row, totals: Row, window: float, cac: float | None) -> dict[str, float | None]:
    """Divide the sums of one group."""
    churn = _ratio(sums["gone"], sums["old"])
    life = lifespan_years(churn, window) if churn else None
    revenue, ltv = sums.get("revenue"), _ratio(sums.get("ltv"), sums["customers"])
    value, rate = _ratio(revenue, sums["orders"]), _ratio(sums["orders"], sums["years"])
    known = value is not None and value >= 0 and rate is not None and life is not None
    return {
        "customers": sums["customers"],
        "repurchase_rate": _ratio(sums["repeaters"], sums["customers"]),
        "retention": None if churn is None else 1.0 - churn,
        "churn": churn,
        "churn_window_days": window,
        "average_order_value": value,
        "purchases_per_year": rate,
        "lifespan_years": life,
        "arppu": _ratio(revenue, sums["customers"]),
        "cac": cac,
        "ltv": ltv,
        "ltv_simple": ltv_simple(value, rate, life) if known else None,  # type: ignore[arg-type]
        "ltv_to_cac": _ratio(ltv, cac),
        "revenue": revenue,
        "repeat_revenue_share": _ratio(sums.get("repeat_revenue"), revenue),
        "revenue_share": _ratio(revenue, totals.get("revenue")),
        "order_share": _ratio(sums["orders"], totals["orders"]),
    }


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def _mean_cost(rows: list[dict[str, Any]]) -> float | None:
    """Cost of acquisition over all customers, from the costs of the groups."""
    if any(row["cac"] is None for row in rows):
        return None
    spent = math.fsum(row["cac"] * row["customers"] for row in rows)
    return _ratio(spent, math.fsum(row["customers"] for row in rows))


def _check_costs(cac: float | Mapping[Any, float] | None, by: str | None) -> None:
    if isinstance(cac, Mapping) and by is None:
        raise ConfigError("a cac for each group needs by, the column of the groups")
    costs = cac if isinstance(cac, Mapping) else {} if cac is None else {"the base": cac}
    for name, cost in costs.items():
        if not (math.isfinite(cost) and cost >= 0):
            raise ConfigError(f"cac must be a finite amount, 0 or more; got {cost!r} for {name}")


def _one(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
