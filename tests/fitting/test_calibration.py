"""The fast posterior is calibrated; :mod:`tests.fitting.calibration` tells how that is measured, and does the sampler."""

from __future__ import annotations

import pytest

from tests.fitting.calibration import FAMILIES, p_values, ranks


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_the_rank_of_the_truth_is_uniform(name: str) -> None:
    found = ranks(name, "laplace", 200)
    assert found.shape[0] == 200
    assert p_values(found).min() > 0.01
