"""Stages with hysteresis: entered at a threshold and left only clearly below it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY
from lifestage.data.engines.frames import lazy, native
from lifestage.data.engines.operations import join_to
from lifestage.lifecycle.frames import open_frame
from lifestage.lifecycle.stages.conditions import NUMBER
from lifestage.lifecycle.stages.playbook import as_playbook
from lifestage.lifecycle.stages.rules import (
    facts_of,
    named_taxonomy,
    stage_key,
    with_cut,
    with_facts,
)
from lifestage.lifecycle.stages.states import state_space
from lifestage.lifecycle.stages.thresholds import Thresholds

if TYPE_CHECKING:
    import os

    from lifestage.lifecycle.frames import Frame
    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.lifecycle.stages.taxonomies import Taxonomy

__all__ = ["smooth_stages"]


def smooth_stages(
    staged: Any,
    before: Any,
    *,
    hysteresis: float = 0.05,
    thresholds: Thresholds | None = None,
    taxonomy: str = "line",
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> Any:
    """Keep customers in the stage of the previous run until they have clearly left it.

    A stage is entered at its threshold of R and left only when R is below it by *hysteresis*, so
    that nobody goes back and forth between two campaigns because of a few days. Nobody is kept
    higher than the stage of the previous run. For tiers see ``previous`` and ``margin`` of
    :func:`lifestage.lifecycle.assign_tiers`; who moved is listed by
    :func:`lifestage.lifecycle.moved_customers`.

    Parameters
    ----------
    staged : frame
        This run, staged by R: ``customer_id``, ``frequency``, ``activity_ratio``, the column of the
        taxonomy, and what its rules read.
    before : frame
        ``customer_id`` and the column of the taxonomy in the previous run, in the same kind. Other
        customers are new and take the stage of this run.
    hysteresis : float
        In units of R, 0 or more and below the lowest threshold.
    thresholds : Thresholds, optional
        Those of the stages.
    taxonomy : str
        ``"line"``, ``"phase"``, ``"segment"``, or one of the playbook.
    playbook : path or Playbook, optional
        That of :func:`lifestage.assign_stages`, for a taxonomy of its own, under the conditions
        that :func:`lifestage.lifecycle.stage_forecast` accepts.

    Returns
    -------
    frame
        *staged* with the smoothed stages in the column of the taxonomy, and the stages without
        hysteresis in ``<column>_strict`` (``activity_stage_strict``), in the kind that went in.

    Raises
    ------
    ConfigError
        If the hysteresis is out of range, or the taxonomy is unknown or does not depend on R.
    DataError
        If columns are missing, or the tables are of two kinds.

    Examples
    --------
    >>> import pandas as pd
    >>> now = pd.DataFrame({"customer_id": [1, 2], "frequency": [3, 3]})
    >>> now = now.assign(activity_ratio=[0.67, 0.60], activity_stage="drowsy")
    >>> then = pd.DataFrame({"customer_id": [1, 2], "activity_stage": "active"})
    >>> smooth_stages(now, then)["activity_stage"].tolist()
    ['active', 'drowsy']
    """
    limits = thresholds or Thresholds()
    chosen = named_taxonomy(taxonomy, None if playbook is None else as_playbook(playbook))
    levels = _levels(chosen, limits)
    if not (math.isfinite(hysteresis) and 0 <= hysteresis < levels.cuts[0]):
        raise ConfigError(
            f"hysteresis must be 0 or more and below the lowest threshold {levels.cuts[0]}; got"
            f" {hysteresis!r}"
        )
    column, strict_column = chosen.column, f"{chosen.column}_strict"
    needed = (CUSTOMER, FREQUENCY, "activity_ratio", column)
    table, kind = lazy(open_frame(staged, needed).to_native())
    previous, previous_kind = lazy(open_frame(before, (CUSTOMER, column)).to_native())
    if kind != previous_kind:
        raise DataError(f"expected two tables of one kind; got {kind} and {previous_kind}")
    names = [name for name in table.collect_schema().names() if name != strict_column]
    previous = previous.select(CUSTOMER, nw.col(column).alias("_previous"))
    joined = join_to(table.select(*names), previous, [CUSTOMER], kind)
    joined = joined.with_columns(nw.col(column).alias(strict_column))
    smoothed = _smoothed(_with_used_facts(joined, chosen, limits), levels, limits, hysteresis)
    return native(smoothed.select(*names, strict_column), kind)


@dataclass(frozen=True)
class _Levels:
    """Levels of R, 0 the quietest: customers are one level up from each cut on.

    ``middles`` are values of R that stand for the levels; ``highest`` is the highest level on which
    any customer can be in a stage, by its key.
    """

    taxonomy: Taxonomy
    cuts: tuple[float, ...]
    middles: tuple[float, ...]
    highest: dict[str, int]


def _levels(taxonomy: Taxonomy, limits: Thresholds) -> _Levels:
    states = state_space((taxonomy,), limits)
    if not states.activity_ratio:
        raise ConfigError(
            f"expected a taxonomy with thresholds of R; the rules of {taxonomy.name} have none"
        )
    cuts = states.activity_ratio[::-1]
    edges = np.array((0.0, *cuts, 1.0))
    stages = states.stage_of_states((taxonomy,), limits)[taxonomy.name].reshape(states.shape)
    highest = {}
    for place, key in enumerate(taxonomy.keys):
        bands = np.flatnonzero((stages == place).any(axis=(0, 2, 3)))
        if bands.size:
            highest[key] = len(cuts) - int(bands[0])  # the bands of the states fall with R
    middles = tuple(((edges[:-1] + edges[1:]) / 2).tolist())
    return _Levels(taxonomy, cuts, middles, highest)


def _with_used_facts(frame: Frame, taxonomy: Taxonomy, limits: Thresholds) -> Frame:
    """Add the facts that the rules read; without high value no cut is asked for."""
    if any(when is not None and "high_value" in when for when in taxonomy.rules):
        frame = with_cut(frame, limits)
    return with_facts(frame)


def _smoothed(frame: Frame, levels: _Levels, limits: Thresholds, hysteresis: float) -> Frame:
    taxonomy, facts = levels.taxonomy, facts_of(frame, limits)
    ratio = nw.col("_activity_ratio")
    # The stage that each customer would have on every level, all else as it is.
    on_level = []
    for middle in levels.middles:
        facts["R"] = facts["activity_ratio"] = (ratio * 0.0 + middle, NUMBER)
        on_level.append(stage_key(taxonomy, frame, facts))
    names = [f"_on_level_{level}" for level in range(len(on_level))]
    frame = frame.with_columns(**dict(zip(names, on_level, strict=True)))
    # The level of the previous stage: the highest on which this customer could be in it, or else
    # the highest on which anybody could (a new friend who bought again was as awake as an active).
    previous, level_before = nw.col("_previous"), nw.lit(-1)
    for key, level in levels.highest.items():
        level_before = nw.when(previous == key).then(nw.lit(level)).otherwise(level_before)
    for level, name in enumerate(names):
        match = previous == nw.col(name)
        level_before = nw.when(match).then(nw.lit(level)).otherwise(level_before)
    frame = frame.with_columns(
        _before=level_before,
        _strict=_reached(ratio, levels.cuts),
        _eased=_reached(ratio, tuple(cut - hysteresis for cut in levels.cuts)),
    )
    kept = nw.max_horizontal(nw.col("_strict"), nw.min_horizontal("_eased", "_before"))
    stage: nw.Expr = nw.col(taxonomy.column)
    for level, name in enumerate(names):
        is_kept = (kept == level) & (nw.col("_strict") < level)
        stage = nw.when(is_kept).then(nw.col(name)).otherwise(stage)
    return frame.with_columns(stage.alias(taxonomy.column))


def _reached(ratio: nw.Expr, cuts: tuple[float, ...]) -> nw.Expr:
    """How many of the cuts R reaches; none where it is null."""
    reached = [nw.when(ratio >= cut).then(nw.lit(1)).otherwise(nw.lit(0)) for cut in cuts]
    return nw.sum_horizontal(*reached)
