"""``lifestage lifecycle …`` as a marketer would run it, after a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

import lifestage as ls
from lifestage.cli import app

if TYPE_CHECKING:
    from pathlib import Path

PLAYBOOK = """
[[taxonomy.line.stage]]
key = "active"
actions = "Call <them>"
[[taxonomy.tempo.stage]]
key = "fast"
label = { en = "Fast", zh-Hant = "快" }
when = "R >= 0.7 and N >= 3"
[[taxonomy.tempo.stage]]
key = "rest"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("run")
    ls.datasets.cdnow().to_parquet(home / "orders.parquet")
    (home / "playbook.toml").write_text(PLAYBOOK, "utf-8")
    call(
        "run",
        home / "orders.parquet",
        "--until",
        "1997-09-30",
        "--playbook",
        home / "playbook.toml",
        "-o",
        home / "out",
    )
    return home


def call(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["forecast", "-m", "MODEL", "--points", "2", "--scenarios", "10"], "half_asleep"),
        (
            ["forecast", "-m", "MODEL", "--points", "1", "--scenarios", "10", "--transitions"],
            "next_stage",
        ),
        (["stage-entry-dates", "-m", "MODEL"], "asleep_on"),
        (["groups", "-m", "MODEL", "--cac", "20"], "1997-02"),
        (["budget", "--budget", "20", "--cost", "1", "--uplift", "0.1"], "expected_gain"),
        (["randomize", "--stage", "drowsy", "--seed", "3"], "treatment"),
        (["sample-size", "--uplift", "0.3"], "detectable_uplift"),
    ],
)
def test_every_table_can_be_printed_and_written(
    folder: Path, command: list[str], says: str
) -> None:
    rest = [str(folder / "out" / "model") if each == "MODEL" else each for each in command[1:]]
    start = ["lifecycle", command[0], folder / "out" / "customers.parquet"]
    assert says in call(*start, *rest)
    for ending in ("csv", "parquet"):
        out = folder / f"{command[0]}.{ending}"
        assert "Written to" in call(*start, *rest, "--out", out)
        assert len(pd.read_csv(out) if ending == "csv" else pd.read_parquet(out))


def test_from_assignment_to_readout(folder: Path) -> None:
    customers = folder / "out" / "customers.parquet"
    call(
        "lifecycle",
        "randomize",
        customers,
        "--stage",
        "drowsy",
        "--stage",
        "active",
        "--out",
        folder / "test.parquet",
    )
    test = pd.read_parquet(folder / "test.parquet")
    assert set(test["activity_stage"]) == {"drowsy", "active"}
    since = test.loc[test["group"] == "treatment", ["customer_id"]].assign(purchases=1)
    since.to_csv(folder / "since.csv", index=False)
    assert "bought" in call(
        "lifecycle", "analyze-experiment", folder / "test.parquet", folder / "since.csv"
    )
    test[test["group"] == "treatment"].to_parquet(folder / "half.parquet")
    told = call(
        "lifecycle", "analyze-experiment", folder / "half.parquet", folder / "since.csv", code=1
    )
    assert "missing: control" in told


def test_migration_of_a_run_to_itself(folder: Path) -> None:
    customers = folder / "out" / "customers.parquet"
    table = call("lifecycle", "migration", customers, customers)
    assert "reactivated" in table
    call(
        "lifecycle", "migration", customers, customers, "--customers", "--out", folder / "moved.csv"
    )
    assert not len(pd.read_csv(folder / "moved.csv"))
    assert "columns missing" in call(
        "lifecycle", "migration", customers, customers, "--column", "tier", code=1
    )


def test_tables_from_orders(folder: Path) -> None:
    orders = folder / "orders.parquet"
    table = call("lifecycle", "repurchase-curve", orders, "--day", "7", "--day", "30")
    assert "bought_again" in table
    (folder / "shop.toml").write_text('purchases = "mbg/nbd"\n', "utf-8")
    assert "suggested" in call("lifecycle", "thresholds", orders, "--config", folder / "shop.toml")


def test_a_backtest_leads_with_its_grade(folder: Path) -> None:
    told = call(
        "backtest",
        folder / "orders.parquet",
        "--origin",
        "1997-09-30",
        "--horizon",
        "39",
        "--family",
        "bg/nbd",
    )
    assert told.splitlines()[0].startswith("1 origin, horizon 39 weeks. bg/nbd: better")
    assert "days since last purchase" in told
    assert "is an origin" in call(
        "backtest", folder / "orders.parquet", "--origins", "9", "--horizon", "39", code=1
    )


@pytest.mark.slow
def test_why_value_changed(folder: Path) -> None:
    call("run", folder / "orders.parquet", "--until", "1997-12-31", "-o", folder / "later")
    call("lifecycle", "change", folder / "out", folder / "later", "--out", folder / "change.csv")
    table = pd.read_csv(folder / "change.csv").set_index("step")["ltv"]
    assert table.iloc[:-1].sum() == pytest.approx(table["after"], rel=1e-9)
    assert table["before"] == pytest.approx(
        pd.read_parquet(folder / "out" / "customers.parquet")["ltv"].sum()
    )


def test_a_playbook_reaches_every_output(folder: Path) -> None:
    out = folder / "out"
    stages = pd.read_csv(out / "stages.csv")
    assert stages.loc[stages["taxonomy"] == "tempo", "stage"].tolist() == ["fast", "rest"]
    assert stages.loc[stages["stage"] == "active", "actions"].tolist() == ["Call <them>"]
    page = (out / "report.html").read_text("utf-8")
    assert "Call &lt;them&gt;" in page
    assert "Call <them>" not in page
    counts = pd.read_parquet(out / "customers.parquet")["stage_tempo"].value_counts()
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert counts.sum() == summary["data"]["customers"]
    assert summary["stages"]["tempo"] == counts.to_dict()
    forecast = [
        row for row in summary["outlook"]["forecast"]["stages"] if row["taxonomy"] == "tempo"
    ]
    assert {row["stage"] for row in forecast} == {"fast", "rest"}
    assert page.count(">Fast<") >= 2  # today, and in the forecast
    (folder / "bad.toml").write_text("[taxonomy.line]\nwhen = 1\n", "utf-8")
    told = call(
        "run",
        folder / "orders.parquet",
        "--playbook",
        folder / "bad.toml",
        "-o",
        folder / "no",
        code=1,
    )
    assert "bad.toml" in told
    assert not (folder / "no").exists()
