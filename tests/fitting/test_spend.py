"""The test of the assumption that spend does not go with frequency."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from lifestage.fitting.spend import spend_independence


def test_spearman_does_not_depend_on_the_last_digits_nor_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(1, 6, 400).astype(float)
    m = rng.integers(1, 40, 400) / 7.0
    expected = spend_independence(x, m, np.ones(400))
    np.testing.assert_allclose(expected["all"]["spearman"], spearmanr(x, m)[0], rtol=1e-12)
    for _ in range(5):
        order = rng.permutation(400)
        last_digits = 1 + 4e-16 * rng.integers(-2, 3, 400)
        found = spend_independence(x[order], (m * last_digits)[order], np.ones(400))
        for part, values in expected.items():
            np.testing.assert_allclose(found[part]["spearman"], values["spearman"], rtol=1e-12)
