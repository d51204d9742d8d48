"""Retraining as a scheduler does it: new data, data checks, kills at every step, two at once, and the way back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import lifestage as ls
from lifestage import registry
from lifestage.cli import app
from lifestage.core.errors import ConfigError, DataError, LockedError
from lifestage.jobs.model_spec import read_spec, spec_text
from lifestage.jobs.promotion import compare_forecasts
from lifestage.jobs.release_notes import population_stability
from lifestage.jobs.retrain import STEPS, retrain

if TYPE_CHECKING:
    from pathlib import Path

QUARTERS = ("1997-09-30", "1997-12-31", "1998-03-31")


@pytest.fixture(scope="module")
def log(cdnow: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "orders.parquet"
    cdnow.to_parquet(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, log: Path) -> Path:
    path = tmp_path / "models" / "shop"
    path.mkdir(parents=True)
    (path / "spec.toml").write_text(spec_text(str(log), {"period": "week"}), "utf-8")
    return path


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file()
    }


@pytest.mark.slow
def test_three_quarters_and_the_way_back(folder: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    done = []
    for until in QUARTERS:
        steps.clear()
        out = tmp_path / "out" if until == QUARTERS[-1] else None
        done.append(retrain(folder, until=until, out=out, step=lambda name, _: steps.append(name)))
        assert tuple(steps) == STEPS
    assert [each.outcome for each in done] == ["promoted"] * 3
    assert registry.versions(folder) == [each.version for each in done]
    assert "The first version" in done[0].release_notes
    assert "bg/nbd: better than the best baseline" in registry.read_text(
        folder, registry.versions(folder)[0], "card.md"
    )
    for before, after in pairwise(done):
        assert after.version is not None
        note = registry.read_text(folder, after.version, "release_notes.md")
        assert all(
            said in note for said in ("population stability", "Parameters", "before \\ after")
        )
        assert before.champion != after.champion
    known = ls.load(tmp_path / "out" / "model")
    assert str(known.data.until) == QUARTERS[-1]
    assert registry.rollback(folder) == done[1].version
    assert str(registry.load_version(folder).data.until) == QUARTERS[1]
    again = retrain(folder, until=QUARTERS[-1])
    assert again.outcome == "refused"
    assert again.data_checks.set_index("check")["passed"]["new days"] == np.False_


@pytest.fixture
def trained(folder: Path) -> Path:
    retrain(folder, until=QUARTERS[0])
    return folder


def harmed(cdnow: pd.DataFrame, harm: str) -> pd.DataFrame:
    late = pd.to_datetime(cdnow["date"]) > QUARTERS[0]
    if harm == "fewer":
        return cdnow[~late | (np.arange(len(cdnow)) % 5 == 0)]
    if harm == "dearer":
        return cdnow.assign(amount=cdnow["amount"] * np.where(late, 10.0, 1.0))
    if harm == "nameless":
        ids = cdnow["customer_id"].astype("Int64")
        return cdnow.assign(customer_id=ids.mask(np.arange(len(cdnow)) % 10 < 6))
    return cdnow[~late | (pd.to_datetime(cdnow["date"]) > "1997-11-15")]


@pytest.mark.parametrize(
    ("harm", "failed"),
    [
        ("fewer", "purchases per day, ratio"),
        ("dearer", "spend per purchase, ratio"),
        ("nameless", "missing ids, share"),
        ("silent", "days without an order"),
    ],
)
def test_bad_data_do_not_pass(trained: Path, cdnow: pd.DataFrame, harm: str, failed: str) -> None:
    spec = (trained / "spec.toml").read_text("utf-8")
    (trained / "spec.toml").write_text(spec.replace("[run]", "[run]\nmax_dropped = 0.9"), "utf-8")
    before = content(trained)
    found = retrain(trained, harmed(cdnow, harm), until=QUARTERS[1])
    assert found.outcome == "refused"
    checks = found.data_checks
    assert failed in checks.loc[~checks["passed"], "check"].tolist()
    after = content(trained)
    assert {name for name in after if after[name] != before.get(name)} <= {".lock"}


def test_a_log_that_ends_too_early_is_an_error(trained: Path) -> None:
    with pytest.raises(DataError, match="expected orders after 1997-09-30"):
        retrain(trained, until="1997-06-30")


def test_a_dry_run_writes_nothing(trained: Path) -> None:
    before = content(trained)
    found = retrain(trained, until=QUARTERS[1], dry_run=True)
    assert (found.outcome, found.version) == ("promoted", None)
    assert found.comparison is not None
    assert content(trained) == before


def test_who_is_not_promoted_is_stored_and_passed_over(trained: Path) -> None:
    first = registry.champion(trained)
    spec = (trained / "spec.toml").read_text("utf-8")
    (trained / "spec.toml").write_text(spec.replace('"not worse"', '"never"'), "utf-8")
    found = retrain(trained, until=QUARTERS[1])
    assert (found.outcome, found.champion) == ("kept", first)
    assert found.version in registry.versions(trained)
    assert registry.champion(trained) == first
    assert (
        retrain(trained, until=QUARTERS[1]).outcome == "refused"
    )  # it was judged, and nothing is new


def test_who_forecasts_better_wins(cdnow: pd.DataFrame, customers: ls.Summary) -> None:
    from dataclasses import replace

    from lifestage.data.customers.splits import split_purchases

    split = split_purchases(ls.summarize(cdnow, period="week"), horizon=39, origins=1)[0]
    good = ls.fit(customers, spend=None).purchases
    bad = replace(good, draws=good.draws | {"r": good.draws["r"] * 3})
    table = compare_forecasts(split, good, bad).set_index("loss")
    assert (table["low"] > 0).all()
    back = compare_forecasts(split, bad, good).set_index("loss")
    np.testing.assert_allclose(back["difference"], -table["difference"])
    chance = -np.mean(np.log(np.where(split.y > 0, (p := _chance(good, split)), 1 - p)))
    assert table.loc["log_loss", "champion"] == pytest.approx(chance)


def _chance(part: Any, split: Any) -> Any:
    from lifestage.families import bgnbd

    return bgnbd.p_purchase(split.horizon, split.x, split.t_x, split.T, **part.estimate)


def test_stability_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=20_000), rng.normal(0.5, 1, 20_000)
    edges = np.quantile(before, np.linspace(0, 1, 11)[1:-1])
    shares = [
        np.histogram(values, np.concatenate([[-np.inf], edges, [np.inf]]))[0] / 20_000
        for values in (before, after)
    ]
    expected = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()
    assert population_stability(before, after) == pytest.approx(expected, rel=1e-3)
    assert population_stability(np.zeros(50), np.ones(50)) > 1
    assert population_stability(before, before) == 0


@pytest.mark.slow
def test_who_is_kept_scores_the_customers_of_today(trained: Path, tmp_path: Path) -> None:
    spec = (trained / "spec.toml").read_text("utf-8")
    (trained / "spec.toml").write_text(spec.replace('"not worse"', '"never"'), "utf-8")
    assert retrain(trained, until=QUARTERS[1], out=tmp_path / "out").outcome == "kept"
    told = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    orders = pd.read_parquet(tmp_path / "out" / "customers.parquet")["orders"]
    assert told["data"]["until"] == QUARTERS[1]
    assert told["quality"]["rows_used"] > registry.load_version(trained).data.quality.rows_used  # type: ignore[union-attr]
    assert told["data"]["orders"] == orders.sum()
    params = told["fit"]["purchases"]["params"]
    assert params["r"] == pytest.approx(registry.load_version(trained).purchases.estimate["r"])
    assert ls.load(tmp_path / "out" / "model").data.until == date.fromisoformat(QUARTERS[1])


def stop_at_score(name: str, _: dict[str, Any]) -> None:
    if name == "score":
        raise KeyboardInterrupt


@pytest.mark.slow
def test_customers_that_a_failure_left_unscored_are_scored_next_time(
    trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        retrain(trained, until=QUARTERS[1], out=out, step=stop_at_score)
    assert not out.exists()
    assert retrain(trained, until=QUARTERS[1], out=out, dry_run=True).outcome == "refused"
    assert not out.exists()
    assert retrain(trained, until=QUARTERS[1], out=out).outcome == "refused"
    model = ls.load(out / "model")
    pd.testing.assert_frame_equal(model.params, registry.load_version(trained).params)
    before = content(out)
    assert retrain(trained, until=QUARTERS[1], out=out).outcome == "refused"
    assert content(out) == before  # and only once
    registry.rollback(trained)
    retrain(trained, until=QUARTERS[1], out=out)
    pd.testing.assert_frame_equal(
        ls.load(out / "model").params, registry.load_version(trained).params
    )
    assert not ls.load(out / "model").params.equals(model.params)


def test_a_place_for_customers_that_cannot_be_is_refused_at_once(
    folder: Path, tmp_path: Path
) -> None:
    before = content(folder)
    with pytest.raises(ConfigError, match="outside of the model"):
        retrain(folder, until=QUARTERS[0], out=folder / "out")
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ConfigError, match="left alone"):
        retrain(folder, until=QUARTERS[0], out=tmp_path)
    assert content(folder) == before


def test_forecasts_in_another_period_are_not_compared(trained: Path) -> None:
    spec = (trained / "spec.toml").read_text("utf-8")
    (trained / "spec.toml").write_text(spec.replace('period = "week"', 'period = "day"'), "utf-8")
    with pytest.raises(
        ConfigError, match="the period of the champion, week, in the specification; got day"
    ):
        retrain(trained, until=QUARTERS[1])


def test_a_young_log_has_a_first_version(folder: Path) -> None:
    found = retrain(folder, until="1997-03-15")
    assert found.version is not None
    assert "Not made: expected origins" in registry.read_text(folder, found.version, "card.md")


def test_a_long_stage_window_is_no_hindrance_to_forecasts_of_the_past(folder: Path) -> None:
    spec = (folder / "spec.toml").read_text("utf-8")
    (folder / "spec.toml").write_text(spec.replace("[run]", "[run]\nstage_window = 120"), "utf-8")
    first = retrain(folder, until="1997-05-20")
    assert first.version is not None
    assert "base rate" in registry.read_text(folder, first.version, "card.md")
    found = retrain(folder, until="1997-06-20")
    assert found.comparison is not None
    assert set(found.comparison["origin"]) == {"1997-03-21"}


def test_what_is_infinite_is_no_number_of_json(
    trained: Path, cdnow: pd.DataFrame, tmp_path: Path
) -> None:
    spec = (trained / "spec.toml").read_text("utf-8")
    open_ended = spec.replace("volume = [0.33, 3.0]", "volume = [0.0, inf]").replace(
        "max_gap_days = 14", "max_gap_days = 99"
    )
    (trained / "spec.toml").write_text(open_ended, "utf-8")
    day = pd.to_datetime(cdnow["date"])
    cdnow[(day < "1997-08-15") | (day > QUARTERS[0])].to_parquet(tmp_path / "pause.parquet")
    shown = CliRunner().invoke(
        app, ["retrain", str(trained), str(tmp_path / "pause.parquet"), "--until", "1997-10-20"]
    )
    assert shown.exit_code == 0, shown.output
    lines = [json.loads(line, parse_constant=_refuse) for line in shown.stdout.splitlines()]
    checks = next(line["data_checks"] for line in lines if "data_checks" in line)
    assert checks["purchases per day, ratio"] is None


KILLED = """
import os, signal, sys
from lifestage.jobs.retrain import retrain
def step(name, facts):
    if name == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
retrain(sys.argv[1], until=sys.argv[2], step=step)
"""

FEW = ("save", "promote")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize(
    "at", [each if each in FEW else pytest.param(each, marks=pytest.mark.slow) for each in STEPS]
)
def test_a_kill_at_any_step_leaves_the_champion(trained: Path, at: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(trained), QUARTERS[1], at], check=False
    )
    assert done.returncode == -signal.SIGKILL
    serving = registry.load_version(trained)
    promoted = STEPS.index(at) > STEPS.index("promote")
    assert str(serving.data.until) == (QUARTERS[1] if promoted else QUARTERS[0])
    for version in registry.versions(trained):
        registry.verify(trained, version)
    again = retrain(trained, until=QUARTERS[2])
    assert again.outcome == "promoted"
    assert not list(trained.glob(".partial-*"))


HOLDING = """
import sys, time
from lifestage import registry
with registry.lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_two_at_once_are_one_and_a_sentence(trained: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(trained)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"process {holder.pid}"):
        retrain(trained, until=QUARTERS[1])
    shown = CliRunner().invoke(app, ["retrain", str(trained), "--until", QUARTERS[1]])
    assert shown.exit_code == 5
    holder.communicate("\n")
    assert retrain(trained, until=QUARTERS[1]).outcome == "promoted"


@pytest.mark.slow
def test_the_command_line_tells_each_step_and_its_outcome(tmp_path: Path, log: Path) -> None:
    store = str(tmp_path / "models")
    call = CliRunner().invoke
    made = call(
        app,
        ["models", "init", "shop", "--orders", str(log), "--amount", "amount", "--store", store],
    )
    assert made.exit_code == 0, made.output
    assert call(app, ["models", "init", "shop", "--store", store]).exit_code == 1
    assert call(app, ["models", "init", "../shop", "--store", store]).exit_code == 1
    folder = f"{store}/shop"
    first = call(app, ["retrain", folder, "--until", QUARTERS[0]])
    assert first.exit_code == 0, first.output
    lines = [json.loads(line, parse_constant=_refuse) for line in first.stdout.splitlines()]
    assert [line["step"] for line in lines] == list(STEPS)
    assert call(app, ["retrain", folder, "--until", QUARTERS[0]]).exit_code == 4
    second = call(app, ["retrain", folder, "--until", QUARTERS[1], "--out", str(tmp_path / "out")])
    assert second.exit_code == 0, second.output
    assert (tmp_path / "out" / "report.html").exists()
    one, two = registry.versions(folder)
    assert "shop" in call(app, ["models", "list", "--store", store]).stdout
    shown = call(app, ["models", "show", "shop", "--store", store]).stdout
    assert f"* {two}" in shown
    assert "## Parameters" in shown
    assert "gamma-gamma" in call(app, ["models", "diff", "shop", one, two, "--store", store]).stdout
    assert one in call(app, ["models", "rollback", "shop", "--store", store]).stdout
    assert registry.champion(folder) == one
    assert call(app, ["models", "promote", "shop", two, "--store", store]).exit_code == 0
    assert registry.champion(folder) == two
    assert "Nothing to remove" in call(app, ["models", "prune", "shop", "--store", store]).stdout
    assert call(app, ["models", "show", "none", "--store", store]).exit_code == 1


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('customer = "id"', "customer"),
        ("[run]\nhorizons = 3", "horizons"),
        ("[data_checks]\nmax_missing_ids = 3", "max_missing_ids"),
        ('[promotion]\nrule = "best"', "rule"),
        ("[run]\nuntil = 1997-09-30", "until would train every version"),
        ("[run", "expected a TOML file"),
    ],
)
def test_a_specification_that_says_nonsense(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "spec.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=said):
        read_spec(tmp_path)


def test_a_specification_without_orders_is_refused_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text("", "utf-8")
    with pytest.raises(ConfigError, match="name them in spec"):
        retrain(tmp_path)
    assert os.listdir(tmp_path) == ["spec.toml"]
    with pytest.raises(ConfigError, match="expected a TOML file"):
        read_spec(tmp_path / "nowhere")
