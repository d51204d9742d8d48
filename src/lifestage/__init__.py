"""lifestage: predictive customer lifetime value, from an order log to stages and a report.

The public names are listed once, in ``__init__.pyi``; each is loaded where it is first used, so
that the import of the package costs next to nothing.
"""

from __future__ import annotations

import ast
import logging
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"


def _read_stub() -> dict[str, str]:
    """Public name → the module that has it."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text("utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


_HOMES = _read_stub()

__all__ = ["__version__", *_HOMES]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Load a public name."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lifestage' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    # as ``from home import name`` does: an attribute, or a module that is not loaded yet
    if name in vars(home):
        return vars(home)[name]
    return import_module(f"{_HOMES[name]}.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
