"""Expected spend per purchase under each draw, linear in the mean spend of a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import DataError
from lifestage.core.names import MONETARY
from lifestage.prediction.spend_grids import SpendDraws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifestage.core.typing import Floats
    from lifestage.fitting.fitted import FittedModel


__all__ = ["require_money", "spend_coefficients", "spend_draws"]


def spend_draws(model: FittedModel) -> SpendDraws:
    """Return the spend parameters of a model that has them."""
    assert model.spend is not None
    draws = model.spend.draws
    return SpendDraws(draws["p"], draws["q"], draws["v"], model.mean_spend)


def require_money(model: FittedModel, names: Sequence[str]) -> None:
    """Refuse a table without spend under a model that has a spend part.

    Raises
    ------
    DataError
        If there is no ``monetary_value``.
    """
    if model.spend is not None and MONETARY not in names:
        raise DataError(
            f"expected the column {MONETARY}, for the model has a spend part: without it every"
            " customer would count as having spent nothing; add it, or fit a model with spend=None"
        )


def spend_coefficients(model: FittedModel, x: Floats) -> tuple[Floats, Floats]:
    """Compute intercept and slope of the expected spend in monetary_value, of shape (draws, n).

    Gamma-Gamma: p·v/(p·x + q − 1) and p·x/(p·x + q − 1). Under draws with q ≤ 1 the expectation
    does not exist for new buyers: repeat buyers keep their own mean, one-time buyers get the mean
    of the base.
    """
    if model.spend is None:
        return np.ones((1, x.size)), np.zeros((1, x.size))
    params = model.spend.columns()
    p, q, v = (params[name] for name in ("p", "q", "v"))
    finite = q > 1.0
    above = np.where(finite, p * x + q - 1.0, 1.0)
    intercept = np.where(finite, p * v / above, np.where(x > 0, 0.0, model.mean_spend))
    return intercept, np.where(finite, p * x / above, np.where(x > 0, 1.0, 0.0))
