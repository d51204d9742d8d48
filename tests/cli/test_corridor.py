"""The command line as a user meets it: files, exit codes, sentences."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

import lifestage as ls
from lifestage.cli import app

if TYPE_CHECKING:
    from pathlib import Path

runner = CliRunner()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "demo"
    result = runner.invoke(app, ["demo", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "2,357" in result.output
    return out


@pytest.fixture(scope="module")
def orders_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    ls.datasets.cdnow().to_csv(path, index=False)
    return path


def test_demo_writes_what_is_promised(demo: Path) -> None:
    assert {p.name for p in demo.iterdir()} == {
        "customers.parquet",
        "stages.csv",
        "summary.json",
        "report.html",
        "model",
    }
    summary = json.loads((demo / "summary.json").read_text("utf-8"))
    fit = summary["fit"]["purchases"]
    assert fit["log_likelihood"] == pytest.approx(-9582.429, abs=1e-3)
    assert fit["params"]["r"] == pytest.approx(0.2425945, abs=1e-3)
    assert fit["converged"] is True
    assert summary["data"]["customers"] == 2357
    assert summary["data"]["until"] == "1997-09-30"
    quality = summary["quality"]
    assert quality["rows_read"] == quality["rows_used"] + sum(quality["dropped"].values()) == 6919
    assert {"expected_purchases", "expected_revenue", "ltv"} <= set(summary["totals"])
    customers = pd.read_parquet(demo / "customers.parquet")
    assert len(customers) == 2357
    for taxonomy, column in (
        ("line", "activity_stage"),
        ("phase", "lifecycle_phase"),
        ("segment", "value_segment"),
    ):
        counts = customers[column].value_counts().to_dict()
        assert {k: v for k, v in summary["stages"][taxonomy].items() if v} == counts
        assert sum(counts.values()) == 2357
    assert summary["at_risk"]["customers"] == customers["at_risk"].sum()
    assert summary["totals"]["ltv"] == pytest.approx(customers["ltv"].sum(), rel=1e-9)
    stages = pd.read_csv(demo / "stages.csv")
    assert stages.groupby("taxonomy")["customers"].sum().eq(2357).all()
    assert ls.load(demo / "model").log_likelihood() == pytest.approx(-9582.429, abs=1e-3)


@pytest.mark.slow
def test_a_second_run_replaces_the_first_and_compares_with_it(demo: Path) -> None:
    result = runner.invoke(app, ["demo", "--out", str(demo), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["metric_changes"]
    assert [p.name for p in demo.parent.iterdir()] == ["demo"]


@pytest.mark.slow
def test_the_steps_one_by_one_equal_the_run(demo: Path, orders_csv: Path, tmp_path: Path) -> None:
    columns = [
        "--customer",
        "customer_id",
        "--time",
        "date",
        "--amount",
        "amount",
        "--until",
        "1997-09-30",
    ]
    fit = runner.invoke(app, ["fit", str(orders_csv), *columns, "--out", str(tmp_path / "model")])
    assert fit.exit_code == 0, fit.output
    scored = tmp_path / "scored.parquet"
    predict = runner.invoke(
        app,
        [
            "predict",
            str(orders_csv),
            *columns,
            "--model",
            str(tmp_path / "model"),
            "--out",
            str(scored),
        ],
    )
    assert predict.exit_code == 0, predict.output
    ours, theirs = (
        pd.read_parquet(p)
        .astype({"customer_id": int})
        .sort_values("customer_id", ignore_index=True)
        for p in (scored, demo / "customers.parquet")
    )
    pd.testing.assert_series_equal(ours["ltv"], theirs["ltv"], rtol=1e-9)
    report = runner.invoke(
        app,
        [
            "report",
            str(scored),
            "--model",
            str(tmp_path / "model"),
            "--lang",
            "zh-Hant",
            "--out",
            str(tmp_path / "r.html"),
        ],
    )
    assert report.exit_code == 0, report.output
    assert "嗜睡好友" in (tmp_path / "r.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["run", "nowhere.csv"], "nowhere.csv"),
        (["run", "{orders}", "--customer", "client"], "client"),
        (["run", "{orders}", "--purchases", "pareto"], "bg/nbd"),
        (["run", "{orders}", "--horizon", "-3"], "horizon"),
        (["run", "{orders}", "--until", "1990-01-01"], "1990-01-01"),
    ],
)
def test_errors_are_one_sentence_and_leave_nothing(
    args: list[str], sentence: str, orders_csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = runner.invoke(app, [a.format(orders=orders_csv) for a in args] + ["--out", str(out)])
    assert result.exit_code == 1, result.output
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_left_alone(orders_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    result = runner.invoke(
        app, ["run", str(orders_csv), "--until", "1997-09-30", "--out", str(tmp_path)]
    )
    assert result.exit_code == 1
    assert "left alone" in result.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_usage_errors_exit_with_two() -> None:
    assert runner.invoke(app, ["run"]).exit_code == 2


@pytest.mark.slow
def test_a_settings_file_is_read_and_options_override_it(orders_csv: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text('until = 1997-09-30\nperiod = "day"\nhorizon = 100\npurchases = "mbg/nbd"\n')
    result = runner.invoke(
        app,
        [
            "run",
            str(orders_csv),
            "--config",
            str(config),
            "--horizon",
            "30",
            "--out",
            str(tmp_path / "o"),
            "--json",
        ],
    )
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["fit"]["purchases"]["family"] == "mbg/nbd"
    assert summary["terms"]["horizon"] == 30
    assert summary["data"]["period"] == "day"
    config.write_text("horizont = 3\n")
    result = runner.invoke(
        app, ["run", str(orders_csv), "--config", str(config), "--out", str(tmp_path / "p")]
    )
    assert result.exit_code == 1
    assert "horizont" in result.stderr


def test_help_teaches_every_command() -> None:
    result = runner.invoke(app, ["--help"])
    for command in ("demo", "run", "fit", "predict", "report"):
        assert command in result.output
    assert "lifestage run orders.csv" in runner.invoke(app, ["run", "--help"]).output


@pytest.mark.parametrize(
    ("module", "light"), [("lifestage", ("typer",)), ("lifestage.cli", ())], ids=["package", "cli"]
)
def test_importing_loads_nothing_heavy(module: str, light: tuple[str, ...]) -> None:
    heavy = {"numba", "scipy", "pandas", "numpy", "pymc", "matplotlib", "duckdb", *light}
    code = f"import sys, {module}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(out.stdout.split())


@pytest.mark.slow
def test_a_run_can_draw_from_the_posterior_under_priors_of_ones_own(
    orders_csv: Path, tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        'method = "laplace"\nseed = 3\n\n[priors]\ndropout = "Beta(alpha=1, beta=3)"\n'
    )
    options = [
        "--until",
        "1997-09-30",
        "--config",
        str(config),
        "--draws",
        "400",
        "--out",
        str(tmp_path / "o"),
    ]
    result = runner.invoke(app, ["run", str(orders_csv), *options, "--json"])
    assert result.exit_code == 0, result.output
    fit = json.loads(result.stdout)["fit"]["purchases"]
    assert fit["method"] == "laplace"
    assert fit["params"]["r"] == pytest.approx(0.2426, rel=0.02)
    part = ls.load(tmp_path / "o" / "model").purchases
    assert part.size == 400
    assert "Beta" in str(part.priors["dropout"])
    config.write_text('[priors]\ndropout = "Beta(alpha=1, beta=3)"\n')
    result = runner.invoke(
        app, ["fit", str(orders_csv), "--config", str(config), "--out", str(tmp_path / "p")]
    )
    assert result.exit_code == 1
    assert "maximum likelihood has none" in result.stderr
