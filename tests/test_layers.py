"""The floors and owners of the package, held by reading its imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "lifestage"
FLOORS = [
    {"tables", "distinct", "special", "errors", "folders", "addresses", "steps"},
    {"data", "families"},
    {"fitting", "posterior"},
    {
        "prediction",
        "value",
        "intervals",
        "count_laws",
        "curves",
        "futures",
        "spend_laws",
        "point",
        "columns",
        "draws",
        "acquisition",
        "prior_check",
        "recalibration",
        "posterior_check",
        "arviz_export",
        "leave_one_out",
        "model",
        "stage_facts",
        "saved",
        "margins",
        "as_summary",
        "histories",
        "evaluate",
        "lifecycle",
    },
    {"card", "report", "registry", "plots"},
    {"pipeline", "retrain", "changes", "gates", "spec", "config", "mlflow"},
    {"cli", "cli_evaluate", "cli_experiments", "cli_lifecycle", "cli_models", "cli_options", "console"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS, 1) for room in rooms}
SIBLINGS = {1, 3, 4, 6, 7}
"""Floors whose top-level modules make one folder; data and families, and those of floor 5, never import each other."""

EXEMPT = {("tables", "data")}
"""Summary.from_frame hands on to the data door."""

OWNERS = {
    "duckdb": {"data/"},
    "polars": {"data/"},
    "pyspark": {"data/"},
    "mlflow": {"mlflow.py"},
    "pymc": {"fitting/nuts.py"},
    "pytensor": {"fitting/nuts.py"},
    "matplotlib": {"plots.py", "report/figures.py"},
}
LONGEST = 320

FILES = sorted(ROOT.rglob("*.py"))
MODULES = [path for path in FILES if path != ROOT / "__init__.py"]


def imports(source: str) -> list[str]:
    """Full names of what a module imports, in functions too, but not under ``if TYPE_CHECKING``."""
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the floor"
            found.extend(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(source))
    return found


def room_of(path: Path) -> str:
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def trespasses(room: str, names: list[str]) -> list[str]:
    """Imports of *room* that its floor does not allow."""
    wrong = []
    for name in names:
        parts = name.split(".")
        if parts[0] != "lifestage" or len(parts) < 2 or parts[1] == "__version__":
            continue
        other = parts[1]
        if other == room or (room, other) in EXEMPT:
            continue
        if other not in FLOOR:
            wrong.append(f"{name} is on no floor")
        elif FLOOR[other] > FLOOR[room] or (FLOOR[other] == FLOOR[room] and FLOOR[room] not in SIBLINGS):
            wrong.append(name)
    return wrong


def test_there_is_something_to_read() -> None:
    assert len(MODULES) > 15
    assert {room_of(path) for path in MODULES} >= {"tables", "data", "families"}


def test_the_reader_finds_every_kind_of_import() -> None:
    source = (
        "from typing import TYPE_CHECKING\nimport a.b\nif TYPE_CHECKING:\n    import hidden\n"
        "def f():\n    from lifestage.model import fit\n    import c as d\n"
    )
    assert imports(source) == ["typing.TYPE_CHECKING", "a.b", "lifestage.model.fit", "c"]


@pytest.mark.parametrize(
    ("room", "name", "allowed"),
    [
        ("data", "lifestage.tables.Summary", True),
        ("data", "lifestage.data.engine", True),
        ("data", "lifestage.families.bgnbd", False),
        ("fitting", "lifestage.posterior.Posterior", True),
        ("fitting", "lifestage.model.fit", False),
        ("prediction", "lifestage.value.Terms", True),
        ("plots", "lifestage.report.write_report", False),
        ("tables", "lifestage.data.summary.from_frame", True),
        ("errors", "lifestage.data.summary.from_frame", False),
        ("model", "lifestage.nowhere", False),
    ],
)
def test_the_rule_itself(room: str, name: str, allowed: bool) -> None:
    assert (trespasses(room, [name]) == []) is allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_from_lower_floors(path: Path) -> None:
    assert room_of(path) in FLOOR, f"{path.name} is on no floor"
    assert trespasses(room_of(path), imports(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_engines_and_drawing_stay_with_their_owners(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    wrong = [
        each
        for each in imports(path.read_text("utf-8"))
        if not any(name.startswith(home) for home in OWNERS.get(each.split(".")[0], {""}))
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST
