"""Commands on stored models: a name in a store and the path of its folder mean the same model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

import lifestage as ls
from lifestage import registry
from lifestage.cli import app
from lifestage.jobs.config import RunConfig
from lifestage.jobs.model_spec import read_spec

if TYPE_CHECKING:
    from pathlib import Path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture
def shop(model: ls.LTVModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """``models/shop`` under the working folder, with two versions; its champion is the first."""
    monkeypatch.chdir(tmp_path)
    assert call("models", "init", "models/shop").exit_code == 0
    first = registry.add_version("models/shop", model, {})
    registry.add_version("models/shop", model, {})
    registry.promote("models/shop", first)
    return first


@pytest.mark.parametrize(
    "form", [["shop"], ["models/shop"], ["./models/shop"], ["shop", "--store", "models"], ["FULL"]]
)
def test_every_command_takes_every_form(shop: str, form: list[str]) -> None:
    form = [os.path.abspath("models/shop") if each == "FULL" else each for each in form]
    name, *store = form
    one, two = registry.versions("models/shop")
    shown = call("models", "show", name, *store)
    assert shown.exit_code == 0, shown.output
    assert f"* {shop}" in shown.stdout
    assert "bg/nbd" in call("models", "diff", name, one, two, *store).stdout
    assert call("models", "promote", name, two, *store).stdout == f"Champion: {two}\n"
    assert call("models", "rollback", name, *store).stdout == f"Champion: {one}\n"
    assert call("models", "prune", name, *store).stdout == "Nothing to remove.\n"
    assert call("models", "init", name, *store).stderr.startswith("Error: expected a new model; ")
    retrained = call("retrain", name, *store)
    assert retrained.exit_code == 1
    assert "name them in spec.toml" in retrained.stderr


@pytest.mark.usefixtures("shop")
def test_a_path_beside_a_store_is_refused() -> None:
    for command in (["models", "show"], ["models", "init"], ["retrain"]):
        refused = call(*command, "models/shop", "--store", "elsewhere")
        assert refused.exit_code == 1
        assert (
            "expected the name of a model beside --store, or its path without; got models/shop"
            in refused.stderr
        )
    assert os.listdir() == ["models"]


def test_the_folder_one_stands_in_is_a_model(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("models/shop")
    assert f"* {shop}" in call("models", "show", ".").stdout


def options_of(*path: str) -> set[str]:
    command = get_command(app)
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]
    return {option for each in command.params for option in each.opts if option.startswith("--")}


def test_init_takes_the_options_of_run() -> None:
    of_a_run_alone = {"--out", "--to", "--to-table", "--until", "--quiet", "--json"}
    assert of_a_run_alone < options_of("run")
    assert options_of("run") - of_a_run_alone < options_of("models", "init")


def test_what_init_is_told_stands_in_the_specification(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(
        'title = "a\\nb"\nmargin = 0.5\n[priors]\nr = "gamma(2, 1)"\n', "utf-8"
    )
    options = "--method map --horizon 26 --margin 0.3 --currency EUR --lang zh-Hans --order no --threads 1 --backtest 0"
    made = call(
        "models", "init", tmp_path / "shop", "--config", tmp_path / "run.toml", *options.split()
    )
    assert made.exit_code == 0, made.output
    expected = RunConfig(
        title="a\nb", priors={"r": "gamma(2, 1)"}, method="map", horizon=26, margin=0.3, currency="EUR",
        lang="zh-Hans", order="no", threads=1, backtest=0,
    )  # fmt: skip
    assert read_spec(tmp_path / "shop").run == expected


@pytest.mark.parametrize("name", ["..", ".hidden", "a b"])
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    refused = call("models", "init", name, "--store", tmp_path)
    assert refused.exit_code == 1
    assert "expected a name of letters" in refused.stderr
    assert os.listdir(tmp_path) == []
