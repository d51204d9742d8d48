"""How many customers stand in each stage, with intervals over the draws of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from lifestage import special
from lifestage.errors import ConfigError
from lifestage.families import family
from lifestage.lifecycle.assign import first_match, is_valuable, line_rules, phase_rules, segment_rules, with_cut
from lifestage.lifecycle.frames import collect, open_frame
from lifestage.lifecycle.taxonomies import TAXONOMIES
from lifestage.lifecycle.thresholds import Thresholds
from lifestage.tables import FREQUENCY, KEYS, RECENCY, T

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["explains", "rules_by_taxonomy", "stage_counts", "with_facts"]

Floats = NDArray[np.float64]

DRAWS, ROWS = 100, 20_000_000
"""Draws that the counts are made of, and draws times distinct rows: fewer draws where there are more rows."""

BLOCK = 1_000_000
"""Draws times distinct rows worked on at once."""

NEEDED = (*KEYS, "p_alive", "retained", "stage_window_days", "stage_line", "stage_phase", "stage_segment")


def stage_counts(
    model: LTVModel, staged: Any, *, level: float = 0.9, thresholds: Thresholds | None = None
) -> pd.DataFrame:
    """Count the customers of every stage under each draw of the parameters.

    Where a customer stands follows from the parameters and the history alone, so these intervals hold the error of the
    parameters; nothing is left to chance today. Who is of high value is taken from the scores.

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
        ``taxonomy``, ``stage``, ``low``, ``high`` (customers; prospects are not counted). A taxonomy whose stages in
        *staged* follow another rule than R and *thresholds* is left out.

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
        raise ConfigError('expected draws for intervals of stage counts; fit with method="laplace" or "nuts"')
    if not 0 < level < 1:
        raise ConfigError(f"level must be a probability in (0, 1); got {level!r}")
    limits = thresholds or Thresholds()
    frame = with_facts(staged, limits)
    rules = {name: rule for name, rule in rules_by_taxonomy(limits).items() if explains(frame, name, rule)}
    rows = collect(
        frame.select(*KEYS, "stage_window_days", "__high", weight=nw.lit(1.0))
        .group_by(*KEYS, "stage_window_days", "__high")
        .agg(nw.col("weight").sum())
    )
    size = int(np.clip(ROWS // len(rows), 20, DRAWS))
    model = model.thinned(size)
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


def with_facts(staged: Any, limits: Thresholds) -> Any:
    """The buyers of *staged* with what the rules read."""
    frame = open_frame(staged, NEEDED)
    frame = frame.filter(~nw.col(FREQUENCY).is_null())
    frame = with_cut(frame, limits)
    return frame.with_columns(__n=nw.col(FREQUENCY) + 1.0, __r=nw.col("retained"), __high=is_valuable(frame))


def rules_by_taxonomy(limits: Thresholds) -> dict[str, nw.Expr]:
    """The place of a customer's stage in each taxonomy."""
    high = nw.col("__high")
    tests = {
        "line": (line_rules(limits), "asleep"),
        "phase": (phase_rules(limits, high), "retain"),
        "segment": (segment_rules(limits, high), "about_to_lose"),
    }
    out = {}
    for name, (rules, rest) in tests.items():
        place = {stage.key: i for i, stage in enumerate(TAXONOMIES[name])}
        out[name] = first_match([(holds, place[key]) for holds, key in rules], place[rest])
    return out


def explains(frame: Any, name: str, rule: nw.Expr) -> bool:
    """Whether the stages in the frame are those of the rule."""
    column = nw.col(f"stage_{name}")
    place = first_match([(column == stage.key, i) for i, stage in enumerate(TAXONOMIES[name])], -1)
    other = nw.when(place != rule).then(nw.lit(1)).otherwise(nw.lit(0))
    return not collect(frame.select(other=other).select(nw.col("other").sum()))["other"].iloc[0]


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
    frame = nw.from_native(pd.DataFrame(columns | {"__high": np.tile(rows["__high"].to_numpy(bool), draws)}))
    weight = np.tile(rows["weight"].to_numpy(float), draws)
    draw = np.repeat(np.arange(draws), len(rows))
    out = {}
    for name, rule in rules.items():
        size = len(TAXONOMIES[name])
        place = frame.select(place=rule)["place"].to_numpy()
        out[name] = np.bincount(draw * size + place, weights=weight, minlength=draws * size).reshape(draws, size)
    return out
