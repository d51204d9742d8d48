"""Cuts of the stages in the settings of a run: they reach the table, what is ahead, and the card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

import lifestage as ls
from lifestage import registry
from lifestage.cli import app
from lifestage.core.errors import ConfigError
from lifestage.jobs.config import RunConfig, read_config
from lifestage.jobs.retrain import retrain
from lifestage.jobs.run import run
from lifestage.lifecycle import Thresholds, stage_forecast

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
until = "1997-09-30"
backtest = 0
method = "laplace"
draws = 100

[thresholds]
awake = 0.85
drowsy = 0.6
frequent = 4
"""


@pytest.fixture
def settings(tmp_path: Path) -> RunConfig:
    (tmp_path / "shop.toml").write_text(SETTINGS, "utf-8")
    return read_config(tmp_path / "shop.toml", {})


@pytest.mark.slow
def test_they_reach_the_table_and_what_is_ahead(
    cdnow: pd.DataFrame, settings: RunConfig, tmp_path: Path
) -> None:
    limits = Thresholds(awake=0.85, drowsy=0.6, frequent=4)
    assert settings.thresholds == limits
    told = run(cdnow, tmp_path / "out", settings)
    staged = pd.read_parquet(tmp_path / "out" / "customers.parquet")
    active = staged["activity_ratio"] >= 0.85
    assert (staged.loc[active & (staged["frequency"] > 0), "activity_stage"] == "active").all()
    assert (staged.loc[staged["at_risk"], "frequency"] >= 3).all()  # four purchase days
    assert (
        told["stages"]["line"]
        == staged["activity_stage"]
        .value_counts()
        .reindex(told["stages"]["line"], fill_value=0)
        .to_dict()
    )
    low, high = told["stage_intervals"]["line"]["active"]
    assert low <= told["stages"]["line"]["active"] <= high
    model = ls.load(tmp_path / "out" / "model")
    here = [row for row in told["outlook"]["forecast"]["stages"] if row["taxonomy"] == "line"]
    ahead = stage_forecast(
        model, staged, horizon=52, points=12, scenarios=200, thresholds=limits
    ).stages
    ahead = ahead.set_index(["taxonomy", "periods", "stage"])["customers"]
    assert all(
        ahead["line", row["periods"], row["stage"]] == pytest.approx(row["customers"])
        for row in here
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("awak = 0.8", "thresholds.awak: unexpected"),
        ("awake = 0.1", "0 < asleep < drowsy < awake"),
        ("gaps = [3, 2, 1]", "three rising multiples"),
    ],
)
def test_what_is_no_rule_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(f"[thresholds]\n{text}\n", "utf-8")
    with pytest.raises(ConfigError, match=says):
        read_config(tmp_path / "shop.toml", {})


def test_a_specification_holds_them_and_the_card_tells_them(
    cdnow: pd.DataFrame, tmp_path: Path
) -> None:
    cdnow.to_parquet(tmp_path / "orders.parquet")
    made = CliRunner().invoke(app, ["models", "init", "shop", "--store", str(tmp_path / "models")])
    assert made.exit_code == 0, made.output
    folder = tmp_path / "models" / "shop"
    text = (folder / "spec.toml").read_text("utf-8")
    assert "\nawake = 0.7\n" in text.partition("[run.thresholds]")[2]
    (folder / "spec.toml").write_text(text.replace("awake = 0.7\n", "awake = 0.85\n"), "utf-8")
    version = retrain(folder, tmp_path / "orders.parquet", until="1997-09-30").version
    assert version is not None
    card = registry.read_text(folder, version, "card.md")
    assert "- awake: 0.85" in card
    assert "- line rule: activity_ratio" in card
