"""Probability that each customer is in each stage, today or after some periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER
from lifestage.core.terms import check_horizon
from lifestage.data.engines.frames import upload
from lifestage.families import family
from lifestage.lifecycle.forecast.base import Base, read_base
from lifestage.lifecycle.forecast.simulate import simulate_base
from lifestage.lifecycle.stages.playbook import as_playbook
from lifestage.lifecycle.stages.rules import named_taxonomy
from lifestage.lifecycle.stages.states import StateSpace, state_space
from lifestage.lifecycle.stages.taxonomies import built_in
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.numerics import special
from lifestage.prediction.limits import PREDICTION_DRAWS
from lifestage.prediction.spend import spend_coefficients

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.model import LTVModel

__all__ = ["stage_probabilities"]

MAX_SIMULATIONS = 2_000_000_000
"""Customers times scenarios that one call may ask for."""


def stage_probabilities(
    model: LTVModel,
    staged: Any,
    *,
    horizon: float = 13,
    taxonomy: str = "line",
    scenarios: int = 1000,
    thresholds: Thresholds | None = None,
    seed: int = 0,
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> Any:
    """Simulate the probability that each customer is in each stage after *horizon* periods.

    With ``horizon=0`` it is the probability of each stage today, over the draws of the parameters:
    what the history leaves open about where a customer stands. The simulation is that of
    :func:`stage_forecast`.

    Parameters
    ----------
    model : LTVModel
    staged : frame
        What :func:`lifestage.assign_stages` made of the scores of *model*. Contacts without a
        purchase are left out.
    horizon : float
        Periods of the model from now, 0 or more.
    taxonomy : str
        ``"line"``, ``"phase"``, ``"segment"``, or one of the playbook.
    scenarios : int
        Futures to simulate, 2 or more.
    thresholds : Thresholds, optional
        Those of the stages.
    seed : int
        Random seed: the same seed gives the same probabilities.
    playbook : path or Playbook, optional
        That of :func:`lifestage.assign_stages`, for a taxonomy of its own.

    Returns
    -------
    frame
        One row per customer: ``customer_id``, the column of the taxonomy (the stage today), and
        ``p_<stage>`` for every stage but prospects, which add up to 1, in the kind that went in.

    Raises
    ------
    ConfigError
        If an option is out of range, there are too many customers for that many scenarios, or a
        condition of the playbook reads what a forecast cannot know.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers))
    >>> table = stage_probabilities(model, staged.head(20), horizon=13, scenarios=100)
    >>> table.filter(like="p_").columns.tolist()
    ['p_new', 'p_active', 'p_drowsy', 'p_half_asleep', 'p_asleep']
    """
    book = None if playbook is None else as_playbook(playbook)
    chosen = named_taxonomy(taxonomy, book)
    check_horizon(horizon, "of 0 or more")
    if scenarios < 2:
        raise ConfigError(f"expected 2 or more scenarios; got {scenarios!r}")
    limits = thresholds or Thresholds()
    taxonomies = (*built_in().values(),) if taxonomy in built_in() else (chosen,)
    states = state_space(taxonomies, limits)
    customers, base, _ = read_base(staged, taxonomies, limits)
    if len(customers) * scenarios > MAX_SIMULATIONS:
        raise ConfigError(
            f"expected at most {MAX_SIMULATIONS:,} customers × scenarios; got {len(customers):,} ×"
            f" {scenarios:,}: choose fewer customers or scenarios"
        )
    if horizon > 0:
        simulated = simulate_base(
            model,
            base,
            np.array([float(horizon)]),
            states=states,
            scenarios=scenarios,
            seed=seed,
            by_customer=True,
        )
        assert simulated.probabilities is not None
        by_state = np.asarray(simulated.probabilities[:, 0])
    else:
        by_state = _today(model, base, states)
    stage_of_state = states.stage_of_states(taxonomies, limits)[taxonomy]
    table = customers[[CUSTOMER, chosen.column]].reset_index(drop=True)
    for i, key in enumerate(chosen.keys):
        if key != "prospect":
            table[f"p_{key}"] = by_state[:, stage_of_state == i].sum(axis=1).astype(float)
    return upload(table, like=staged)


def _today(model: LTVModel, base: Base, states: StateSpace) -> NDArray[np.float32]:
    """Share of the draws of the parameters by customer and state, shape (n, states)."""
    counts = np.zeros((base.x.size, states.size), np.float32)
    part = model.purchases.thin(PREDICTION_DRAWS)
    module, h = family(part.family), base.window / model.period.days
    x, t_x, T = base.x, base.t_x, base.T
    value = x + 1.0
    if model.spend:
        intercept, slope = (line.mean(axis=0) for line in spend_coefficients(model, x))
        value = value * (intercept + slope * base.money / np.maximum(x, 1))
    for draw in range(part.size):
        params = {name: float(values[draw]) for name, values in part.draws.items()}
        fresh = np.maximum(module.p_purchase(h, x, t_x, t_x, **params), special.TINY)
        ratio = module.p_purchase(h, x, t_x, T, **params) / fresh
        p_alive = np.broadcast_to(module.p_alive(x, t_x, T, **params), x.shape)
        state = states.states_of(x + 1.0, ratio, value >= base.high_value, p_alive)
        counts[np.arange(x.size), state] += 1
    return counts / np.float32(part.size)
