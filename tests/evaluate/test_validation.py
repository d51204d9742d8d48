"""The tests that a run makes of its own model, and what the report says of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.evaluate import ValidationResult, backtest, validate, validation
from lifestage.jobs.config import RunConfig
from lifestage.jobs.run import run

if TYPE_CHECKING:
    from pathlib import Path

WEEKS = {"period": "week"}


def told(
    staged: pd.DataFrame,
    model: ls.LTVModel,
    path: Path,
    found: ValidationResult | None,
    lang: str = "en",
) -> str:
    ls.write_report(staged, model, path, lang=lang, validation=found, currency="USD")
    text = path.read_text("utf-8").replace("\u202f", " ")
    sections = re.findall(r'<section id="validation".*?</section>', text, flags=re.S)
    return sections[0] if sections else ""


def test_a_log_that_goes_on_is_the_test(
    cdnow: pd.DataFrame, customers: ls.Summary, model: ls.LTVModel
) -> None:
    found = validate(cdnow, customers, model, WEEKS)
    assert found is not None
    assert found.backtest is not None
    assert found.drift is not None
    pd.testing.assert_frame_equal(
        found.backtest.table,
        backtest(cdnow, origins=["1997-09-30"], horizon=39, families=["bg/nbd"], **WEEKS).table,
    )
    assert len(found.drift.table) == 39
    assert (
        found.drift.table["cumulative_purchases"].iloc[-1]
        == customers.calendar.loc[  # type: ignore[union-attr]
            pd.to_datetime(customers.calendar["day"]) > "1997-09-30", "repeat_purchases"  # type: ignore[index]
        ].sum()
    )


def test_else_days_of_the_past_are(cdnow: pd.DataFrame) -> None:
    customers = ls.summarize(cdnow, period="week")
    model = ls.fit(customers, purchases="mbg/nbd", spend=None)
    found = validate(cdnow, customers, model, WEEKS)
    assert found is not None
    assert found.drift is None
    assert found.backtest is not None
    assert found.backtest.horizon == 19  # a quarter of 78 weeks, in whole ones
    assert found.backtest.table["origin"].nunique() == 2
    assert list(found.backtest.grades) == ["mbg/nbd"]
    table = found.backtest.table.set_index("forecast")
    assert table.loc["mbg/nbd", "revenue_mae"].isna().all()  # it has no model of spend
    one = validate(cdnow, customers, model, WEEKS, origins=1)
    assert one is not None
    assert one.backtest is not None
    assert set(one.backtest.table["origin"]) == {date(1998, 2, 17)}


def test_a_large_base_is_tested_on_request_only(
    cdnow: pd.DataFrame, customers: ls.Summary, model: ls.LTVModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "MAX_TESTED_CUSTOMERS", 2356)
    assert validate(cdnow, customers, model, WEEKS) is None
    assert validate(cdnow, customers, model, WEEKS, origins=0) is None
    assert validate(cdnow, customers, model, WEEKS, origins=1) is not None
    assert validate(cdnow, replace(customers, until=None), model, WEEKS, origins=1) is None


@pytest.mark.slow
def test_a_young_log_says_why_there_is_no_test(
    cdnow: pd.DataFrame, staged: pd.DataFrame, model: ls.LTVModel, tmp_path: Path
) -> None:
    young = cdnow[pd.to_datetime(cdnow["date"]) < "1997-02-10"]
    customers = ls.summarize(young, period="day")
    found = validate(young, customers, ls.fit(customers), {"period": "day"})
    assert found is not None
    assert found.backtest is None
    assert "8 weeks" in str(found.reason)
    assert "8 weeks" in told(staged, model, tmp_path / "report.html", found)
    assert told(staged, model, tmp_path / "report.html", None) == ""


def test_the_report_says_the_grade_and_what_came(
    cdnow: pd.DataFrame,
    staged: pd.DataFrame,
    customers: ls.Summary,
    model: ls.LTVModel,
    tmp_path: Path,
) -> None:
    found = validate(cdnow, customers, model, WEEKS)
    assert found is not None
    assert found.backtest is not None
    text = told(staged, model, tmp_path / "report.html", found)
    assert "BG/NBD: significantly better than the best simple rule" in text
    table = found.backtest.table.set_index("forecast")
    for name in ("bg/nbd", "days since last purchase"):
        assert f"{table.loc[name, 'auc']:.0%}" in text
    assert f"{table.loc['bg/nbd', 'mae']:.3f}" in text
    assert "Significantly more purchases than predicted: detected on" in text
    differences = found.backtest.differences.assign(low=0.1)[
        lambda rows: rows["loss"] == "purchases"
    ]
    graded = replace(found.backtest, grades={"bg/nbd": "worse"}, differences=differences)
    text = told(staged, model, tmp_path / "report.html", ValidationResult(graded), "zh-Hans")
    assert "在购买次数上显著不如简单规则" in text
    assert "每周购买次数" not in text


@pytest.mark.slow
def test_a_run_tests_what_it_fits(cdnow: pd.DataFrame, tmp_path: Path) -> None:
    settings = RunConfig(until="1997-09-30", purchases="mbg/nbd", calibrate=True, spend=None)  # type: ignore[arg-type]
    test = run(cdnow, tmp_path / "out", settings)["trust"]["backtest"]
    assert list(test["grades"]) == ["mbg/nbd", "mbg/nbd, recalibrated"]
    losses = {row["forecast"]: row["log_loss"] for row in test["forecasts"]}
    assert losses["mbg/nbd, recalibrated"] < losses["mbg/nbd"] < losses["base rate"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "MBG/NBD, recalibrated: significantly better than the best simple rule" in page
    none = run(cdnow, tmp_path / "out", settings.model_copy(update={"backtest": 0}))
    assert none["trust"] is None


def test_what_cannot_be_fitted_in_the_past_is_a_reason() -> None:
    rng = np.random.default_rng(1)
    late = pd.date_range("2024-12-01", "2024-12-31")
    days = [pd.Timestamp("2023-12-01"), *rng.choice(late.to_numpy(), 600)]
    orders = pd.DataFrame(
        {"customer_id": [0, *rng.integers(1, 400, 600)], "date": days, "amount": 10.0}
    )
    customers = ls.summarize(orders)
    found = validate(orders, customers, ls.fit(customers), {})
    assert found is not None
    assert found.backtest is None
    assert found.reason
