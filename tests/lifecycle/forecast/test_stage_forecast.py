"""Forecasts of stages against analytic expectations, against the rules themselves, and against simulated futures."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.data.engines.frames import to_pandas
from lifestage.lifecycle import Thresholds, stage_forecast, stage_probabilities
from lifestage.lifecycle.forecast.base import read_base
from lifestage.lifecycle.forecast.simulate import simulate_base
from lifestage.lifecycle.stages.states import state_space
from lifestage.lifecycle.stages.taxonomies import built_in, column_of
from tests.lifecycle.worlds import world

LINE = ["active", "drowsy", "half_asleep", "asleep"]


@pytest.fixture(scope="module")
def staged(model: ls.LTVModel, customers: ls.Summary) -> pd.DataFrame:
    return ls.assign_stages(model.predict(customers, horizon=39))


def test_totals_are_the_expectations_of_the_model(model: ls.LTVModel, staged: pd.DataFrame) -> None:
    forecast = stage_forecast(model, staged, horizon=39, points=[13, 39], scenarios=300)
    last = forecast.totals.iloc[-1]
    revenue = (staged["expected_purchases"] * staged["expected_spend"]).sum()
    for name, expected in (("purchases", staged["expected_purchases"].sum()), ("revenue", revenue)):
        spread = (last[f"{name}_high"] - last[f"{name}_low"]) / (2 * 1.645)
        assert abs(last[name] - expected) < 4 * spread / np.sqrt(300) + 0.002 * expected
        assert last[f"{name}_low"] < expected < last[f"{name}_high"]
    assert forecast.totals["date"].astype(str).tolist() == ["1997-12-30", "1998-06-30"]


def test_counts_and_transitions_add_up_to_the_base(
    model: ls.LTVModel, staged: pd.DataFrame
) -> None:
    forecast = stage_forecast(model, staged, horizon=26, points=2, scenarios=20)
    assert set(forecast.stages["taxonomy"]) == {"line", "phase", "segment"}
    sums = forecast.stages.groupby(["taxonomy", "periods"])["customers"].sum()
    np.testing.assert_allclose(sums, len(staged))
    for taxonomy in ("line", "phase", "segment"):
        moves = forecast.transitions[
            (forecast.transitions["taxonomy"] == taxonomy) & (forecast.transitions["periods"] == 26)
        ]
        today = staged[column_of(taxonomy)].value_counts()
        came = moves.groupby("stage")["customers"].sum()
        np.testing.assert_allclose(came[today.index], today)
        stages = forecast.stages[
            (forecast.stages["taxonomy"] == taxonomy) & (forecast.stages["periods"] == 26)
        ]
        np.testing.assert_allclose(
            moves.groupby("next_stage")["customers"].sum()[stages["stage"]],
            stages["customers"],
            atol=1e-9,
        )
        np.testing.assert_allclose(moves["revenue"].sum(), forecast.totals["revenue"].iloc[-1])


def test_the_rules_of_the_simulation_are_those_of_staging(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    """Where hardly anybody can buy, everybody ends up where scoring on that day would put them."""
    staged = ls.assign_stages(model.predict(customers))
    limits, taxonomies = Thresholds(), tuple(built_in().values())
    states = state_space(taxonomies, limits)
    _, base, _ = read_base(staged, taxonomies, limits)
    later = to_pandas(customers.table).assign(T=lambda table: table["T"] + 1 / 7)
    scored = ls.assign_stages(
        model.predict(
            ls.Summary.from_frame(later, period="week", stage_window=customers.stage_window)
        )
    )
    simulated = simulate_base(
        model, base, np.array([1 / 7]), states=states, scenarios=400, seed=1, by_customer=True
    )
    for taxonomy, stage_of_state in states.stage_of_states(taxonomies, limits).items():
        keys = np.array(built_in()[taxonomy].keys)
        probabilities = np.zeros((len(staged), keys.size))
        for place in range(keys.size):
            by_state = simulated.probabilities[:, 0]
            probabilities[:, place] = by_state[:, stage_of_state == place].sum(axis=1)
        likely = keys[probabilities.argmax(axis=1)]
        agree = likely == scored[column_of(taxonomy)].to_numpy()
        assert agree.mean() > 0.99  # but for interpolation on the very day of a change


def test_engines_and_seeds(model: ls.LTVModel, staged: pd.DataFrame) -> None:
    relation = duckdb.connect().from_df(staged)
    one, other = (
        stage_forecast(model, table, horizon=13, points=1, scenarios=10)
        for table in (staged, relation)
    )
    pd.testing.assert_frame_equal(
        one.stages[["stage", "customers"]], other.stages[["stage", "customers"]], rtol=0.05, atol=15
    )
    again = stage_forecast(model, staged, horizon=13, points=1, scenarios=10)
    pd.testing.assert_frame_equal(one.stages, again.stages)
    few = stage_forecast(model, staged, horizon=13, points=1, scenarios=50, sample=800)
    assert few.sample == 800
    np.testing.assert_allclose(few.stages.groupby("taxonomy")["customers"].sum(), len(staged))


def test_probabilities_today_are_certain_without_draws_and_spread_with_them(
    model: ls.LTVModel, customers: ls.Summary, staged: pd.DataFrame
) -> None:
    now = stage_probabilities(model, staged, horizon=0)
    certain = now.filter(like="p_").to_numpy()
    assert set(np.unique(certain)) == {0.0, 1.0}
    place = certain.argmax(axis=1)
    assert (np.array(["new", *LINE])[place] == now["activity_stage"]).all()
    laplace = ls.fit(customers, method="laplace", draws=100)
    spread = stage_probabilities(
        laplace, ls.assign_stages(laplace.predict(customers)), horizon=0
    ).filter(like="p_")
    np.testing.assert_allclose(spread.sum(axis=1), 1, atol=1e-6)
    assert ((spread > 0.01) & (spread < 0.99)).any(axis=None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": 0}, "1 or more points"),
        ({"points": [3, 2]}, "rising numbers of periods"),
        ({"scenarios": 1}, "2 or more scenarios"),
        ({"level": 1.0}, "level in"),
    ],
)
def test_options_are_checked(
    model: ls.LTVModel, staged: pd.DataFrame, options: dict, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        stage_forecast(model, staged, **options)


def test_without_a_spend_model_there_is_no_money(customers: ls.Summary) -> None:
    bare = ls.fit(customers, spend=None)
    forecast = stage_forecast(
        bare, ls.assign_stages(bare.predict(customers)), horizon=13, points=1, scenarios=10
    )
    assert forecast.totals["revenue"].eq(0).all()
    assert forecast.totals["purchases"].iloc[0] > 0


@pytest.mark.slow
def test_probabilities_of_stages_are_calibrated() -> None:
    """Within 2 points in each tenth of the customers."""
    base = world(60_000, seed=11)
    model = ls.fit(base.now)
    probabilities = stage_probabilities(
        model, ls.assign_stages(model.predict(base.now)), horizon=13, scenarios=400
    )
    then = ls.assign_stages(model.predict(base.then))[["customer_id", "activity_stage"]]
    both = probabilities.merge(then, on="customer_id", suffixes=("", "_then"))
    assert len(both) == len(probabilities) > 50_000
    for stage in LINE:
        tenth = pd.qcut(both[f"p_{stage}"].rank(method="first"), 10)
        table = both.assign(is_so=both["activity_stage_then"] == stage).groupby(
            tenth, observed=True
        )
        gap = (table[f"p_{stage}"].mean() - table["is_so"].mean()).abs()
        assert table.size().min() >= 500
        assert gap.max() < 0.02, (stage, gap)


@pytest.mark.slow
def test_intervals_of_a_base_cover_what_happens() -> None:
    inside: dict[str, list[bool]] = {name: [] for name in (*LINE, "purchases", "revenue")}
    for seed in range(100):
        base = world(2500, seed=1000 + seed)
        model = ls.fit(base.now)
        forecast = stage_forecast(
            model, ls.assign_stages(model.predict(base.now)), horizon=13, points=1, seed=seed
        )
        then = ls.assign_stages(model.predict(base.then))["activity_stage"].value_counts()
        line = forecast.stages[forecast.stages["taxonomy"] == "line"].set_index("stage")
        for stage in LINE:
            low, high = line.loc[stage, ["customers_low", "customers_high"]]
            inside[stage].append(bool(low <= then.get(stage, 0) <= high))
        for name, value in (("purchases", base.purchases), ("revenue", base.revenue)):
            inside[name].append(
                bool(
                    forecast.totals[f"{name}_low"][0] <= value <= forecast.totals[f"{name}_high"][0]
                )
            )
    shares = {name: float(np.mean(found)) for name, found in inside.items()}
    assert 0.85 <= np.mean(list(shares.values())) <= 0.95, shares
    assert all(0.82 <= share <= 0.98 for share in shares.values()), shares
