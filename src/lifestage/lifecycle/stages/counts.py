"""How many customers stand in each stage, with intervals over the draws of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import FREQUENCY, KEYS, RECENCY, T
from lifestage.families import family
from lifestage.lifecycle.frames import collect
from lifestage.lifecycle.stages.rules import (
    explains,
    rules_by_taxonomy,
    with_facts,
)
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.numerics import special

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.model import LTVModel

__all__ = ["stage_counts"]


DRAWS, ROWS = 100, 20_000_000
"""Draws that the counts are made of, and draws times distinct rows: fewer draws where there are more rows."""

BLOCK = 1_000_000
"""Draws times distinct rows worked on at once."""


def stage_counts(
    model: LTVModel, staged: Any, *, level: float = 0.9, thresholds: Thresholds | None = None
) -> pd.DataFrame:
    """Count the customers of every stage under each draw of the parameters.

    Where a customer stands follows from the parameters and the history alone, so these intervals
    hold the error of the parameters; nothing is left to chance today. Who is of high value is taken
    from the scores.

    Parameters
    ----------
    model : LTVModel
        With draws (``method="laplace"`` or ``"nuts"``).
    staged : frame
        What :func:`lifestage.assign_stages` made of the scores of *model*.
    level : float
        Coverage of the intervals, in (0, 1).
    thresholds : Thresholds, optional
        Those of the stages.

    Returns
    -------
    pandas.DataFrame
        ``taxonomy``, ``stage``, ``low``, ``high`` (customers; prospects are not counted). A
        taxonomy whose stages in *staged* follow another rule than R and *thresholds* is left out.

    Raises
    ------
    ConfigError
        If the model is a point estimate or *level* is out of range.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers, method="laplace", draws=50)
    >>> table = stage_counts(model, ls.assign_stages(model.predict(customers)))
    >>> list(table.columns), bool((table["low"] <= table["high"]).all())
    (['taxonomy', 'stage', 'low', 'high'], True)
    """
    import pandas as pd

    if model.purchases.size < 2:
        raise ConfigError(
            'expected draws for intervals of stage counts; fit with method="laplace" or "nuts"'
        )
    if not 0 < level < 1:
        raise ConfigError(f"level must be a probability in (0, 1); got {level!r}")
    limits = thresholds or Thresholds()
    frame = with_facts(staged, limits)
    rules = {
        name: rule
        for name, rule in rules_by_taxonomy(limits).items()
        if explains(frame, name, rule)
    }
    rows = collect(
        frame.select(*KEYS, "stage_window_days", "__high", weight=nw.lit(1.0))
        .group_by(*KEYS, "stage_window_days", "__high")
        .agg(nw.col("weight").sum())
    )
    size = int(np.clip(ROWS // len(rows), 20, DRAWS))
    model = model.thin(size)
    step = max(1, BLOCK // model.purchases.size)
    counts = {name: np.zeros((model.purchases.size, len(TAXONOMIES[name]))) for name in rules}
    for begin in range(0, len(rows), step):
        for name, found in _counts(model, rows.iloc[begin : begin + step], rules).items():
            counts[name] += found
    ends = [(1 - level) / 2, (1 + level) / 2]
    table = [
        (name, stage.key, *np.quantile(counts[name][:, i], ends).tolist())
        for name in rules
        for i, stage in enumerate(TAXONOMIES[name])
        if stage.key != "prospect"
    ]
    return pd.DataFrame(table, columns=["taxonomy", "stage", "low", "high"])


def _counts(model: LTVModel, rows: pd.DataFrame, rules: dict[str, nw.Expr]) -> dict[str, Floats]:
    """Customers by draw and stage of each taxonomy."""
    import pandas as pd

    module, params = family(model.purchases.family), model.purchases.columns()
    x, t_x, t = (rows[name].to_numpy(float) for name in (FREQUENCY, RECENCY, T))
    h = rows["stage_window_days"].to_numpy(float) / model.period.days
    fresh = np.maximum(module.p_purchase(h, x, t_x, t_x, **params), special.TINY)
    retained = np.clip(module.p_purchase(h, x, t_x, t, **params) / fresh, special.TINY, 1.0)
    alive = np.broadcast_to(module.p_alive(x, t_x, t, **params), retained.shape)
    draws = len(retained)
    columns = {"p_alive": alive.ravel(), "__r": retained.ravel(), "__n": np.tile(x + 1.0, draws)}
    frame = nw.from_native(
        pd.DataFrame(columns | {"__high": np.tile(rows["__high"].to_numpy(bool), draws)})
    )
    weight = np.tile(rows["weight"].to_numpy(float), draws)
    draw = np.repeat(np.arange(draws), len(rows))
    out = {}
    for name, rule in rules.items():
        size = len(TAXONOMIES[name])
        place = frame.select(place=rule)["place"].to_numpy()
        out[name] = np.bincount(
            draw * size + place, weights=weight, minlength=draws * size
        ).reshape(draws, size)
    return out
