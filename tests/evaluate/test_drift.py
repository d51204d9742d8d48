"""Watching a model at work: silent on stable bases, quick where the rate has halved, and right about what came."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lifestage as ls
from lifestage.cli import app
from lifestage.core.errors import ConfigError, DataError
from lifestage.data.customers.log_options import LogOptions
from lifestage.data.customers.order_log import order_log
from lifestage.evaluate.drift import drift_since
from lifestage.evaluate.drift_signal import window_sums
from lifestage.families import bgnbd

if TYPE_CHECKING:
    from pathlib import Path

    from lifestage.evaluate import Drift

TRUTH = {"r": 0.8, "alpha": 4.0, "a": 0.5, "b": 4.0}
START, CUT = date(2023, 1, 2), date(2024, 1, 1)


def watched_log(
    seed: int, *, changes: date | None = None, customers: int = 1500, factor: float = 0.5
) -> pd.DataFrame:
    """Customers acquired over half a year and watched for two; from a day on everybody's rate is that much lower."""
    rng = np.random.default_rng(seed)
    born = np.floor(rng.uniform(0, 182, customers))
    lived = bgnbd.simulate_customers(rng, (1456 - born) / 7, **TRUTH)
    day = born[lived["customer"]] + 7 * lived["time"]
    if changes is not None:
        at = (changes - START).days
        day = np.where(day > at, at + (day - at) / factor, day)
    who = np.concatenate([np.arange(customers), lived["customer"]])
    day = np.floor(np.concatenate([born, day]))
    keep = day < 728
    dates = pd.Timestamp(START) + pd.to_timedelta(day[keep], "D")
    return pd.DataFrame({"customer_id": who[keep], "date": dates, "amount": 1.0})


def watch(log: pd.DataFrame, weeks: int = 26, **how: Any) -> Drift:
    customers = ls.summarize(log, until=CUT, period="week")
    model = ls.fit(customers, spend=None)
    return ls.drift(model, log, until=CUT + timedelta(weeks=weeks), **how)


def test_a_stable_base_is_left_in_peace() -> None:
    found = watch(watched_log(1))
    assert found.signals == ()
    assert "within the forecast band" in str(found)
    table = found.table
    inside = (table["purchases"] >= table["purchases_low"]) & (
        table["purchases"] <= table["purchases_high"]
    )
    assert inside.mean() > 0.8


def test_a_halved_rate_is_seen_and_dated() -> None:
    change = CUT + timedelta(weeks=10)
    found = watch(watched_log(2, changes=change))
    (signal,) = found.signals
    assert signal.direction == "fewer"
    assert change < signal.seen <= change + timedelta(weeks=8)
    assert abs((signal.since - change).days) <= 35
    assert "fewer purchases than predicted" in str(found)


def test_what_came_is_counted_from_the_log(
    cdnow: pd.DataFrame, customers: ls.Summary, model: ls.LTVModel
) -> None:
    found = ls.drift(model, cdnow, until="1998-03-31")
    last = found.table["end"].iloc[-1]
    then = ls.summarize(cdnow, until=last, period="week").table
    came = then["frequency"].sum() - customers.table["frequency"].sum()
    assert found.table["cumulative_purchases"].iloc[-1] == came == found.cohorts["purchases"].sum()
    spent = then["revenue"].sum() - customers.table["revenue"].sum()
    assert found.table["cumulative_revenue"].iloc[-1] == pytest.approx(spent)
    weeks = (last - date(1997, 9, 30)).days / 7
    expected = model.predict(customers, horizon=weeks)["expected_purchases"].sum()
    assert found.table["cumulative_purchases_expected"].iloc[-1] == pytest.approx(
        expected, rel=0.02
    )
    assert found.cohorts["customers"].tolist() == [781, 857, 719]
    assert [signal.direction for signal in found.signals] == ["more", "more"]  # the autumn of 1997
    duck = ls.drift(model, duckdb.from_df(cdnow), until="1998-03-31")
    assert [signal.seen for signal in duck.signals] == [signal.seen for signal in found.signals]
    np.testing.assert_allclose(duck.table["purchases"], found.table["purchases"])
    np.testing.assert_allclose(duck.cohorts["purchases"], found.cohorts["purchases"])


def test_customers_and_log_may_come_from_two_connections(cdnow: pd.DataFrame) -> None:
    # customers go on being acquired after the last day of the model, in its month too
    known, options = "1997-02-15", LogOptions(period="week")
    model = ls.fit(ls.summarize(cdnow, until=known, period="week"), spend=None)
    expected = ls.drift(model, cdnow, until="1997-04-26", scenarios=100).cohorts
    elsewhere = ls.summarize(duckdb.connect().from_df(cdnow), until=known, period="week")
    with order_log(duckdb.connect().from_df(cdnow), options) as log:
        found = drift_since(model, elsewhere, log, until="1997-04-26", scenarios=100).cohorts
    assert found["purchases"].tolist() == expected["purchases"].tolist()
    days = cdnow.drop_duplicates(["customer_id", "date"])
    since = days[days["date"].between("1997-02-16", "1997-04-26")]
    mine = since[since["customer_id"].isin(days.loc[days["date"] <= known, "customer_id"])]
    assert found["purchases"].sum() == len(mine)


def test_the_command_line_ends_with_a_code_where_it_has_drifted(
    cdnow: pd.DataFrame, model: ls.LTVModel, tmp_path: Path
) -> None:
    cdnow.to_csv(tmp_path / "orders.csv", index=False)
    saved = str(model.save(tmp_path / "model"))
    call = ["drift", saved, str(tmp_path / "orders.csv"), "--out", str(tmp_path / "weeks.csv")]
    shown = CliRunner().invoke(app, [*call, "--until", "1998-03-31"])
    assert shown.exit_code == 3, shown.output
    assert "more purchases than predicted" in shown.output
    assert len(pd.read_csv(tmp_path / "weeks.csv")) == 26
    assert CliRunner().invoke(app, [*call, "--until", "1997-10-14"]).exit_code == 0
    assert CliRunner().invoke(app, [*call, "--until", "1997-10-01"]).exit_code == 1


def test_windows_are_sums_of_steps() -> None:
    values = np.arange(1.0, 8.0)
    expected = [values[max(0, k - 2) : k + 1].sum() for k in range(7)]
    assert window_sums(values, 3).tolist() == expected
    assert window_sums(values[None], 7)[0].tolist() == values.cumsum().tolist()


def test_what_it_needs_is_said(
    cdnow: pd.DataFrame, customers: ls.Summary, model: ls.LTVModel
) -> None:
    early = cdnow[pd.to_datetime(cdnow["date"]) <= "1997-09-30"]
    with pytest.raises(DataError, match="at least a week of orders after 1997-09-30"):
        ls.drift(model, early)
    with pytest.raises(DataError, match="at least a week"):
        ls.drift(model, cdnow, until="1997-10-02")
    with pytest.raises(ConfigError, match="100 or more scenarios"):
        ls.drift(model, cdnow, scenarios=3)
    frame = customers.table[["customer_id", "frequency", "recency", "T", "monetary_value"]]
    unknown = ls.fit(ls.Summary.from_frame(frame, period="week"))
    with pytest.raises(DataError, match="last day is not known"):
        ls.drift(unknown, cdnow)


@pytest.mark.slow
def test_alarms_are_rare_without_and_quick_with_a_change() -> None:
    """At most 5 % of 200 stable bases; a halved rate of 1,500 customers within 8 weeks, 19 times of 20."""
    alarms = sum(
        bool(watch(watched_log(10_000 + seed), scenarios=300).signals) for seed in range(200)
    )
    assert alarms <= 10
    change = CUT + timedelta(weeks=10)
    delays = []
    for seed in range(20):
        signals = watch(watched_log(20_000 + seed, changes=change), scenarios=300).signals
        right = [s for s in signals if s.direction == "fewer" and s.seen > change]
        delays.append((right[0].seen - change).days if right else 999)
    assert np.mean(np.array(delays) <= 56) >= 0.95, sorted(delays)
