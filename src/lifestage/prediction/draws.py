"""Predictions under every draw of the parameters, for chosen customers."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER, KEYS, MONETARY
from lifestage.core.steps import step
from lifestage.core.terms import Terms, rate_per_period
from lifestage.families import family
from lifestage.families.tables import purchase_table
from lifestage.fitting.as_summary import as_summary
from lifestage.prediction.margins import MARGIN_OF_ROW, with_margins
from lifestage.prediction.spend import require_money, spend_coefficients

if TYPE_CHECKING:
    import xarray as xr

    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.fitted import FittedModel

__all__ = ["predict_draws"]

MAX_VALUES = 50_000_000
"""Customers times draws that one call may be asked for (0.4 GB a variable)."""


def predict_draws(
    model: FittedModel,
    customers: Summary | Any,
    *,
    horizon: float = 52,
    discount_rate: float = 0.10,
    margin: Any = 1.0,
) -> xr.Dataset:
    """Predict each customer under each draw: see :meth:`lifestage.LTVModel.predict_draws`."""
    import xarray as xr

    from lifestage.data.engines.frames import to_pandas

    single = isinstance(margin, Number) or margin is None
    terms = Terms(horizon, discount_rate, margin if single else 1.0)
    customers = as_summary(model, customers)
    if not single:
        customers = with_margins(customers, margin)
    size = max(part.size for part in model.parts.values())
    if customers.customers * size > MAX_VALUES:
        raise ConfigError(
            f"expected at most {MAX_VALUES:,} customers × draws; got {customers.customers:,} ×"
            f" {size:,}: choose fewer customers, or thin the model with model.thin(draws)"
        )
    with step(__name__, f"Predicting {customers.customers:,} customers under {size:,} draws"):
        table = to_pandas(customers.table)
        require_money(model, list(table.columns))
        x, t_x, T = (table[name].to_numpy(float) for name in KEYS)
        module, params = family(model.purchases.family), model.purchases.columns()
        rate = rate_per_period(terms.discount_rate, model.period)
        alive = np.broadcast_to(module.p_alive(x, t_x, T, **params), (model.purchases.size, x.size))
        expected, discounted = purchase_table(module, params, terms.horizon, x, T, rate)
        values = {
            "p_alive": alive,
            "p_purchase": module.p_purchase(terms.horizon, x, t_x, T, **params),
            "expected_purchases": alive * expected,
        }
        if model.spend is not None:
            intercept, slope = spend_coefficients(model, x)
            values["expected_spend"] = intercept + slope * table[MONETARY].to_numpy(float)
            own = terms.margin if single else table[MARGIN_OF_ROW].to_numpy(float)
            values["ltv"] = own * alive * discounted * values["expected_spend"]
        arrays = {
            name: (("draw", "customer"), np.broadcast_to(v, (size, x.size)))
            for name, v in values.items()
        }
        return xr.Dataset(
            arrays, coords={"customer": table[CUSTOMER].to_numpy(), "draw": np.arange(size)}
        )
