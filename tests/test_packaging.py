"""What the package declares is what it is: dependencies, version, the text that a package index shows."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import metadata, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement

import lifestage
from tests.test_layers import FILES, imports

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))[
    "project"
]
EXTRAS = PROJECT["optional-dependencies"]
BESIDE = {"pymc"}
"""Declared, though no module imports it: it is there for who builds models of their own beside ours."""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {plain(Requirement(each).name) for each in requirements}


def imported() -> set[str]:
    """Distributions of what the modules import from outside, in functions too."""
    modules = {name.split(".")[0] for path in FILES for name in imports(path.read_text("utf-8"))}
    known = packages_distributions()
    return {plain(known[name][0]) for name in modules - sys.stdlib_module_names - {"lifestage"}}


def test_every_import_is_declared_and_every_declared_one_is_imported() -> None:
    core, extra = (
        names(PROJECT["dependencies"]),
        names([each for part in EXTRAS.values() for each in part]),
    )
    found = {"mlflow" if name == "mlflow-skinny" else name for name in imported()}
    assert found - core <= extra
    assert core - found == BESIDE
    assert extra - found <= {"adbc-driver-manager"}  # the other half of adbc-driver-postgresql


def test_every_dependency_has_a_lowest_version_and_those_that_break_a_highest() -> None:
    for each in [*PROJECT["dependencies"], *(one for part in EXTRAS.values() for one in part)]:
        operators = {clause.operator for clause in Requirement(each).specifier}
        assert ">=" in operators, each
        assert operators <= {">=", "<"}, each


def test_what_is_installed_is_what_is_declared() -> None:
    about = metadata("lifestage")
    assert about["Version"] == PROJECT["version"] == lifestage.__version__
    assert about["Requires-Python"] == PROJECT["requires-python"]
    assert names([each for each in requires("lifestage") or () if "extra ==" not in each]) == names(
        PROJECT["dependencies"]
    )


def test_the_text_of_a_package_index_has_no_link_that_leads_nowhere() -> None:
    about = metadata("lifestage")
    text = str(
        about.get_payload() or about["Description"]
    )  # where the backport of importlib.metadata was imported
    assert "pip install lifestage" in text
    assert "The report of the demo" in text
    assert not re.findall(r"\]\((?!https?://)", text)
