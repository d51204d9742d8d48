"""The rooms, floors and owners of the package, held by reading its imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "lifestage"
FLOORS = {
    "core": 0,
    "numerics": 1,
    "data": 2,
    "families": 2,
    "fitting": 3,
    "diagnostics": 4,
    "prediction": 4,
    "model": 5,
    "lifecycle": 6,
    "evaluate": 7,
    "plots": 8,
    "registry": 8,
    "report": 8,
    "jobs": 9,
    "mlflow": 9,
    "cli": 10,
    "": 11,
}
"""Floor of each room or file at the root; the package's own ``__init__`` is the top."""

OWNERS = {
    "duckdb": {"data/"},
    "polars": {"data/"},
    "pyspark": {"data/"},
    "mlflow": {"mlflow.py"},
    "nutpie": {"fitting/nuts.py"},
    "pymc": set[str](),
    "pytensor": set[str](),
    "matplotlib": {"plots/", "report/page/"},
}

FILES = sorted(ROOT.rglob("*.py"))
MODULES = {
    ".".join(["lifestage", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(
        ".__init__"
    ): path
    for path in FILES
}


def imports(source: str) -> list[str]:
    """Full names of what a module imports, in functions too, but not under ``if TYPE_CHECKING``."""
    names: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the floor"
            names.extend(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(source))
    return names


def module_of(name: str) -> str | None:
    """The module of the package that an imported name is, or lies in; None for what is not of the package."""
    if name.split(".")[0] != "lifestage" or name == "lifestage.__version__":
        return None
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def room_of(module: str) -> str:
    """Room of a module, or its own name where it lies at the root."""
    return module.split(".")[1] if "." in module else ""


def trespass(importer: str, imported: str) -> str | None:
    """Why the module *importer* may not import the module *imported*; None where it may."""
    here, there = room_of(importer), room_of(imported)
    if here == there:
        own_init = imported == f"lifestage.{here}" and MODULES[imported].name == "__init__.py"
        return "the room's own __init__" if own_init else None
    if there not in FLOORS:
        return f"{there} is on no floor"
    return (
        None if FLOORS[there] < FLOORS[here] else f"floor {FLOORS[there]} from floor {FLOORS[here]}"
    )


GRAPH = {
    module: sorted(
        {name for each in imports(path.read_text("utf-8")) if (name := module_of(each)) is not None}
    )
    for module, path in MODULES.items()
}


def circle(graph: dict[str, list[str]]) -> list[str]:
    """Modules that import each other in a circle, in order; empty where there is none."""
    done: set[str] = set()

    def walk(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in done:
            return []
        for other in graph.get(module, []):
            found = walk(other, [*trail, module])
            if found:
                return found
        done.add(module)
        return []

    return next((found for module in graph if (found := walk(module, []))), [])


def test_there_is_something_to_read() -> None:
    assert len(MODULES) > 100
    assert {room_of(module) for module in MODULES} == set(FLOORS)


def test_the_reader_finds_every_kind_of_import() -> None:
    source = (
        "from typing import TYPE_CHECKING\nimport a.b\nif TYPE_CHECKING:\n    import hidden\n"
        "def f():\n    from lifestage.model import fit\n    import c as d\n"
    )
    assert imports(source) == ["typing.TYPE_CHECKING", "a.b", "lifestage.model.fit", "c"]


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("lifestage.data.log.lines", "lifestage.core.names", True),
        ("lifestage.data.log.lines", "lifestage.data.log.parse", True),
        ("lifestage.data.log.lines", "lifestage.data", False),
        ("lifestage.data.log.lines", "lifestage.families.bgnbd", False),
        ("lifestage.fitting.mle", "lifestage.model", False),
        ("lifestage.plots.model", "lifestage.report", False),
        ("lifestage.core.errors", "lifestage.core.names", True),
        ("lifestage.core.errors", "lifestage.numerics.special", False),
        ("lifestage.jobs.run", "lifestage.mlflow", False),
    ],
)
def test_the_rule_itself(importer: str, imported: str, allowed: bool) -> None:
    assert (trespass(importer, imported) is None) is allowed


def test_a_circle_is_found() -> None:
    assert circle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert circle({"a": ["b", "c"], "b": ["c"], "c": []}) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_file_imports_only_from_lower_floors(module: str) -> None:
    assert room_of(module) in FLOORS, f"{module} is on no floor"
    reasons = {other: trespass(module, other) for other in GRAPH[module]}
    assert {other: why for other, why in reasons.items() if why is not None} == {}


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle(GRAPH) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_engines_and_drawing_stay_with_their_owners(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    wrong = [
        each
        for each in imports(path.read_text("utf-8"))
        if not any(name.startswith(home) for home in OWNERS.get(each.split(".")[0], {""}))
    ]
    assert wrong == []
