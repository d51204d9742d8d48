"""No address with a password is used, printed, stored or made into a name; it is refused before anything is done."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import lifestage as ls
from lifestage.cli import app
from lifestage.core.addresses import address_of, local_path, split_table
from lifestage.core.errors import ConfigError
from lifestage.jobs.config import RunConfig, read_config
from lifestage.jobs.model_spec import read_spec, spec_text
from lifestage.jobs.retrain import retrain
from lifestage.jobs.run import run
from lifestage.registry import model_folder

SECRET = "hunter2"
WITH_PASSWORD = [
    "postgresql://shop:hunter2@db/x",
    "POSTGRESQL://shop:hunter2@db/x",
    "postgres://:hunter2@db/x",
    " postgresql://shop:hunter2@db/x",
    "postgresql://shop:hun@hunter2@db/x",
    "postgresql://shop:hunter2/@db/x",
    "postgresql://shop:1?hunter2@db/x",
    "postgresql://shop:hunter2#@db/x",
    "postgresql://shop:hunter2 @db/x",
    "postgresql://shop%3Ahunter2@db/x",
    "postgresql://shop%3Ahunter2%40db/x",
    "postgresql://db/x?password=hunter2",
    "postgresql://db/x?PASSWORD=hunter2",
    "postgresql://db/x?pass%77ord=hunter2",
    "postgresql://db/x?user=a&sslpassword=hunter2",
    "postgresql:/shop:hunter2@db/x",
    "postgresql:shop:hunter2@db/x",
    "postgresql//shop:hunter2@db/x",
    "postgresql+psycopg2://shop:hunter2@db/x",
    "jdbc:postgresql://db/x?user=shop&password=hunter2",
    "mysql://shop:hunter2@db/x",
    "s3://key:hunter2@bucket/x.csv",
    "https://shop:hunter2@host/x.csv",
    "host=db password=hunter2 dbname=x",
    "password = 'hunter2' host=db",
    "shop:hunter2@db/x",
    "shop:hunter2@db:5432",
    "//shop:hunter2@db/x",
    "postgresql:/db/x?password=hunter2",
    "Server=db;User=x;Pwd=hunter2",
    "md:x?motherduck_secret=hunter2",
]
SOME = [WITH_PASSWORD[i] for i in (0, 1, 8, 15, 23, 25)]
"""One of each kind for tests that do more."""


@pytest.mark.parametrize("place", WITH_PASSWORD)
def test_a_password_is_refused_and_not_repeated(place: str) -> None:
    for given in (place, Path(place)):
        with pytest.raises(ConfigError, match="PGPASSWORD") as refused:
            address_of(given)
        assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("postgresql://db/orders", "postgresql://db/orders"),
        (" POSTGRES://shop@db:5432/orders ", "postgres://shop@db:5432/orders"),
        ("postgresql:///orders", "postgresql:///orders"),
        ("postgresql://shop@db:5432,db2/x?sslmode=require&passfile=/x", "postgresql://shop@db:5432,db2/x?sslmode=require&passfile=/x"),
        ("postgresql://shop@[::1]:5432/x", "postgresql://shop@[::1]:5432/x"),
        ("postgresql://shop@%2Ftmp/x", "postgresql://shop@%2Ftmp/x"),
        ("orders/*.csv", None),
        ("C:\\Users\\me@shop\\a.csv", None),
        ("C:/me@shop.csv", None),
        ("/data/a:b/me@x.csv", None),
        ("host=eu/user=5/date=2024-01-01/*.parquet", None),
        ("2024-01-01T10:00.csv", None),
        ("postgres.csv", None),
    ],
)  # fmt: skip
def test_addresses_are_told_from_paths(place: str, address: str | None) -> None:
    assert address_of(place) == address


@pytest.mark.parametrize("place", ["s3://b/x", "https://h/x.csv?token=1", "host=db dbname=x", "postgresql:/db/x", "postgresql://a b/x"])  # fmt: skip
def test_other_addresses_are_neither(place: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a path, or postgresql://host/name"):
        address_of(place)
    with pytest.raises(ConfigError, match="expected a path; got the address postgresql://db/x"):
        local_path("postgresql://db/x")


def test_a_file_of_an_odd_name_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cdnow: pd.DataFrame
) -> None:
    monkeypatch.chdir(tmp_path)
    cdnow.to_csv("10:30 me@shop.csv", index=False)
    cdnow.to_csv("10:30me@shop.csv", index=False)
    assert ls.read_orders("10:30me@shop.csv").aggregate("count(*)").fetchall() == [(len(cdnow),)]
    assert ls.read_orders("10:30 me@shop.csv").aggregate("count(*)").fetchall() == [(len(cdnow),)]


@pytest.mark.parametrize("place", SOME)
def test_no_way_from_python_takes_a_password(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    cdnow: pd.DataFrame,
    model: ls.LTVModel,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "spec.toml").write_text(f"orders = {json.dumps(place)}")
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "spec.toml").write_text(spec_text("orders.csv", {}))
    (tmp_path / "config.toml").write_text(f"to = {json.dumps(place)}")
    (tmp_path / "odd.toml").write_text(f"[thresholds]\n{json.dumps(place)} = 1")
    before = sorted(tmp_path.rglob("*"))
    ways = [
        lambda: ls.read_orders(place),
        lambda: ls.read_orders(Path(place)),
        lambda: ls.read_orders("x.csv", temp_directory=place),
        lambda: ls.write_table(cdnow, place),
        lambda: run(place, "out", RunConfig()),
        lambda: run(cdnow, place, RunConfig()),
        lambda: run(cdnow, "out", RunConfig(), to=place),
        lambda: retrain("shop"),
        lambda: retrain("good", place),
        lambda: retrain("good", "x.csv", out=place),
        lambda: retrain(place),
        lambda: read_spec("shop"),
        lambda: spec_text(place, {}),
        lambda: read_config("config.toml", {}),
        lambda: read_config("odd.toml", {}),
        lambda: read_config(place, {}),
        lambda: read_config(None, {"playbook": place}),
        lambda: model.save(place),
        lambda: ls.load(place),
        lambda: ls.write_report(cdnow, model, place),
        lambda: model_folder(place, "shop"),
    ]
    for number, way in enumerate(ways):
        with pytest.raises(ConfigError) as refused:
            way()
        assert SECRET not in "".join(traceback.format_exception(refused.value)), number
        assert SECRET not in repr(refused.value), number
    assert sorted(tmp_path.rglob("*")) == before


COMMANDS = [
    ["run", "{}", "--out", "out"],
    ["run", "orders.csv", "--out", "{}"],
    ["run", "orders.csv", "--out", "out", "--to", "{}"],
    ["run", "orders.csv", "--out", "out", "--to={}"],
    ["run", "orders.csv", "--out", "out", "--temp-dir", "{}", "--debug"],
    ["fit", "{}", "--out", "model", "--debug"],
    ["fit", "orders.csv", "--out", "{}"],
    ["predict", "{}", "--model", "model", "--out", "x.parquet"],
    ["predict", "orders.csv", "--model", "model", "--out", "{}"],
    ["report", "{}", "--model", "model", "--out", "x.html"],
    ["backtest", "{}", "--out", "x.csv"],
    ["backtest", "orders.csv", "--out", "{}"],
    ["drift", "model", "{}"],
    ["models", "init", "shop", "--orders", "{}", "--debug"],
    ["models", "init", "{}"],
    ["models", "list", "--store", "{}"],
    ["retrain", "shop", "{}"],
    ["retrain", "{}"],
    ["lifecycle", "schedule", "{}"],
    ["run", "orders.csv", "{}", "--out", "out"],
    ["run", "--no-such-option={}"],
    ["{}"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_takes_a_password(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in SOME:
        shown = CliRunner().invoke(app, [word.format(place) for word in command])
        assert shown.exit_code == 1
        assert "PGPASSWORD" in shown.stderr
        assert SECRET not in shown.output + caplog.text
        assert list(tmp_path.iterdir()) == []


def test_a_query_may_speak_of_passwords(tmp_path: Path) -> None:
    query = "select id, day from accounts where password = 'x'"
    shown = CliRunner().invoke(
        app, ["run", "none.duckdb", "--query", query, "--out", str(tmp_path / "out")]
    )
    assert "there is no none.duckdb" in shown.stderr
    assert read_config(None, {"query": query, "title": "10:30, by me@shop"}).query == query
    with pytest.raises(ConfigError, match="PGPASSWORD"):
        read_config(None, {"query": "select * from 'postgresql://shop:hunter2@db/x'"})


def test_schema_and_table_are_told_apart_the_same_way_everywhere(tmp_path: Path) -> None:
    shop = tmp_path / "shop.duckdb"
    for number, name in enumerate(["plain", "a.plain", "a.b.c", "main.b.c"]):
        ls.write_table(pd.DataFrame({"x": [number]}), shop, name)
        assert ls.read_orders(shop, table=name).fetchall() == [(number,)]
    assert ls.read_orders(shop, table="a.b.c").fetchall() == [(2,)]
    assert ls.read_orders(shop, query='select x from a."b.c"').fetchall() == [(2,)]
    for name in ("", ".", "a.", ".b"):
        with pytest.raises(ConfigError, match=r"expected a table, or schema\.table"):
            split_table(name)
