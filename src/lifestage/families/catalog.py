"""The families by name: a new one is its module and a row here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.families import bgnbd, gammagamma, mbgnbd

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["FAMILIES", "SPEND", "STACK"]

FAMILIES: dict[str, ModuleType] = {"bg/nbd": bgnbd, "mbg/nbd": mbgnbd}
"""Families of purchases. Read it when it is needed: one can be added at run time."""

SPEND: dict[str, ModuleType] = {"gamma-gamma": gammagamma}
"""Families of spend."""

STACK = "stack"
"""Name of a posterior whose draws belong to several families of purchases."""
