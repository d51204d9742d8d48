"""The specification of a model: what is written reads back as it was, whatever the settings are."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lifestage.core.addresses import holds_password
from lifestage.core.errors import ConfigError
from lifestage.jobs.config import RunConfig, checked
from lifestage.jobs.model_spec import ModelSpec, read_spec, spec_text
from lifestage.lifecycle.stages.thresholds import Thresholds

EVERYTHING: dict[str, Any] = {
    "customer": "id", "time": 'the "day"', "amount": "a\\b", "quantity": "n", "order": "no", "channel": "k\tk",
    "table": "t", "earliest": "1997-01-01", "high_value": 0.9, "query": "select *\nfrom t -- 'all'", "tz": "Asia/Taipei", "drop_duplicates": True, "drop_zero": True,
    "max_dropped": 0.1, "stage_window": 40.0, "resolution": 0.5, "period": "day", "purchases": "mbg/nbd",
    "spend": "gamma-gamma", "method": "laplace", "draws": 500, "seed": 3, "priors": {"r": "gamma(2, 1)", "a.b": "x"},
    "calibrate": True, "backtest": 2, "horizon": 1e-3, "discount_rate": 0.0, "margin": 0.25, "level": 0.999999,
    "memory_limit": "4GB", "temp_directory": Path("tmp/here"), "threads": 2, "line_rule": "nes",
    "thresholds": Thresholds(awake=0.9, gaps=(1.0, 2.5, 4.0)), "playbook": Path("a b.toml"), "cac": 12.5,
    "currency": "NT$", "title": "Shop\n\"A\" – 顧客\r\n", "lang": "zh-Hant",
}  # fmt: skip


def read_back(text: str) -> ModelSpec:
    return checked(ModelSpec, tomllib.loads(text))


def test_every_setting_reads_back() -> None:
    assert set(EVERYTHING) | {"until"} == set(RunConfig.model_fields)
    spec = read_back(spec_text("orders/*.csv", EVERYTHING))
    assert spec == ModelSpec(orders="orders/*.csv", run=RunConfig(**EVERYTHING))


def test_nothing_set_is_everything_by_default() -> None:
    assert read_back(spec_text(None, dict.fromkeys(EVERYTHING))) == ModelSpec()


@given(
    st.text(st.characters(codec="utf-8")),
    st.dictionaries(st.text(st.characters(codec="utf-8")), st.text("a,'\"\n")),
)
def test_any_text_reads_back(text: str, priors: dict[str, str]) -> None:
    assume(not any(map(holds_password, [text, *priors])))
    spec = read_back(spec_text(text, {"title": text, "query": text, "priors": priors}))
    assert (spec.orders, spec.run.title, spec.run.query, spec.run.priors) == (
        text,
        text,
        text,
        priors,
    )


def test_a_day_to_stop_at_has_no_place_in_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="until would train every version"):
        spec_text(None, {"until": "1997-09-30"})
    (tmp_path / "spec.toml").write_text("[run]\nuntil = 1997-09-30\n", "utf-8")
    with pytest.raises(ConfigError, match="until would train every version"):
        read_spec(tmp_path)
