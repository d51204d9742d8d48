"""The model that is stored with the project: today's code loads it and says what was said when it was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lifestage as ls
from lifestage import registry
from lifestage.jobs.model_spec import read_spec

FOLDER = Path(__file__).parents[2] / "models" / "cdnow"
KNOWN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "cdnow_scores.json").read_text("utf-8")
)


def test_the_champion_scores_as_it_did(customers: ls.Summary) -> None:
    model = registry.load_version(FOLDER)
    staged = ls.assign_stages(model.predict(customers)).set_index("customer_id")
    for name, total in KNOWN["totals"].items():
        assert staged[name].sum() == pytest.approx(total, rel=1e-7)
    assert staged["activity_stage"].value_counts().to_dict() == KNOWN["stages"]
    for customer, known in KNOWN["customers"].items():
        row = staged.loc[int(customer)]
        assert row["activity_stage"] == known.pop("activity_stage")
        for name, value in known.items():
            right_to = 2e-5 if name in ("ltv_low", "ltv_high") else 1e-6  # quantiles of tables
            assert row[name] == pytest.approx(value, rel=right_to, abs=1e-9), (customer, name)


def test_it_is_what_a_fit_of_today_gives(model: ls.LTVModel) -> None:
    stored = registry.load_version(FOLDER)
    assert stored.log_likelihood() == pytest.approx(model.log_likelihood(), abs=1e-4)
    assert stored.purchases.estimate == pytest.approx(model.purchases.estimate, rel=1e-3)


def test_its_specification_is_read() -> None:
    spec = read_spec(FOLDER)
    assert (spec.run.period, spec.run.purchases, spec.promotion.rule) == (
        "week",
        "bg/nbd",
        "not worse",
    )
    version = registry.champion(FOLDER)
    assert version is not None
    assert "The optimiser converged" in registry.read_text(FOLDER, version, "card.md")
