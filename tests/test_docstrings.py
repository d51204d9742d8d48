"""What a user can reach says what it does, what it takes and gives, and shows an example that runs."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

import lifestage as ls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

MODULES = ("datasets", "evaluate", "families", "lifecycle", "mlflow", "plots")


def public_members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name in getattr(module, "__all__", ()):
        yield name, getattr(module, name)


def reachable() -> dict[str, Any]:
    """Public functions, classes, and methods and properties of those classes, by the name a user writes."""
    found: dict[str, Any] = {}

    def add(name: str, value: Any) -> None:
        if inspect.isclass(value):
            found[name] = value
            if not issubclass(value, BaseException):
                found.update(members(name, value))
        elif inspect.isroutine(value):
            found[name] = value

    for name, value in public_members(ls):
        if not inspect.ismodule(value):
            add(name, value)
    for module_name in MODULES:
        for name, value in public_members(getattr(ls, module_name)):
            if inspect.ismodule(value):  # a family
                for inner, function in public_members(value):
                    add(f"{module_name}.{name}.{inner}", function)
            else:
                add(f"{module_name}.{name}", value)
    unique: dict[int, str] = {}
    for name, value in found.items():  # the shortest name of what is public twice
        known = unique.get(id(value))
        if known is None or len(name) < len(known):
            unique[id(value)] = name
    return {name: found[name] for name in unique.values()}


def members(owner: str, cls: type) -> dict[str, Any]:
    """Methods and properties that the package defines for a class, its bases included."""
    found = {}
    for name, value in inspect.getmembers_static(cls):
        value = getattr(value, "__func__", value)
        function = getattr(value, "fget", value)
        ours = str(getattr(function, "__module__", "")).startswith("lifestage")
        if not name.startswith("_") and ours and (inspect.isfunction(function)):
            found[f"{owner}.{name}"] = value
    return found


def section(text: str, title: str) -> str | None:
    """Body of a section of a numpy docstring."""
    match = re.search(
        rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n---+$|\Z)", text, re.DOTALL | re.MULTILINE
    )
    return match.group(1) if match else None


def described(text: str) -> set[str]:
    """Parameters and attributes that a docstring describes."""
    listed = (section(text, "Parameters") or "") + (section(text, "Attributes") or "")
    groups = re.findall(r"^\**([\w*, ]+?)(?: :|$)", listed, re.MULTILINE)
    return {name.strip(" *") for group in groups for name in group.split(",")}


def problems(name: str, value: Any) -> list[str]:
    """What a docstring lacks; functions of a family may leave parameters and results to its module."""
    text = inspect.getdoc(value) or ""
    shared = ""
    if name.startswith("families."):
        shared = inspect.getdoc(inspect.getmodule(value)) or ""
    found = []
    if not re.match(r"\S.*[.:]", text.split("\n\n")[0], re.DOTALL):
        found.append("no summary sentence")
    if isinstance(value, property):
        return found
    if inspect.isclass(value):
        if issubclass(value, BaseException):
            return found
        fields = [*inspect.get_annotations(value)]
    else:
        signature = inspect.signature(value)
        fields = [
            parameter for parameter in signature.parameters if parameter not in ("self", "cls")
        ]
        nothing = signature.return_annotation in ("None", None)
        if not nothing and section(text, "Returns") is None and section(shared, "Returns") is None:
            found.append("no Returns")
        if ">>>" not in (section(text, "Examples") or ""):
            found.append("no example that runs")
    documented = described(text) | described(shared)
    absent = [field for field in fields if field not in documented and not field.startswith("_")]
    if absent:
        found.append(f"not described: {', '.join(absent)}")
    return found


REACHABLE = reachable()


def test_the_walk_reaches_what_users_reach() -> None:
    assert {"fit", "LTVModel.predict", "Summary.from_frame", "plots.plot_tracking"} <= set(
        REACHABLE
    )
    assert len(REACHABLE) > 90


def test_a_poor_docstring_is_found() -> None:
    def poor(x: int) -> int:
        """Twice x."""
        return 2 * x

    assert problems("poor", poor) == ["no Returns", "no example that runs", "not described: x"]
    assert problems("fit", ls.fit) == []


@pytest.mark.parametrize("name", sorted(REACHABLE))
def test_docstrings_are_whole(name: str) -> None:
    found = problems(name, REACHABLE[name])
    assert found == [], f"{name}: {'; '.join(found)}"
