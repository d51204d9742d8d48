"""Maps of chances: planted errors are found, what is right is left alone, and no map has seen what it is judged on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import special

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.evaluate import recalibrate as calibration
from lifestage.fitting import recalibration
from lifestage.jobs.config import RunConfig
from lifestage.jobs.run import run
from lifestage.numerics.statistics import log_losses

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def mbg(customers: ls.Summary) -> ls.LTVModel:
    return ls.calibrate(ls.fit(customers, purchases="mbg/nbd"), customers)


def outcomes(cdnow: pd.DataFrame, customers: ls.Summary) -> np.ndarray[Any, Any]:
    then = ls.summarize(cdnow, period="week").table.set_index("customer_id")["frequency"]
    return (
        then.reindex(customers.table["customer_id"]) > customers.table["frequency"].to_numpy()
    ).to_numpy()


def test_it_beats_the_best_published_log_loss(
    cdnow: pd.DataFrame, customers: ls.Summary, mbg: ls.LTVModel, golden: dict[str, Any]
) -> None:
    known = golden["forecast benchmarks, CDNOW sample, 39-week holdout"]
    bought = outcomes(cdnow, customers)
    losses = {}
    for on in (False, True):
        found = mbg.predict(customers, horizon=39, calibrated=on)
        losses[on] = log_losses(found["p_purchase"].to_numpy(), bought).mean()
    assert losses[False] == pytest.approx(known["mbg/nbd"][4], abs=5e-4)
    best = min(
        row[4]
        for name, row in known.items()
        if name not in ("columns", "days since last purchase alone")
    )
    assert losses[True] < best - 0.005
    assert mbg.calibration is not None
    assert mbg.calibration.helps
    assert mbg.calibration.high < 0
    assert "helps and is used" in str(mbg.calibration)


def test_only_the_chance_changes_and_engines_agree(
    customers: ls.Summary, mbg: ls.LTVModel, cdnow: pd.DataFrame
) -> None:
    plain, better = (mbg.predict(customers, calibrated=on) for on in (False, True))
    pd.testing.assert_frame_equal(
        plain.drop(columns="p_purchase"), better.drop(columns="p_purchase")
    )
    assert plain["p_purchase"].rank().corr(better["p_purchase"].rank()) == pytest.approx(1.0)
    duck = ls.summarize(duckdb.from_df(cdnow), until="1997-09-30", period="week")
    other = mbg.predict(duck, calibrated=True).df().set_index("customer_id")["p_purchase"]
    np.testing.assert_allclose(
        other.reindex(better["customer_id"]), better["p_purchase"], rtol=1e-9
    )


def test_it_is_kept_with_the_model(customers: ls.Summary, mbg: ls.LTVModel, tmp_path: Path) -> None:
    mbg.save(tmp_path / "model")
    again = ls.load(tmp_path / "model")
    assert again.calibration == mbg.calibration
    pd.testing.assert_frame_equal(
        again.predict(customers, calibrated=True), mbg.predict(customers, calibrated=True)
    )


def test_planted_errors_are_undone_and_the_truth_is_left_alone() -> None:
    rng = np.random.default_rng(1)
    truth = rng.beta(1.0, 3.0, 40_000)
    bought = rng.random(truth.size) < truth
    wrong = special.expit(0.6 * special.logit(truth) - 0.4)
    for kind in recalibration.KINDS:
        mended = recalibration.calibrate_probability(
            kind, recalibration.fit_calibrator(kind, wrong, bought), wrong
        )
        assert np.abs(mended - truth).mean() < 0.012
        same = recalibration.calibrate_probability(
            kind, recalibration.fit_calibrator(kind, truth, bought), truth
        )
        assert np.abs(same - truth).mean() < 0.012
        few = recalibration.fit_calibrator(kind, truth[:1], bought[:1])
        assert 0 < recalibration.calibrate_probability(kind, few, truth[:1])[0] < 1


def test_steps_are_those_of_the_minimax_formula() -> None:
    """Isotonic regression at i is the largest over starts of the smallest over ends of the means around i."""
    rng = np.random.default_rng(2)
    chance = rng.choice(np.linspace(0.02, 0.98, 25), 40_000)
    bought = rng.random(chance.size) < chance**2 + 0.1 * np.sin(20 * chance)
    found = recalibration.fit_calibrator("isotonic", chance, bought)
    levels = np.unique(chance)
    groups = [bought[chance == level] for level in levels]
    for i, level in enumerate(levels):
        means = [
            [np.concatenate(groups[j : k + 1]).mean() for k in range(i, len(levels))]
            for j in range(i + 1)
        ]
        best = max(min(row) for row in means)
        assert recalibration.calibrate_probability("isotonic", found, np.array([level]))[
            0
        ] == pytest.approx(best, abs=1e-3)
    assert np.all(np.diff(found["q"]) >= 0)


def test_a_map_that_does_not_help_is_switched_off(customers: ls.Summary) -> None:
    model = ls.calibrate(ls.fit(customers), customers)
    assert model.calibration is not None
    assert not model.calibration.helps
    pd.testing.assert_frame_equal(
        model.predict(customers), model.predict(customers, calibrated=True)
    )


def maps(log: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, leak: bool) -> dict[str, float]:
    """The map that a calibration is judged with; where it leaks, learned on the forecasts that it is judged on."""
    honest, seen, given = recalibration.fit_calibrator, [], []

    def learn(kind: str, chance: Any, bought: Any) -> dict[str, Any]:
        seen.append(honest(kind, chance, bought))
        return seen[-1]

    def apply(_: str, values: Any, chance: Any) -> Any:
        given.append(values)
        return chance

    customers = ls.summarize(log, until="1997-09-30", period="week")
    model = ls.fit(customers, spend=None)
    with monkeypatch.context() as patch:
        patch.setattr(calibration, "fit_calibrator", learn)
        patch.setattr(calibration, "calibrate_probability", apply)
        if leak:
            patch.setattr(calibration, "split_purchases", lambda *a, **k: [split(*a, **k)[1]] * 2)
        ls.calibrate(model, customers)
    return dict(given[0])


split = calibration.split_purchases


def test_the_map_it_is_judged_with_has_not_seen_what_it_is_judged_on(
    cdnow: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = ls.summarize(cdnow, until="1997-09-30", period="week")
    found = ls.calibrate(ls.fit(customers, spend=None), customers).calibration
    assert found is not None
    later = pd.to_datetime(cdnow["date"]) > pd.Timestamp(found.judged)
    keep = ~later | (np.arange(len(cdnow)) % 2 == 0)
    planted = cdnow[keep]  # another future, the same past
    assert len(planted) < len(cdnow)
    assert maps(cdnow, monkeypatch, leak=False) == maps(planted, monkeypatch, leak=False)
    assert maps(cdnow, monkeypatch, leak=True) != maps(planted, monkeypatch, leak=True)


@pytest.mark.slow
def test_a_run_recalibrates_where_its_settings_say_so(
    cdnow: pd.DataFrame, mbg: ls.LTVModel, tmp_path: Path
) -> None:
    settings = {"until": "1997-09-30", "purchases": "mbg/nbd", "calibrate": True}
    run(cdnow, tmp_path / "out", RunConfig(**settings))
    kept = ls.load(tmp_path / "out" / "model").calibration
    assert kept is not None
    assert mbg.calibration is not None
    assert kept.helps
    assert kept.values == pytest.approx(mbg.calibration.values, rel=1e-6)
    found = pd.read_parquet(tmp_path / "out" / "customers.parquet").set_index("customer_id")[
        "p_purchase"
    ]
    customers = ls.summarize(cdnow, until="1997-09-30", period="week")
    expected = mbg.predict(customers, calibrated=True).set_index("customer_id")["p_purchase"]
    np.testing.assert_allclose(found.reindex(expected.index), expected, rtol=1e-6)


def test_what_it_needs_is_said(customers: ls.Summary, model: ls.LTVModel) -> None:
    with pytest.raises(ConfigError, match=r"ls\.calibrate"):
        model.predict(customers, calibrated=True)
    with pytest.raises(ConfigError, match="kind must be one of"):
        ls.calibrate(model, customers, kind="platt")
