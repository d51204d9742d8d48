"""The chance of each customer to stand in each stage, today or after some periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER
from lifestage.core.terms import check_horizon
from lifestage.data.engines.frames import upload
from lifestage.families import family
from lifestage.lifecycle.forecast.base import Base, read_base
from lifestage.lifecycle.forecast.simulate import STATES, places_of_states, simulate_base, state_of
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES, column_of
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.numerics import special
from lifestage.prediction.limits import PREDICTION_DRAWS
from lifestage.prediction.spend import spend_coefficients

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.model import LTVModel

__all__ = ["stage_probabilities"]

MOST = 2_000_000_000
"""Customers times scenarios that chances are asked for."""


def stage_probabilities(
    model: LTVModel,
    staged: Any,
    *,
    horizon: float = 13,
    taxonomy: str = "line",
    scenarios: int = 1000,
    thresholds: Thresholds | None = None,
    seed: int = 0,
) -> Any:
    """The chance of every customer to stand in each stage of a taxonomy after *horizon* periods, by simulation.

    With ``horizon=0`` the chance of each stage today, over the draws of the parameters: what the
    history does not say about where a customer stands. Parameters as in :func:`stage_forecast`.

    Returns
    -------
    frame
        ``customer_id``, ``stage_<taxonomy>`` (today), and ``p_<stage>`` for every stage but
        prospects, which add up to 1, in the kind that went in.

    Raises
    ------
    ConfigError
        If an option is out of range, or there are too many customers for that many scenarios.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> chances = stage_probabilities(model, ls.assign_stages(model.predict(customers)), horizon=13, scenarios=100)
    >>> chances.filter(like="p_").columns.tolist()
    ['p_new', 'p_active', 'p_drowsy', 'p_half_asleep', 'p_asleep']
    """
    if taxonomy not in TAXONOMIES:
        raise ConfigError(f"taxonomy must be one of {', '.join(TAXONOMIES)}; got {taxonomy!r}")
    check_horizon(horizon, "of 0 or more")
    if scenarios < 2:
        raise ConfigError(f"expected 2 or more scenarios; got {scenarios!r}")
    limits = thresholds or Thresholds()
    customers, base, _ = read_base(staged, limits)
    if len(customers) * scenarios > MOST:
        raise ConfigError(
            f"expected at most {MOST:,} customers × scenarios; got {len(customers):,} ×"
            f" {scenarios:,}: choose fewer customers or scenarios"
        )
    chances = _chances(model, base, horizon, limits, scenarios, seed)
    places, stages = places_of_states(limits)[taxonomy], TAXONOMIES[taxonomy]
    table = customers[[CUSTOMER, column_of(taxonomy)]].reset_index(drop=True)
    for i, stage in enumerate(stages):
        if stage.key != "prospect":
            table[f"p_{stage.key}"] = chances[:, places == i].sum(axis=1).astype(float)
    return upload(table, like=staged)


def _chances(
    model: LTVModel, base: Base, horizon: float, limits: Thresholds, scenarios: int, seed: int
) -> NDArray[np.float32]:
    """Share of scenarios, or today of draws, by customer and state."""
    if horizon > 0:
        found = simulate_base(
            model,
            base,
            np.array([float(horizon)]),
            limits=limits,
            scenarios=scenarios,
            seed=seed,
            by_customer=True,
        )
        assert found.chances is not None
        return np.asarray(found.chances[:, 0])
    out = np.zeros((base.x.size, STATES), np.float32)
    part = model.purchases.thin(PREDICTION_DRAWS)
    module, h = family(part.family), base.window / model.period.days
    intercept, slope = (line.mean(axis=0) for line in spend_coefficients(model, base.x))
    value = (
        (base.x + 1) * (intercept + slope * base.money / np.maximum(base.x, 1))
        if model.spend
        else base.x + 1
    )
    often = np.where(base.x < 1, 0, np.where(base.x + 1 < limits.frequent, 1, 2))
    for draw in range(part.size):
        one = {name: float(values[draw]) for name, values in part.draws.items()}
        fresh = np.maximum(module.p_purchase(h, base.x, base.t_x, base.t_x, **one), special.TINY)
        kept = module.p_purchase(h, base.x, base.t_x, base.T, **one) / fresh
        band = sum((kept < cut).astype(int) for cut in (limits.awake, limits.drowsy, limits.asleep))
        worth = module.p_alive(base.x, base.t_x, base.T, **one) >= limits.alive
        out[np.arange(base.x.size), state_of(often, band, value >= base.high_value, worth)] += 1
    return out / np.float32(part.size)
