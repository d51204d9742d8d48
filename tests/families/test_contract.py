"""Every row of FAMILIES keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lifestage.families import FAMILIES
from tests.families.contract import CHECKS, PAST, Case

if TYPE_CHECKING:
    from collections.abc import Callable


def usual(name: str) -> Case:
    """A family at parameters of its own: its second initial point for a handful of histories."""
    module = FAMILIES[name]
    point = module.initial_points(module.rows(*PAST, np.ones(PAST[0].size)))[1]
    return Case(module, dict(zip(module.PARAMS, point.tolist(), strict=True)))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", list(FAMILIES))
def test_contract(name: str, check: Callable[[Case], None]) -> None:
    check(usual(name))
