"""The outlook of a large base, told from customers drawn by lot, against the outlook of them all."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.report import outlook

TERMS = {"horizon": 52.0, "discount_rate": 0.1, "margin": 1.0, "level": 0.9}


@pytest.fixture(scope="module")
def whole(staged: pd.DataFrame, model: ls.LTVModel, customers: ls.Summary) -> dict[str, Any]:
    return outlook.outlook(staged, model, customers, TERMS, 20.0)


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_a_sample_tells_what_the_base_tells(
    whole: dict[str, Any],
    staged: pd.DataFrame,
    model: ls.LTVModel,
    customers: ls.Summary,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
) -> None:
    monkeypatch.setattr(outlook, "SAMPLE", 700)
    monkeypatch.setattr(outlook, "SPREAD", 400)
    frame = staged if engine == "pandas" else duckdb.connect().from_df(staged)
    some = outlook.outlook(frame, model, customers, TERMS, 20.0)
    assert 250 < some["forecast"]["sample"] < 1_400
    for found, truth in zip(some["forecast"]["totals"], whole["forecast"]["totals"], strict=True):
        assert found["revenue"] == pytest.approx(truth["revenue"], rel=0.3)
    (cohorts,), (all_of_them,) = some["groups"], whole["groups"]
    found, truth = pd.DataFrame(cohorts["rows"]), pd.DataFrame(all_of_them["rows"])
    exact = ["customers", "past_margin", "ltv", "worth", "cac"]
    assert found["group"].tolist() == truth["group"].tolist()
    np.testing.assert_allclose(found[exact], truth[exact], rtol=1e-9)
    width = (found["worth_high"] - found["worth_low"]) / (truth["worth_high"] - truth["worth_low"])
    assert width.between(0.5, 1.5).all()  # of the base, not of the smaller sample
    assert some["at_risk"]["customers"] == whole["at_risk"]["customers"] == int(staged["at_risk"].sum())
    assert some["at_risk"]["revenue"] == pytest.approx(whole["at_risk"]["revenue"], rel=0.5)


def test_a_group_that_the_lot_missed_keeps_its_means(
    staged: pd.DataFrame, model: ls.LTVModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "SAMPLE", 700)
    monkeypatch.setattr(outlook, "SPREAD", 100)
    channel = np.where(np.arange(len(staged)) == 7, "kiosk", "web")
    rows = outlook.outlook(staged.assign(channel=channel), model, None, TERMS, 20.0)["groups"][0]["rows"]
    kiosk = next(row for row in rows if row["group"] == "kiosk")
    assert kiosk["customers"] == 1
    assert kiosk["ltv"] == pytest.approx(staged["ltv"].iloc[7])
    assert kiosk["worth_low"] is None
