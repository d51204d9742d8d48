"""Units of time: every one gives the same model of the same customers, and comes back from a saved model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.core.period import PERIODS
from lifestage.jobs.config import read_config
from lifestage.report.words.translator import translator

if TYPE_CHECKING:
    from pathlib import Path

FORTNIGHT = ls.Period("fortnight", 14)
OTHERS = ["hour", "day", "month", "quarter", "year", FORTNIGHT, ls.Period("week", 5.0)]


@pytest.mark.parametrize("period", OTHERS, ids=str)
def test_a_unit_changes_no_forecast_and_survives_a_save(
    cdnow, customers, model, tmp_path: Path, period
) -> None:
    unit = ls.Period.parse(period)
    summary = ls.summarize(cdnow, until="1997-09-30", period=period)
    np.testing.assert_allclose(summary.table["T"] * unit.days, customers.table["T"] * 7, rtol=1e-12)
    fitted = ls.fit(summary)
    alpha, weeks = (each.purchases.estimate["alpha"] for each in (fitted, model))
    assert alpha * unit.days == pytest.approx(weeks * 7, rel=1e-6)
    back = ls.load(fitted.save(tmp_path / "m"))
    assert back.period == unit
    scores = back.predict(summary, horizon=364 / unit.days)
    expected = model.predict(customers, horizon=52)
    for name, error in {
        "p_alive": 1e-6,
        "p_purchase": 1e-6,
        "activity_ratio": 1e-6,
        "ltv": 1e-4,
        "ltv_high": 1e-4,
    }.items():
        np.testing.assert_allclose(scores[name], expected[name], rtol=error, err_msg=name)
    assert (
        scores["next_purchase_p50"] - expected["next_purchase_p50"]
    ).abs().max() <= pd.Timedelta(days=1)
    assert scores["horizon_days"].to_numpy() == pytest.approx(364)


def test_a_model_that_names_its_period_alone_can_be_read(model, tmp_path: Path) -> None:
    file = model.save(tmp_path / "m") / "model.json"
    raw = json.loads(file.read_text("utf-8"))
    del raw["data"]["period_days"]
    file.write_text(json.dumps(raw), "utf-8")
    assert ls.load(tmp_path / "m").period == ls.Period("week", 7.0)


def test_lengths() -> None:
    year = 365.25
    assert {name: year / days for name, days in PERIODS.items()} == pytest.approx(
        {"hour": 8766, "day": 365.25, "week": year / 7, "month": 12, "quarter": 4, "year": 1}
    )


@pytest.mark.parametrize("days", [0, -7, float("nan"), float("inf"), "7", None])
def test_a_period_has_a_length(days) -> None:
    with pytest.raises(ConfigError, match="days of the period sprint as a number above 0; got"):
        ls.Period("sprint", days)


def test_a_period_has_a_name_that_is_known() -> None:
    with pytest.raises(ConfigError, match="a period with a name"):
        ls.Period("", 7)
    for period in ("weeks", 7, None):
        with pytest.raises(
            ConfigError, match=r"one of hour, day, week, .* or a Period\(name, days\); got"
        ):
            ls.Period.parse(period)


def test_periods_of_one_name_are_told_apart(model, cdnow) -> None:
    summary = ls.summarize(cdnow, until="1997-09-30", period=ls.Period("week", 5.0))
    with pytest.raises(ConfigError, match="periods of a week; got week of 5 days"):
        model.predict(summary)


def test_settings_take_a_period_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('period = {name = "fortnight", days = 14}\n', "utf-8")
    assert read_config(tmp_path / "run.toml", {}).period == FORTNIGHT
    assert read_config(None, {"period": "quarter"}).period == "quarter"
    for wrong in ("weeks", {"name": "sprint", "days": -1}, {"name": "sprint"}):
        with pytest.raises(ConfigError, match="period"):
            read_config(None, {"period": wrong})


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", "4 quarters"), ("zh-Hant", "4 季"), ("zh-Hans", "4 个季度")],
    ids=["en", "hant", "hans"],
)
def test_a_report_says_every_unit(lang: str, words: str) -> None:
    t = translator(lang)
    assert t.periods(4, "quarter") == words
    assert "52" in t.periods(52, "hour")
    assert "fortnight" in t.periods(26, "fortnight")
    assert {t.name("units", name) for name in PERIODS}.isdisjoint(PERIODS)
