"""Save and load: the same model comes back, no customer is in the files, damage is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, RegistryError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_loaded_model_scores_the_same(
    tmp_path: Path, model: ls.LTVModel, customers: ls.Summary
) -> None:
    model.save(tmp_path / "m")
    back = ls.load(tmp_path / "m")
    pd.testing.assert_frame_equal(back.predict(customers), model.predict(customers))
    pd.testing.assert_frame_equal(back.params, model.params)
    assert back.status == model.status
    assert back.data.quality == model.data.quality
    assert back.data.gaps == model.data.gaps
    assert back.data.until == model.data.until
    pd.testing.assert_frame_equal(back.data.calendar, model.data.calendar, check_dtype=False)


def test_saving_again_replaces_the_folder_and_leaves_nothing_beside_it(
    tmp_path: Path, model: ls.LTVModel
) -> None:
    for _ in range(2):
        model.save(tmp_path / "m")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]
    assert {p.name for p in (tmp_path / "m").iterdir()} == {
        "model.json",
        "purchases.parquet",
        "spend.parquet",
    }


def test_no_customer_is_in_the_file(tmp_path: Path) -> None:
    from tests.simulated import simulate_base

    table = simulate_base(500, seed=1).table
    table["customer_id"] = [f"secret-{i}" for i in table["customer_id"]]
    ls.fit(ls.Summary.from_frame(table, period="week")).save(tmp_path / "m")
    for file in (tmp_path / "m").iterdir():
        assert b"secret" not in file.read_bytes()


@pytest.mark.parametrize("damage", ["missing", "truncated", "newer", "draws"])
def test_damage_is_told_in_a_sentence(tmp_path: Path, model: ls.LTVModel, damage: str) -> None:
    folder = model.save(tmp_path / "m")
    if damage == "missing":
        (folder / "model.json").unlink()
    elif damage == "truncated":
        (folder / "model.json").write_text((folder / "model.json").read_text()[:100])
    elif damage == "newer":
        raw = json.loads((folder / "model.json").read_text())
        (folder / "model.json").write_text(json.dumps(raw | {"schema": 99}))
    else:
        (folder / "purchases.parquet").write_bytes(b"PAR1")
    with pytest.raises(RegistryError, match="schema 99" if damage == "newer" else "saved model"):
        ls.load(folder)


def test_what_a_notebook_shows(model: ls.LTVModel) -> None:
    assert "bg/nbd + gamma-gamma" in repr(model)
    assert "2,357 customers" in repr(model)
    assert "<table" in model._repr_html_()
    with pytest.raises(ConfigError, match="purchases, spend"):
        model.log_likelihood("money")
