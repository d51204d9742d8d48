"""Discounted purchases against mpmath's integral of the purchase intensity, corners with fast saturation included."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from lifestage.families import bgnbd, mbgnbd

CASES = [
    ({"r": 414.4, "alpha": 0.6135, "a": 80.35, "b": 0.1121}, 6, 1.188, 6.347, 3.556),
    ({"r": 0.8125, "alpha": 1.0, "a": 128.5, "b": 56.63}, 450, 0.04916, 459.4, 0.0524),
    ({"r": 0.243, "alpha": 4.41, "a": 0.79, "b": 2.43}, 2, 38.0, 52.0, 0.0018),
    ({"r": 0.243, "alpha": 4.41, "a": 1.0, "b": 2.43}, 0, 1.0, 2600.0, 0.0018),
    ({"r": 5.0, "alpha": 900.0, "a": 0.01, "b": 3.0}, 12, 300.0, 365.0, 0.01),
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(("family", "extra"), [(bgnbd, 0), (mbgnbd, 1)])
def test_discounted_purchases_equal_the_integral_of_the_intensity(
    family: object, extra: int, case: tuple[dict[str, float], int, float, float, float]
) -> None:
    """dE/ds of a living customer is (R/A)·₂F₁(R + 1, a; a + b'; −s/A), with R = r + x, A = α + T, b' = b + x (+ 1)."""
    params, x, T, t, rate = case
    with mp.workdps(30):
        shape, scale = mp.mpf(params["r"]) + x, mp.mpf(params["alpha"]) + T
        a, b = mp.mpf(params["a"]), mp.mpf(params["b"]) + x + extra

        def intensity(s: mp.mpf) -> mp.mpf:
            return shape / scale * mp.hyp2f1(shape + 1, a, a + b, -s / scale) * mp.exp(-rate * s)

        cuts = [mp.mpf(0), *(scale / shape * mp.mpf(10) ** k for k in range(-2, 6))]
        cuts = [cut for cut in cuts if cut < t] + [mp.mpf(t)]
        expected = float(mp.quad(intensity, cuts))
    got = family.alive_purchases(t, x, T, rate=rate, **params)  # type: ignore[attr-defined]
    assert got == pytest.approx(expected, rel=1e-9)
    assert np.isfinite(got)
