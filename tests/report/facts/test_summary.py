"""The dict of a run against plain pandas over the same staged table, on every engine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lifestage as ls
from lifestage.core.errors import DataError
from lifestage.lifecycle.stages.taxonomies import column_of
from lifestage.report import summarize_run, write_report
from lifestage.report.facts.value_distribution import ltv_distribution
from lifestage.report.words.format import Numbers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def run(staged: pd.DataFrame, model: ls.LTVModel) -> dict[str, Any]:
    return summarize_run(staged, model, currency="USD", cac=10.0)


def test_own_taxonomies_are_counted_and_forecast_where_that_is_possible(
    model: ls.LTVModel, customers: ls.Summary, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        """
        [[taxonomy.tempo.stage]]
        key = "fast"
        when = "R >= 0.7 and N >= 3"
        [[taxonomy.tempo.stage]]
        key = "rest"
        [[taxonomy.silence.stage]]
        key = "quiet"
        when = "days_silent > 100"
        [[taxonomy.silence.stage]]
        key = "heard"
        """,
        "utf-8",
    )
    staged = ls.assign_stages(model.predict(customers), playbook=path)
    run = summarize_run(staged, model, playbook=path)
    for name in ("tempo", "silence"):
        assert run["stages"][name] == staged[f"stage_{name}"].value_counts().to_dict()
    forecast = {row["taxonomy"] for row in run["outlook"]["forecast"]["stages"]}
    assert forecast == {"line", "phase", "segment", "tempo"}


def test_it_is_plain_json(run: dict[str, Any]) -> None:
    assert json.loads(json.dumps(run, allow_nan=False)) == run


def test_counts_and_totals_are_those_of_the_table(
    run: dict[str, Any], staged: pd.DataFrame
) -> None:
    assert run["data"]["customers"] == 2357
    assert run["data"]["repeaters"] == 946
    assert run["data"]["until"] == "1997-09-30"
    assert run["data"]["period"] == "week"
    assert run["totals"]["ltv"] == pytest.approx(staged["ltv"].sum(), rel=1e-12)
    revenue = (staged["expected_purchases"] * staged["expected_spend"]).sum()
    assert run["totals"]["expected_revenue"] == pytest.approx(revenue, rel=1e-12)
    risky = staged[staged["at_risk"]]
    assert run["at_risk"]["customers"] == len(risky) > 0
    assert run["at_risk"]["value_lost"] == pytest.approx(risky["value_lost"].sum(), rel=1e-12)
    assert run["cannot_lose"]["customers"] == int(staged["cannot_lose"].sum())
    for name, counts in run["stages"].items():
        assert sum(counts.values()) == len(staged)
        assert {k: v for k, v in counts.items() if v} == staged[
            column_of(name)
        ].value_counts().to_dict()
    assert set(run["stages"]["line"]) == {
        "prospect",
        "new",
        "active",
        "drowsy",
        "half_asleep",
        "asleep",
    }


def test_rows_add_up_and_the_fit_is_told(run: dict[str, Any]) -> None:
    quality = run["quality"]
    assert quality["rows_read"] == 6919 == quality["rows_used"] + sum(quality["dropped"].values())
    fit = run["fit"]["purchases"]
    assert fit["family"] == "bg/nbd"
    assert fit["converged"]
    assert fit["log_likelihood"] == pytest.approx(-9582.429, abs=1e-3)
    assert fit["params"]["alpha"] == pytest.approx(4.4136, abs=1e-2)
    assert fit["aic"] == pytest.approx(8 - 2 * fit["log_likelihood"])
    assert set(run["fit"]["spend"]["independence"]) == {"all", "without_top_1_percent"}


def test_intervals_hold_their_totals(run: dict[str, Any]) -> None:
    for name, total in run["totals"].items():
        low, high = run["intervals"][name]
        assert 0 < low < total < high
        sigma = np.log(high / low) / (
            2 * 1.6448536269514722
        )  # of the lognormal with a 90 % interval from low to high
        assert (low * high) ** 0.5 * np.exp(sigma**2 / 2) == pytest.approx(total, rel=1e-6)


def test_concentration_and_bands_against_sorting(run: dict[str, Any], staged: pd.DataFrame) -> None:
    values = np.sort(staged["ltv"].to_numpy())[::-1]
    found = run["ltv_distribution"]
    for top, share in found["concentration"].items():
        k = float(top) * values.size
        whole = int(k)
        exact = (values[:whole].sum() + (k - whole) * values[whole]) / values.sum()
        assert share == pytest.approx(exact, abs=2e-3)
    for q, value in found["quantiles"].items():
        assert value == pytest.approx(np.quantile(values, float(q)), rel=1e-9)
    bars = found["histogram"]
    edges = [bar["low"] for bar in bars] + [np.inf]
    assert [bar["customers"] for bar in bars] == np.histogram(values, edges)[0].tolist()


def test_shares_of_equal_customers_are_equal() -> None:
    import narwhals as nw

    flat = nw.from_native(pd.DataFrame({"ltv": np.full(1000, 7.0)})).lazy()
    found = ltv_distribution(flat, 1000, 7000.0)
    assert found["concentration"] == {"0.01": 0.01, "0.05": 0.05, "0.1": 0.1, "0.2": 0.2}
    assert sum(bar["customers"] for bar in found["histogram"]) == 1000


def test_formulas_by_hand(run: dict[str, Any], staged: pd.DataFrame) -> None:
    found = run["formula_ltv"]
    value = staged["revenue"].sum() / staged["orders"].sum()
    rate = staged["orders"].sum() / (staged["T"].sum() * 7 / 365.25)
    assert found["same_horizon"] == pytest.approx(value * rate * 364 / 365.25)
    assert found["simple"] == pytest.approx(value * rate * found["lifespan_years"])
    assert found["base"] == pytest.approx(found["simple"] - 10.0)
    assert found["gaps"]["simple"] == pytest.approx(found["simple"] / staged["ltv"].mean() - 1)


@pytest.mark.parametrize(
    "engine",
    [pl.from_pandas, pa.Table.from_pandas, duckdb.from_df],
    ids=["polars", "arrow", "duckdb"],
)
def test_every_engine_tells_the_same(
    engine: Any, run: dict[str, Any], staged: pd.DataFrame, model: ls.LTVModel
) -> None:
    other = summarize_run(engine(staged), model, currency="USD", cac=10.0)
    assert same(other, {**run, "created": other["created"]})


def same(one: Any, two: Any) -> bool:
    if isinstance(one, dict):
        return set(one) == set(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == pytest.approx(two, rel=1e-9)) if isinstance(one, float) else one == two


def test_a_later_run_compares_with_an_earlier(
    run: dict[str, Any], staged: pd.DataFrame, model: ls.LTVModel
) -> None:
    before = json.loads(json.dumps(run))
    before["metrics"][0]["revenue"] /= 2
    later = summarize_run(staged, model, previous=before, cac=10.0)
    change = {
        row["metric"]: row["relative_change"]
        for row in later["metric_changes"]
        if row["scope"] == "total"
    }
    assert change["revenue"] == pytest.approx(1.0)
    assert change["orders" if "orders" in change else "churn"] == 0
    assert later["previous"]["totals"] == run["totals"]
    assert summarize_run(staged, model, previous={"old": "schema"})["metric_changes"] == []


def test_without_money_calendar_and_quality(customers: ls.Summary, model: ls.LTVModel) -> None:
    bare = replace(
        model,
        spend=None,
        data=replace(model.data, calendar=None, holdout=None, quality=None, until=None),
    )
    staged = ls.assign_stages(bare.predict(replace(customers, until=None), horizon=26))
    run = summarize_run(staged, bare)
    assert run["totals"]["ltv"] is None
    assert run["ltv_distribution"] is None
    assert run["formula_ltv"] is None
    assert run["at_risk"]["value_lost"] is None
    assert run["tracking"] == [] == run["holdout_fit"]
    assert run["quality"]["rows_read"] is None
    assert run["terms"]["horizon"] == 26
    assert list(run["intervals"]) == ["expected_purchases"]


def test_a_table_that_is_not_staged_is_refused(staged: pd.DataFrame, model: ls.LTVModel) -> None:
    with pytest.raises(DataError, match="activity_stage, at_risk"):
        summarize_run(staged.drop(columns=["activity_stage", "at_risk"]), model)
    with pytest.raises(DataError, match="no row"):
        summarize_run(staged.iloc[:0], model)


def test_contacts_count_as_prospects_only(staged: pd.DataFrame, model: ls.LTVModel) -> None:
    contacts = pd.DataFrame({"customer_id": [10**9, 10**9 + 1]}).astype(staged["customer_id"].dtype)
    more = ls.assign_stages(staged.drop(columns=["activity_stage"]), contacts=contacts)
    run = summarize_run(more, model)
    assert run["data"]["prospects"] == 2 == run["stages"]["line"]["prospect"]
    assert run["data"]["customers"] == 2357


@pytest.mark.slow
def test_stage_counts_have_intervals_where_there_are_draws(
    customers: ls.Summary, model: ls.LTVModel, staged: pd.DataFrame, tmp_path: Path
) -> None:
    assert summarize_run(staged, model)["stage_intervals"] is None
    drawn = ls.fit(customers, method="laplace", draws=100, seed=1)
    placed = ls.assign_stages(drawn.predict(customers))
    run = summarize_run(placed, drawn)
    low, high = run["stage_intervals"]["line"]["half_asleep"]
    assert low < run["stages"]["line"]["half_asleep"] < high
    page = write_report(placed, drawn, tmp_path / "page.html", summary=run).read_text("utf-8")
    assert f"({Numbers().integer(low)}–{Numbers().integer(high)})" in page
