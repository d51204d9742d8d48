"""Stages with memory: entered at one threshold and left only below a lower one."""

from __future__ import annotations

import math
from typing import Any

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import join_to, lazy, native
from lifestage.lifecycle.frames import open_frame, orders_made
from lifestage.lifecycle.stages.thresholds import Thresholds

__all__ = ["smooth_stages"]

RANKS = {"asleep": 0, "half_asleep": 1, "drowsy": 2, "new": 3, "active": 3}
"""From the quietest."""


def smooth_stages(
    staged: Any, before: Any, *, margin: float = 0.05, thresholds: Thresholds | None = None
) -> Any:
    """Keep customers in the stage of the run before until they have clearly left it.

    A stage is entered at its threshold of R and left only when R is below it by *margin*; so nobody
    goes back and forth between two campaigns because of a few days. Tiers have the same memory with
    ``previous`` and ``margin`` of :func:`lifestage.lifecycle.assign_tiers`; who moved is listed by
    :func:`lifestage.lifecycle.moved_customers`.

    Parameters
    ----------
    staged : frame
        This run, staged by R.
    before : frame
        ``customer_id`` and ``activity_stage`` of the run before, in the same kind. Others are new and
        have no memory.
    margin : float
        Of R, 0 or more and below the lowest threshold.
    thresholds : Thresholds, optional
        Those of the stages.

    Returns
    -------
    frame
        *staged* with ``activity_stage`` so kept, and ``stage_line_strict``, what it would be without
        memory.

    Raises
    ------
    ConfigError
        If the margin is out of range.
    DataError
        If columns are missing, or the tables are of two kinds.

    Examples
    --------
    >>> import pandas as pd
    >>> now = pd.DataFrame({"customer_id": [1, 2], "frequency": [3, 3], "activity_ratio": [0.67, 0.60],
    ...                     "activity_stage": ["drowsy", "drowsy"]})
    >>> then = pd.DataFrame({"customer_id": [1, 2], "activity_stage": ["active", "active"]})
    >>> smooth_stages(now, then)["activity_stage"].tolist()
    ['active', 'drowsy']
    """
    limits = thresholds or Thresholds()
    if not (math.isfinite(margin) and 0 <= margin < limits.asleep):
        raise ConfigError(
            f"margin must be 0 or more and below the lowest threshold {limits.asleep}; got"
            f" {margin!r}"
        )
    table, kind = lazy(
        open_frame(staged, (CUSTOMER, "frequency", "activity_ratio", "activity_stage")).to_native()
    )
    other, kind_before = lazy(open_frame(before, (CUSTOMER, "activity_stage")).to_native())
    if kind != kind_before:
        raise DataError(f"expected two tables of one kind; got {kind} and {kind_before}")
    names = [name for name in table.collect_schema().names() if name != "stage_line_strict"]
    was = other.select(CUSTOMER, nw.col("activity_stage").alias("__was"))
    joined = join_to(table, was, [CUSTOMER], kind)
    r = nw.col("activity_ratio").fill_null(0.0)
    cuts = (limits.asleep, limits.drowsy, limits.awake)
    eased = nw.sum_horizontal(
        *[nw.when(r >= cut - margin).then(nw.lit(1)).otherwise(nw.lit(0)) for cut in cuts]
    )
    strict, then = _rank("activity_stage"), _rank("__was")
    kept = nw.min_horizontal(eased, then)
    joined = joined.with_columns(__kept=nw.max_horizontal(strict, kept), __strict=strict)
    stage: nw.Expr = nw.col("activity_stage")
    for key, rank in RANKS.items():
        if key != "new":
            stage = (
                nw.when((nw.col("__kept") == rank) & (nw.col("__kept") > nw.col("__strict")))
                .then(nw.lit(key))
                .otherwise(stage)
            )
    single = (nw.col("__kept") == RANKS["new"]) & (orders_made() < 2) & (orders_made() >= 1)
    stage = nw.when(single).then(nw.lit("new")).otherwise(stage)
    out = joined.with_columns(stage_line_strict=nw.col("activity_stage")).with_columns(
        activity_stage=stage
    )
    return native(out.select(*names, "stage_line_strict"), kind)


def _rank(column: str) -> nw.Expr:
    out: nw.Expr = nw.lit(-1)
    for key, rank in RANKS.items():
        out = nw.when(nw.col(column) == key).then(nw.lit(rank)).otherwise(out)
    return out
