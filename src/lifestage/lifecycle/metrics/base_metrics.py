"""Metrics of a customer base: repurchase, retention, order value, acquisition cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import FREQUENCY
from lifestage.lifecycle.frames import (
    Frame,
    as_count,
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
    "customers",
    "repurchase_rate",
    "retention",
    "churn",
    "average_order_value",
    "purchases_per_year",
    "lifespan_years",
    "arppu",
    "cac",
    "ltv",
    "ltv_simple",
    "ltv_to_cac",
    "revenue",
    "repeat_revenue_share",
    "revenue_share",
    "order_share",
)
"""Numeric columns of :func:`base_metrics`, in order."""

SLACK_DAYS = 1e-6
"""Whole days that went through weeks or months and back count as whole."""

Row = Mapping[Any, float]


def base_metrics(
    staged: Any,
    *,
    by: str | None = None,
    cac: float | Mapping[Any, float] | None = None,
    churn_window_days: float | None = None,
) -> pd.DataFrame:
    r"""Compute metrics of the whole customer base, and of each group.

    Let W be the window, the last days of observation. The churn is

    .. math:: \text{churn} = \frac{\#\{\text{first purchase} \ge W \text{ days ago},
              \text{ last purchase} \ge W \text{ days ago}\}}
              {\#\{\text{first purchase} \ge W \text{ days ago}\}},

    retention is 1 − churn, and ``lifespan_years`` is W / (365.25 · churn), null without churn.
    ``purchases_per_year`` is all orders, the first included, ÷ customer-years observed; ``arppu``
    is revenue ÷ paying users. ``ltv`` is the mean of the model's, ``ltv_simple`` is
    average_order_value · purchases_per_year · lifespan_years.

    Parameters
    ----------
    staged : frame
        One row per customer; contacts without a purchase are left out.
    by : str, optional
        Column to group by, such as ``channel``.
    cac : float or mapping, optional
        Cost of acquiring one customer, money; or one cost per group. The total is then the mean
        over customers, null while the cost of a group is not known.
    churn_window_days : float, optional
        W in days; the stage window if left out.

    Returns
    -------
    pandas.DataFrame
        The total first (``scope`` and ``group`` are ``"total"``), then one row per group (``scope``
        is *by*), with ``customers`` (paying users), ``repurchase_rate``, ``retention``, ``churn``,
        ``churn_window_days``, ``average_order_value``, ``purchases_per_year``, ``lifespan_years``,
        ``arppu``, ``cac``, ``ltv``, ``ltv_simple``, ``ltv_to_cac``, ``revenue``,
        ``repeat_revenue_share`` (of buyers who bought again), ``revenue_share`` and ``order_share``
        (of the total). What cannot be computed is null: without the column ``orders`` purchase days
        stand for orders; without ``revenue`` there is no money but the model's.

    Raises
    ------
    DataError
        If columns are missing, or nobody has bought.
    ConfigError
        If the window or a cost is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> table = base_metrics(ls.fit(customers).predict(customers), cac=20.0)
    >>> table[["customers", "repurchase_rate", "average_order_value"]].round(2).values.tolist()
    [[2357.0, 0.4, 35.96]]
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
    totals: Row = sums.drop(columns=["group"]).sum().astype(float).to_dict()
    if not totals.get("customers"):
        raise DataError("no customer has bought: there is nothing to measure")
    rows: list[dict[str, Any]] = []
    if by is not None:
        named = sums.assign(_name=sums["group"].astype(str))
        ordered = named.sort_values(["customers", "_name"], ascending=[False, True])
        for _, group in ordered.iterrows():
            cost = cac.get(group["group"]) if isinstance(cac, Mapping) else cac
            parts: Row = group[list(totals)].astype(float).to_dict()
            metrics = _metrics(parts, totals, window, cost)
            rows.append({"scope": by, "group": group["group"], **metrics})
    overall = _mean_cost(rows) if isinstance(cac, Mapping) else cac
    metrics = _metrics(totals, totals, window, overall)
    rows.insert(0, {"scope": "total", "group": "total", **metrics})
    columns = ["scope", "group", *METRICS[:4], "churn_window_days", *METRICS[4:]]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(METRICS[1:], float))
    return table.astype({"customers": int})


def metric_changes(current: pd.DataFrame, previous: pd.DataFrame) -> pd.DataFrame:
    """Compute the change of every metric of :func:`base_metrics` since the previous run.

    Parameters
    ----------
    current, previous : pandas.DataFrame
        Results of :func:`base_metrics` for the two runs.

    Returns
    -------
    pandas.DataFrame
        One row per group of *current* and metric: ``scope``, ``group``, ``metric``, ``previous``,
        ``current``, ``change`` (current − previous) and ``relative_change`` (change ÷ previous).
        Null where a run has no value.

    Raises
    ------
    DataError
        If either is not such a table.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> now = base_metrics(ls.fit(customers).predict(customers))
    >>> then = now.assign(revenue=now["revenue"] - 1000.0)
    >>> table = metric_changes(now, then).set_index("metric")
    >>> table["change"]["revenue"].round(2)
    np.float64(1000.0)
    """
    keys = ["scope", "group"]
    for name, table in (("current", current), ("previous", previous)):
        missing = [column for column in (*keys, *METRICS) if column not in table.columns]
        if missing:
            raise DataError(
                f"{name} must come from base_metrics; columns missing: {', '.join(missing)}"
            )
    now = _one_row_per_metric(current, "current")
    before = _one_row_per_metric(previous, "previous")
    both = now.merge(before, how="left", on=[*keys, "metric"], validate="one_to_one")
    change = both["current"] - both["previous"]
    relative = change / both["previous"].where(both["previous"] != 0)
    columns = [*keys, "metric", "previous", "current"]
    return both[columns].assign(change=change, relative_change=relative)


def _one_row_per_metric(table: pd.DataFrame, name: str) -> pd.DataFrame:
    values = table.assign(
        group=table["group"].astype(object), customers=table["customers"].astype(float)
    )
    return values.melt(["scope", "group"], list(METRICS), "metric", name).astype({name: float})


def _sums(buyers: Frame, by: str | None, window: float) -> Frame:
    """Add up in the engine what the metrics are made of, one row per group."""
    names = buyers.collect_schema().names()
    old = days_observed() >= window - SLACK_DAYS
    gone = old & (nw.col("days_silent") >= window - SLACK_DAYS)
    repeats = orders_made() >= 2
    orders = orders_made()
    if "orders" in names:
        orders = nw.col("orders").cast(nw.Float64).fill_null(0.0)
    columns = {
        "customers": nw.lit(1),
        "repeaters": as_count(repeats),
        "old": as_count(old),
        "gone": as_count(gone),
        "orders": orders,
        "years": days_observed() / YEAR_DAYS,
    }
    if "revenue" in names:
        revenue = nw.col("revenue").cast(nw.Float64).fill_null(0.0)
        columns["revenue"] = revenue
        columns["repeat_revenue"] = nw.when(repeats).then(revenue).otherwise(nw.lit(0.0))
    if "ltv" in names:
        columns["ltv"] = nw.col("ltv").fill_null(0.0)
    group = (nw.lit("total") if by is None else nw.col(by)).alias("group")
    parts = buyers.select(group, **columns)
    return parts.group_by("group").agg(nw.col(*columns).sum())


def _metrics(sums: Row, totals: Row, window: float, cac: float | None) -> dict[str, float | None]:
    """Divide the sums of one group."""
    churn = _ratio(sums["gone"], sums["old"])
    life = lifespan_years(churn, window) if churn else None
    revenue, ltv = sums.get("revenue"), _ratio(sums.get("ltv"), sums["customers"])
    value, rate = _ratio(revenue, sums["orders"]), _ratio(sums["orders"], sums["years"])
    simple = None
    if value is not None and value >= 0 and rate is not None and life is not None:
        simple = ltv_simple(value, rate, life)
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
        "ltv_simple": simple,
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
    customers = [row["customers"] for row in rows]
    spent = math.fsum(row["cac"] * row["customers"] for row in rows)
    return _ratio(spent, math.fsum(customers))


def _check_costs(cac: float | Mapping[Any, float] | None, by: str | None) -> None:
    if isinstance(cac, Mapping) and by is None:
        raise ConfigError("a cac for each group needs by, the column of the groups")
    costs = cac if isinstance(cac, Mapping) else {"the base": 0.0 if cac is None else cac}
    for name, cost in costs.items():
        if not (math.isfinite(cost) and cost >= 0):
            raise ConfigError(f"cac must be a finite amount, 0 or more; got {cost!r} for {name}")
