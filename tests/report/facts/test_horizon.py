"""The forecast of a large base from a random sample of it, against the forecast from all customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from lifestage.report.facts import horizon
from lifestage.report.facts.groups import at_risk_facts
from lifestage.report.facts.sample import sample_buyers

if TYPE_CHECKING:
    import lifestage as ls

TERMS = {"horizon": 52.0, "discount_rate": 0.1, "margin": 1.0, "level": 0.9}


@pytest.fixture(scope="module")
def whole(staged: pd.DataFrame, model: ls.LTVModel, customers: ls.Summary) -> dict[str, Any]:
    return horizon.horizon_facts(staged, model, customers, TERMS, 20.0)


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_a_sample_forecasts_what_the_base_forecasts(
    whole: dict[str, Any],
    staged: pd.DataFrame,
    model: ls.LTVModel,
    customers: ls.Summary,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
) -> None:
    monkeypatch.setattr(horizon, "MAX_SIMULATED", 700)
    monkeypatch.setattr(horizon, "MAX_WITH_INTERVALS", 400)
    frame = staged if engine == "pandas" else duckdb.connect().from_df(staged)
    some = horizon.horizon_facts(frame, model, customers, TERMS, 20.0)
    assert 250 < some["forecast"]["sample"] < 1_400
    sample, people = sample_buyers(frame, 700)
    bought = sample["expected_purchases"] * sample["expected_spend"]
    error = people * bought.std() * np.sqrt(1 / len(sample) - 1 / people)
    last, truth = (each["forecast"]["totals"][-1]["revenue"] for each in (some, whole))
    # means of 200 futures, of totals that vary by some 8 % (700 customers) and 5 %
    assert last == pytest.approx(people * bought.mean(), rel=0.025)
    assert truth == pytest.approx(
        (staged["expected_purchases"] * staged["expected_spend"]).sum(), rel=0.015
    )
    assert abs(last - truth) < 4 * error
    (cohorts,), (all_of_them,) = some["groups"], whole["groups"]
    found, truth = pd.DataFrame(cohorts["rows"]), pd.DataFrame(all_of_them["rows"])
    exact = ["customers", "past_margin", "ltv", "worth", "cac"]
    assert found["group"].tolist() == truth["group"].tolist()
    np.testing.assert_allclose(found[exact], truth[exact], rtol=1e-9)
    width = (found["worth_high"] - found["worth_low"]) / (truth["worth_high"] - truth["worth_low"])
    assert width.between(
        0.75, 1.33
    ).all()  # of the base; of the smaller sample it would be 2.4 times as wide
    assert (
        some["at_risk"]["customers"]
        == whole["at_risk"]["customers"]
        == int(staged["at_risk"].sum())
    )
    assert some["at_risk"] == whole["at_risk"]  # fewer than the sample may hold
    at_risk, fewer = staged[staged["at_risk"]], at_risk_facts(model, frame, TERMS, 60)
    bought = at_risk["expected_purchases"] * at_risk["expected_spend"]
    assert fewer is not None
    assert fewer["customers"] == len(at_risk)
    error = len(at_risk) * bought.std() * np.sqrt(1 / 60 - 1 / len(at_risk))
    assert fewer["revenue"] != whole["at_risk"]["revenue"]
    assert abs(fewer["revenue"] - whole["at_risk"]["revenue"]) < 4 * error


def test_a_group_without_sampled_customers_keeps_its_means(
    staged: pd.DataFrame, model: ls.LTVModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(horizon, "MAX_SIMULATED", 700)
    monkeypatch.setattr(horizon, "MAX_WITH_INTERVALS", 100)
    channel = np.where(np.arange(len(staged)) == 7, "kiosk", "web")
    rows = horizon.horizon_facts(staged.assign(channel=channel), model, None, TERMS, 20.0)[
        "groups"
    ][0]["rows"]
    kiosk = next(row for row in rows if row["group"] == "kiosk")
    assert kiosk["customers"] == 1
    assert kiosk["ltv"] == pytest.approx(staged["ltv"].iloc[7])
    assert kiosk["worth_low"] is None
