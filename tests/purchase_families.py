"""The list of families of purchases that tests run for, and models of them with known parameters."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lifestage.families import FAMILIES, pareto_nbd
from lifestage.fitting.posterior import Posterior, Status
from tests import nbd
from tests.simulated import BGNBD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lifestage.model import LTVModel

FITTED = FAMILIES | {"pareto/nbd": pareto_nbd}
"""Families that can be fitted."""

MODULES = FITTED | {"nbd": nbd}
"""With one that only the tests know."""

PARAMS = {
    "bg/nbd": BGNBD,
    "mbg/nbd": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    "pareto/nbd": {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669},
    "nbd": {"r": 0.385, "alpha": 12.07},
}
"""Parameters of each family that are near those of CDNOW, in weeks."""


@contextmanager
def registered(name: str) -> Iterator[None]:
    """Have a family in FAMILIES for as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, name, MODULES[name])
        yield


def known_model(model: LTVModel, name: str, draws: int = 1) -> LTVModel:
    """The spend part and the data of *model* with a family of known parameters, or draws around them."""
    rng = np.random.default_rng(5)
    spread = 0.1 if draws > 1 else 0.0
    columns = {}
    for parameter, value in PARAMS[name].items():
        columns[parameter] = value * np.exp(spread * rng.standard_normal(draws))
    return replace(model, purchases=Posterior(name, "known", columns, Status(True)))
