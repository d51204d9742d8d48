"""What the stages compare a customer with is the model's: measured at the fit, carried, and read from the scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import TERMS
from lifestage.data.customers.compress import compress
from lifestage.lifecycle import Thresholds, realised_repurchase, stage_counts, stage_entry_dates
from lifestage.numerics.statistics import weighted_quantile
from lifestage.prediction.stage_facts import measure_stage_facts

OLD = Path(__file__).parents[1] / "reference" / "model_schema_1"
FRAME = ["customer_id", "frequency", "recency", "T", "monetary_value"]
STAGES = [
    "activity_stage",
    "lifecycle_phase",
    "value_segment",
    "at_risk",
    "cannot_lose",
    "at_risk_reason",
]


@pytest.mark.parametrize("share", [0.01, 0.5, 0.8, 0.95, 0.99])
def test_the_cut_is_the_quantile_of_the_buyers(
    model: ls.LTVModel, staged: pd.DataFrame, share: float
) -> None:
    value = (staged["frequency"] + 1) * staged["expected_spend"]
    assert model.high_value_cut(share) == pytest.approx(np.quantile(value, share), rel=1e-12)


def test_without_spend_it_is_in_purchase_days(customers: ls.Summary) -> None:
    bare = ls.fit(customers, spend=None)
    for share in (0.5, 0.8, 0.9):
        assert bare.high_value_cut(share) == np.quantile(customers.table["frequency"] + 1, share)


def test_buyers_who_paid_nothing_count(customers: ls.Summary, model: ls.LTVModel) -> None:
    table = customers.table.copy()
    table.loc[table["frequency"] == 1, "monetary_value"] = 0.0
    base = ls.Summary.from_frame(table[FRAME], period="week")
    scores = model.predict(base)
    facts = measure_stage_facts(model, compress(base), 200)
    value = (scores["frequency"] + 1) * scores["expected_spend"]
    percentiles = np.quantile(value, np.arange(1, 100) / 100)
    np.testing.assert_allclose(facts.value_percentiles, percentiles, rtol=1e-12)


def test_the_median_gap_is_that_of_the_repeat_buyers(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    often = customers.table[customers.table["frequency"] > 0]
    assert model.stage_facts is not None
    assert model.stage_facts.median_gap_days == pytest.approx(
        (often["recency"] / often["frequency"] * 7).median()
    )


@pytest.mark.parametrize("share", [0, 1, 80, 0.805, float("nan"), "0.8", None, True])
def test_other_shares_are_refused(model: ls.LTVModel, share: object) -> None:
    with pytest.raises(
        ConfigError, match=r"high_value must be a share from 0\.01 to 0\.99 in whole percents; got"
    ):
        model.high_value_cut(share)  # type: ignore[arg-type]


def test_weighted_quantiles_are_those_of_the_values_written_out() -> None:
    rng = np.random.default_rng(0)
    shares = np.linspace(0, 1, 41)
    for size in (1, 2, 7, 40):
        values, weights = rng.normal(size=size).round(1), rng.integers(1, 6, size)
        expected = np.quantile(np.repeat(values, weights), shares)
        np.testing.assert_allclose(
            weighted_quantile(values, weights, shares), expected, rtol=1e-12, atol=1e-12
        )


def test_the_scores_name_the_terms(model: ls.LTVModel, customers: ls.Summary) -> None:
    scores = model.predict(customers, high_value=0.9)
    assert list(scores.columns[-len(TERMS) :]) == list(TERMS)
    assert scores["high_value_cut"].unique().tolist() == [model.high_value_cut(0.9)]
    assert scores["stage_window_days"].unique().tolist() == [customers.stage_window]


# ---------------------------------------------------------------- whoever else is scored


@pytest.mark.parametrize("rule", ["activity_ratio", "nes"])
def test_a_part_of_the_base_has_the_stages_of_the_whole(
    model: ls.LTVModel, customers: ls.Summary, rule: str
) -> None:
    table = customers.table[FRAME]
    whole = ls.assign_stages(model.predict(customers), line_rule=rule).set_index("customer_id")[
        STAGES
    ]
    shuffled = table.sample(frac=1, random_state=1)
    batches = [shuffled.iloc[at : at + 200] for at in range(0, len(table), 200)]
    parts = [ls.assign_stages(model.predict(batch), line_rule=rule) for batch in batches]
    again = pd.concat(parts).set_index("customer_id")[STAGES]
    pd.testing.assert_frame_equal(again.reindex(whole.index), whole)
    for part in (
        table[table["frequency"] == 1],
        table[table["frequency"] >= 6],
        table[table["customer_id"] == 2332],
    ):
        found = ls.assign_stages(model.predict(part), line_rule=rule).set_index("customer_id")[
            STAGES
        ]
        pd.testing.assert_frame_equal(found, whole.reindex(found.index))


def test_orders_of_some_do_not_move_the_window(
    cdnow: pd.DataFrame, customers: ls.Summary, model: ls.LTVModel
) -> None:
    loyal = customers.table.loc[customers.table["frequency"] >= 6, "customer_id"]
    some = ls.summarize(cdnow[cdnow["customer_id"].isin(loyal)], until="1997-09-30", period="week")
    assert some.stage_window < customers.stage_window
    found = ls.assign_stages(model.predict(some)).set_index("customer_id")[STAGES]
    whole = ls.assign_stages(model.predict(customers)).set_index("customer_id")[STAGES]
    pd.testing.assert_frame_equal(found, whole.reindex(found.index))


def test_days_of_silence_do_not_depend_on_how_many_are_dated(
    customers: ls.Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "lifestage.lifecycle.forecast.silence.CELLS_PER_BLOCK", 20_000
    )  # a hundred rows at once
    drawn = ls.fit(customers, method="laplace", draws=200)
    scores = drawn.predict(customers)
    columns = ["drowsy_on", "half_asleep_on", "asleep_on", "review_on"]
    whole = stage_entry_dates(drawn, scores)[columns]
    some = stage_entry_dates(drawn, scores.iloc[::40])[columns]
    pd.testing.assert_frame_equal(some, whole.iloc[::40].reset_index(drop=True))


# ---------------------------------------------------------------- scores without the facts, or of two models


def test_a_model_of_schema_1_loads_and_says_what_its_stages_lack(
    customers: ls.Summary, tmp_path: Path
) -> None:
    old = ls.load(OLD)
    assert old.stage_facts is None
    scores = old.predict(customers)
    assert scores[["high_value_cut", "median_gap_days"]].isna().all(axis=None)
    with pytest.raises(
        DataError, match=r"expected high_value_cut .*refit the model, or give the cut"
    ):
        ls.assign_stages(scores)
    with pytest.raises(ConfigError, match="one saved before: refit it"):
        old.high_value_cut()
    new = ls.fit(customers)
    limits = Thresholds(high_value_cut=new.high_value_cut())
    with pytest.raises(DataError, match="expected median_gap_days"):
        ls.assign_stages(scores, thresholds=limits, line_rule="nes")
    staged = ls.assign_stages(scores, thresholds=limits)
    assert staged["value_segment"].equals(ls.assign_stages(new.predict(customers))["value_segment"])
    assert ls.load(old.save(tmp_path / "again")).stage_facts is None
    assert ls.load(new.save(tmp_path / "new")).stage_facts == new.stage_facts


def test_a_cut_of_the_thresholds_stays_in_the_table(customers: ls.Summary) -> None:
    drawn = ls.fit(customers, method="laplace", draws=50)
    staged = ls.assign_stages(drawn.predict(customers), thresholds=Thresholds(high_value_cut=200.0))
    assert staged["high_value_cut"].unique().tolist() == [200.0]
    assert set(stage_counts(drawn, staged)["taxonomy"]) == {
        "line",
        "phase",
        "segment",
    }  # by the rules of the table


def test_scores_under_two_windows_are_no_base(model: ls.LTVModel, customers: ls.Summary) -> None:
    staged = ls.assign_stages(model.predict(customers))
    staged.loc[5, "stage_window_days"] = 30.0
    with pytest.raises(
        DataError, match="expected one stage_window_days in the whole table; got 30 to 77"
    ):
        realised_repurchase(staged, customers)
    dated = stage_entry_dates(model, staged)  # a date is of its own row
    same = stage_entry_dates(model, staged.iloc[[5]])
    pd.testing.assert_frame_equal(dated.iloc[[5]].reset_index(drop=True), same)
