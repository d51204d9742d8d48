"""How many customers are in each stage, with intervals over the draws of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import FREQUENCY, KEYS, RECENCY, T
from lifestage.families import family
from lifestage.lifecycle.frames import collect
from lifestage.lifecycle.stages.playbook import as_playbook
from lifestage.lifecycle.stages.rules import (
    explained,
    facts_of,
    stage_index,
    taxonomies_of,
    with_buyer_facts,
)
from lifestage.lifecycle.stages.states import check_predictable
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.numerics import special

if TYPE_CHECKING:
    import os

    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.lifecycle.stages.taxonomies import Taxonomy
    from lifestage.model import LTVModel

__all__ = ["stage_counts"]

MAX_DRAWS, MIN_DRAWS = 100, 20
"""Draws that the counts are made of: fewer where there are more rows."""

MAX_CELLS = 20_000_000
"""Draws times distinct rows."""

CELLS_PER_BLOCK = 1_000_000
"""Draws times distinct rows worked on at once."""

DISTINCT = (*KEYS, "stage_window_days", "_high_value")


def stage_counts(
    model: LTVModel,
    staged: Any,
    *,
    level: float = 0.9,
    thresholds: Thresholds | None = None,
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> pd.DataFrame:
    """Count the customers of every stage under each draw of the parameters.

    The stage of a customer follows from the parameters and the history alone, so these intervals
    hold the uncertainty of the parameters and nothing else. Who is of high value is taken from the
    scores.

    Parameters
    ----------
    model : LTVModel
        With draws (``method="laplace"`` or ``"nuts"``).
    staged : frame
        What :func:`lifestage.assign_stages` made of the scores of *model*.
    level : float
        Interval level, in (0, 1).
    thresholds : Thresholds, optional
        Those of the stages.
    playbook : path or Playbook, optional
        That of :func:`lifestage.assign_stages`: its own taxonomies are counted too, under the
        conditions that :func:`stage_forecast` accepts.

    Returns
    -------
    pandas.DataFrame
        One row per taxonomy and stage: ``taxonomy``, ``stage``, ``low``, ``high`` (customers;
        prospects are not counted). A taxonomy whose stages in *staged* do not follow from its rules
        and *thresholds* is left out.

    Raises
    ------
    ConfigError
        If the model is a point estimate, *level* is out of range, or a condition of the playbook
        reads what does not follow from a draw.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers, spend=None, method="laplace", draws=20)
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
    taxonomies = taxonomies_of(None if playbook is None else as_playbook(playbook))
    for taxonomy in taxonomies:
        check_predictable(taxonomy, limits)
    frame = with_buyer_facts(staged, taxonomies, limits)
    counted = explained(frame, taxonomies, limits)
    rows = collect(
        frame.select(*DISTINCT, weight=nw.lit(1.0)).group_by(*DISTINCT).agg(nw.col("weight").sum())
    )
    model = model.thin(int(np.clip(MAX_CELLS // len(rows), MIN_DRAWS, MAX_DRAWS)))
    size = max(1, CELLS_PER_BLOCK // model.purchases.size)
    counts = {}
    for taxonomy in counted:
        counts[taxonomy.name] = np.zeros((model.purchases.size, len(taxonomy.keys)))
    for begin in range(0, len(rows), size):
        block = _counts(model, rows.iloc[begin : begin + size], counted, limits)
        for name, part in block.items():
            counts[name] += part
    ends = [(1 - level) / 2, (1 + level) / 2]
    table = []
    for taxonomy in counted:
        intervals = np.quantile(counts[taxonomy.name], ends, axis=0).T
        for key, (low, high) in zip(taxonomy.keys, intervals.tolist(), strict=True):
            if key != "prospect" or taxonomy.name not in TAXONOMIES:
                table.append((taxonomy.name, key, low, high))
    return pd.DataFrame(table, columns=["taxonomy", "stage", "low", "high"])


def _counts(
    model: LTVModel, rows: pd.DataFrame, taxonomies: list[Taxonomy], limits: Thresholds
) -> dict[str, Floats]:
    """Count customers by draw and stage of each taxonomy, shape (draws, stages)."""
    import pandas as pd

    module, params = family(model.purchases.family), model.purchases.columns()
    x, t_x, t = (rows[name].to_numpy(float) for name in (FREQUENCY, RECENCY, T))
    h = rows["stage_window_days"].to_numpy(float) / model.period.days
    fresh = np.maximum(module.p_purchase(h, x, t_x, t_x, **params), special.TINY)
    ratio = np.clip(module.p_purchase(h, x, t_x, t, **params) / fresh, special.TINY, 1.0)
    alive = np.broadcast_to(module.p_alive(x, t_x, t, **params), ratio.shape)
    draws = len(ratio)
    table = pd.DataFrame(
        {
            "p_alive": alive.ravel(),
            "activity_ratio": ratio.ravel(),
            "_activity_ratio": ratio.ravel(),
            "frequency": np.tile(x, draws),
            "_purchase_days": np.tile(x + 1.0, draws),
            "_high_value": np.tile(rows["_high_value"].to_numpy(bool), draws),
        }
    )
    frame = nw.from_native(table)
    facts = facts_of(frame, limits)
    weight = np.tile(rows["weight"].to_numpy(float), draws)
    draw = np.repeat(np.arange(draws), len(rows))
    counts = {}
    for taxonomy in taxonomies:
        stages = len(taxonomy.keys)
        index = frame.select(index=stage_index(taxonomy, frame, facts))["index"].to_numpy()
        cells = np.bincount(draw * stages + index, weights=weight, minlength=draws * stages)
        counts[taxonomy.name] = cells.reshape(draws, stages)
    return counts
