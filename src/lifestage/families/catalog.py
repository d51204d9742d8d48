"""The families by name: a new one is its module and a row here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.families import bgnbd, gammagamma, mbgnbd, pareto_nbd

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["AUTO", "FAMILIES", "SPEND", "STACK"]

FAMILIES: dict[str, ModuleType] = {
    "bg/nbd": bgnbd,
    "mbg/nbd": mbgnbd,
    "pareto/nbd": pareto_nbd,
}
"""Families of purchases. Read it when it is needed: one can be added at run time."""

SPEND: dict[str, ModuleType] = {"gamma-gamma": gammagamma}
"""Families of spend."""

AUTO = "auto"
"""Asks a fit for the family with the best forecasts of the past."""

STACK = "stack"
"""Name of a posterior whose draws belong to several families of purchases."""
