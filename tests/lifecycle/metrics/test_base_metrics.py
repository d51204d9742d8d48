from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import METRICS, assign_stages, base_metrics, metric_changes
from tests.lifecycle.tables import KINDS, as_kind, random_scores, scores


def base(seed: int = 11, prospects: int = 0) -> pd.DataFrame:
    table = random_scores(seed, prospects=prospects)
    rng = np.random.default_rng(seed)
    bought = table["frequency"].notna()
    table["days_silent"] = pd.Series(rng.integers(0, 200, len(table)), dtype=float).where(bought)
    table["orders"] = (table["frequency"] + rng.integers(1, 3, len(table))).where(bought)
    table["revenue"] = pd.Series(rng.uniform(1, 90, len(table)).round(2)).where(bought)
    table["channel"] = rng.choice(["web", "shop", "門市"], len(table), p=[0.6, 0.3, 0.1])
    return table


def by_hand(
    table: pd.DataFrame, whole: pd.DataFrame, window: float, cac: float | None
) -> dict[str, float]:
    first = table["days_silent"] + (table["mean_gap_days"] * table["frequency"]).fillna(0)
    before = table[first >= window]
    churn = (before["days_silent"] >= window).mean()
    revenue, orders = table["revenue"].sum(), table["orders"].sum()
    rate = orders / (first.sum() / 365.25)
    life = window / 365.25 / churn
    again = table[table["frequency"] >= 1]
    return {
        "customers": len(table),
        "repurchase_rate": len(again) / len(table),
        "retention": 1 - churn,
        "churn": churn,
        "average_order_value": revenue / orders,
        "purchases_per_year": rate,
        "lifespan_years": life,
        "arppu": revenue / len(table),
        "cac": np.nan if cac is None else cac,
        "ltv": table["ltv"].mean(),
        "ltv_simple": revenue / orders * rate * life,
        "ltv_to_cac": np.nan if cac is None else table["ltv"].mean() / cac,
        "revenue": revenue,
        "repeat_revenue_share": again["revenue"].sum() / revenue,
        "revenue_share": revenue / whole["revenue"].sum(),
        "order_share": orders / whole["orders"].sum(),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [None, 40.0])
def test_total_and_channels(kind: str, window: float | None) -> None:
    table = base(prospects=5)
    metrics = base_metrics(as_kind(table, kind), by="channel", cac=12.0, churn_window_days=window)
    bought = table[table["frequency"].notna()]
    sizes = bought["channel"].value_counts()
    assert metrics["group"].tolist() == ["total", *sizes.index]
    assert metrics["scope"].tolist() == ["total", *["channel"] * 3]
    assert (metrics["churn_window_days"] == (window or 78.0)).all()
    for _, row in metrics.iterrows():
        mine = bought if row.scope == "total" else bought[bought["channel"] == row.group]
        wanted = by_hand(mine, bought, window or 78.0, 12.0)
        assert set(wanted) == set(METRICS)
        assert {name: row[name] for name in METRICS} == pytest.approx(wanted)
    assert metrics["revenue_share"].tolist()[0] == 1
    assert metrics["order_share"].iloc[1:].sum() == pytest.approx(1)


def test_works_on_staged_customers() -> None:
    table = base()
    pd.testing.assert_frame_equal(base_metrics(assign_stages(table)), base_metrics(table))


def test_window_counts_whole_days() -> None:
    # the window holds the last 30 days: day 30 lies before it, and 29 within
    silent = [30.0, 29.0, 30.0 - 1e-9, 60.0]
    table = scores(
        [
            {"x": 0, "silent": silent[0]},
            {"x": 0, "silent": silent[1]},
            {"x": 0, "silent": silent[2]},
        ]
    )
    table = pd.concat([table, scores([{"x": 2, "silent": 5.0, "gap": 40.0}])])
    row = base_metrics(table, churn_window_days=30).iloc[0]
    assert row["churn"] == pytest.approx(2 / 3)
    assert row["retention"] == pytest.approx(1 / 3)


def test_cost_by_channel() -> None:
    table = base()
    costs = {"web": 10.0, "shop": 20.0, "門市": 5.0}
    metrics = base_metrics(table, by="channel", cac=costs).set_index("group")
    mean = table["channel"].map(costs).mean()
    assert metrics.loc["total", "cac"] == pytest.approx(mean)
    assert metrics.loc["shop", "ltv_to_cac"] == pytest.approx(
        table[table["channel"] == "shop"]["ltv"].mean() / 20
    )
    partly = base_metrics(table, by="channel", cac={"web": 10.0}).set_index("group")["cac"]
    assert partly.loc["web"] == 10
    assert partly.drop("web").isna().all()


def test_what_cannot_be_known_is_null() -> None:
    row = base_metrics(base().drop(columns=["orders", "revenue", "ltv"])).iloc[0]
    for name in (
        "average_order_value",
        "arppu",
        "cac",
        "ltv",
        "ltv_simple",
        "ltv_to_cac",
        "revenue",
        "revenue_share",
    ):
        assert np.isnan(row[name])
    assert row["repurchase_rate"] > 0
    days = base()
    observed = days["days_silent"] + (days["mean_gap_days"] * days["frequency"]).fillna(0)
    assert row["purchases_per_year"] == pytest.approx(
        (days["frequency"] + 1).sum() / observed.sum() * 365.25
    )


def test_without_churn_a_life_has_no_end() -> None:
    row = base_metrics(scores([{"x": 2, "silent": 1.0, "gap": 90.0}])).iloc[0]
    assert row["churn"] == 0
    assert row["retention"] == 1
    assert np.isnan(row["lifespan_years"])
    young = base_metrics(scores([{"x": 0, "silent": 1.0}])).iloc[0]
    assert np.isnan(young["churn"])


def test_a_missing_channel_is_a_group() -> None:
    table = base()
    table.loc[:9, "channel"] = None
    metrics = base_metrics(table, by="channel")
    assert metrics["group"].isna().sum() == 1
    assert metrics["customers"].iloc[1:].sum() == len(table)


def test_the_door() -> None:
    with pytest.raises(ConfigError, match="churn_window_days"):
        base_metrics(base(), churn_window_days=0)
    with pytest.raises(ConfigError, match="cac"):
        base_metrics(base(), cac=-1)
    with pytest.raises(ConfigError, match="needs by"):
        base_metrics(base(), cac={"web": 1.0})
    with pytest.raises(DataError, match="columns missing: channel"):
        base_metrics(scores([{"x": 1}]), by="channel")
    with pytest.raises(DataError, match="no customer has bought"):
        base_metrics(scores([{"x": None, "r": None}, {"x": None, "r": None}]))


def test_changes_since_the_run_before() -> None:
    before = base_metrics(base(1), by="channel", cac=10.0)
    now = base_metrics(base(2), by="channel")
    now = now[now["group"] != "shop"]
    before = before[before["group"] != "web"]
    changes = metric_changes(now, before).set_index(["group", "metric"])
    assert len(changes) == 3 * len(METRICS)
    for group in ("total", "門市"):
        old, new = (float(t.set_index("group").loc[group, "revenue"]) for t in (before, now))
        row = changes.loc[(group, "revenue")]
        assert row["change"] == pytest.approx(new - old)
        assert row["relative_change"] == pytest.approx(new / old - 1)
    assert changes.loc["web"]["previous"].isna().all()
    assert np.isnan(changes.loc[("total", "cac"), "change"])
    with pytest.raises(DataError, match="previous"):
        metric_changes(now, pd.DataFrame())
