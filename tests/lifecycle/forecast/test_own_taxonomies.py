"""Taxonomies of a playbook in forecasts, probabilities and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.lifecycle import (
    Thresholds,
    read_playbook,
    stage_counts,
    stage_forecast,
    stage_probabilities,
)
from lifestage.lifecycle.stages.states import state_space
from lifestage.lifecycle.stages.taxonomies import built_in
from tests.lifecycle.playbooks import rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lifestage.lifecycle import Playbook

    Write = Callable[[str], Path]

LINE_AGAIN = """
[[taxonomy.copy.stage]]
key = "new"
when = "frequency <= 0.5 and activity_ratio >= awake"
[[taxonomy.copy.stage]]
key = "active"
when = "not R < 0.7"
[[taxonomy.copy.stage]]
key = "drowsy"
when = "0.45 <= R < 0.7"
[[taxonomy.copy.stage]]
key = "half_asleep"
when = "0.4 / 2 <= R"
[[taxonomy.copy.stage]]
key = "asleep"
"""

OWN = """
[[taxonomy.tempo.stage]]
key = "regulars"
when = "N == 5 or frequency > 6 and p_alive > 0.6"
[[taxonomy.tempo.stage]]
key = "valuable"
when = "high_value and R >= 0.33"
[[taxonomy.tempo.stage]]
key = "rest"
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    path = tmp_path_factory.mktemp("playbook") / "own.toml"
    path.write_text(LINE_AGAIN + OWN, "utf-8")
    return read_playbook(path)


@pytest.fixture(scope="module")
def staged(model: ls.LTVModel, customers: ls.Summary, book: Playbook) -> pd.DataFrame:
    return ls.assign_stages(model.predict(customers), playbook=book)


def test_the_states_of_the_built_in_rules() -> None:
    states = state_space(built_in().values(), Thresholds())
    assert states.purchase_days == (2.0, 3.0)
    assert states.activity_ratio == (0.7, 0.45, 0.2)
    assert states.p_alive == (0.1,)
    assert states.size == 48
    found = states.states_of(
        np.array([1.0, 2.0, 9.0]), np.array([1.0, 0.7, 0.1]), [0, 0, 1], np.array([1.0, 0.0, 0.1])
    )
    assert found.tolist() == [1, 16, 47]


def test_the_same_rules_make_the_same_forecast(
    model: ls.LTVModel, staged: pd.DataFrame, book: Playbook
) -> None:
    forecast = stage_forecast(model, staged, points=[26], scenarios=20, playbook=book)
    assert list(dict.fromkeys(forecast.stages["taxonomy"])) == [
        "line",
        "phase",
        "segment",
        "copy",
        "tempo",
    ]
    for table in (forecast.stages, forecast.transitions):
        line, copy = (table[table["taxonomy"] == name] for name in ("line", "copy"))
        pd.testing.assert_frame_equal(
            line.drop(columns="taxonomy").reset_index(drop=True),
            copy.drop(columns="taxonomy").reset_index(drop=True),
            check_dtype=False,
        )
    one, other = (
        stage_probabilities(model, staged, taxonomy=name, scenarios=50, playbook=book)
        for name in ("line", "copy")
    )
    pd.testing.assert_frame_equal(one.filter(like="p_"), other.filter(like="p_"), rtol=1e-6)


def test_own_stages_after_a_day_are_those_of_today(
    model: ls.LTVModel, staged: pd.DataFrame, book: Playbook
) -> None:
    table = stage_probabilities(
        model, staged, horizon=1 / 7, taxonomy="tempo", scenarios=200, playbook=book
    )
    keys = ["regulars", "valuable", "rest"]
    likely = np.array(keys)[table[[f"p_{key}" for key in keys]].to_numpy().argmax(axis=1)]
    assert (likely == staged["stage_tempo"]).mean() > 0.99
    now = stage_probabilities(model, staged, horizon=0, taxonomy="tempo", playbook=book)
    certain = now[[f"p_{key}" for key in keys]].to_numpy()
    assert (np.array(keys)[certain.argmax(axis=1)] == staged["stage_tempo"]).all()


def test_own_stages_are_counted(customers: ls.Summary, book: Playbook) -> None:
    model = ls.fit(customers, method="laplace", draws=50)
    staged = ls.assign_stages(model.predict(customers), playbook=book)
    table = stage_counts(model, staged, playbook=book).set_index(["taxonomy", "stage"])
    assert table.loc["copy"].to_dict("list") == table.loc["line"].to_dict("list")
    today = staged["stage_tempo"].value_counts()
    counts = table.loc["tempo"]
    assert (counts["low"] <= counts["high"]).all()
    assert (counts.mean(axis=1) - today.reindex(counts.index)).abs().max() < 50
    other = staged.assign(stage_tempo="rest")
    assert "tempo" not in set(stage_counts(model, other, playbook=book)["taxonomy"])


@pytest.mark.parametrize(
    "when",
    [
        "days_silent > 60",
        "at_risk",
        "activity_stage == 'active'",
        "R > p_alive",
        "R * 2 > 1",
        "N > days_silent",
        "high_value and 2 * R > N",
        "p_alive == 'a'",
    ],
)
def test_what_a_forecast_cannot_know(
    when: str, model: ls.LTVModel, staged: Any, write: Write
) -> None:
    path = write(rules(when, None))
    message = r"taxonomy tempo, stage a: expected N, .* got .* in the condition "
    for call in (stage_forecast, stage_probabilities):
        options = {"taxonomy": "tempo"} if call is stage_probabilities else {}
        with pytest.raises(ConfigError, match=message) as caught:
            call(model, staged, playbook=path, **options)
        assert str(caught.value).endswith(repr(when))
