"""The rules of the stages over a table of customers.

The rules themselves stand once, in ``playbook.toml``, in the condition language that playbooks of
the user share. This file says what the names in them mean for a row: N, R, high value, the own gap
and the thresholds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError
from lifestage.core.names import FREQUENCY, HIGH_VALUE_CUT, KEYS, MEDIAN_GAP
from lifestage.lifecycle.frames import (
    Frame,
    collect,
    open_frame,
    orders_made,
    require_term,
)
from lifestage.lifecycle.stages.conditions import FLAG, NUMBER, Operand, rules_of
from lifestage.lifecycle.stages.taxonomies import built_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.lifecycle.stages.taxonomies import Taxonomy
    from lifestage.lifecycle.stages.thresholds import Thresholds

__all__ = [
    "FACT_COLUMNS",
    "TIE_TOLERANCE",
    "explained",
    "facts_of",
    "first_match",
    "is_valuable",
    "named_taxonomy",
    "stage_index",
    "stage_key",
    "taxonomies_of",
    "value_expr",
    "with_buyer_facts",
    "with_cut",
    "with_facts",
]

TIE_TOLERANCE = 1e-12
"""Customers who tie with the cut of high value belong to it, whatever the engine's last digit."""

FACT_COLUMNS = ("_purchase_days", "_activity_ratio", "_high_value")
"""Columns that :func:`with_facts` adds for the time the rules are read."""


def taxonomies_of(playbook: Playbook | None = None) -> tuple[Taxonomy, ...]:
    """Line, phase and segment, and the taxonomies of the playbook with rules of its own."""
    return (*built_in().values(), *(() if playbook is None else playbook.custom))


def named_taxonomy(name: str, playbook: Playbook | None = None) -> Taxonomy:
    """Return the taxonomy called *name*.

    Raises
    ------
    ConfigError
        If there is none.
    """
    by_name = {taxonomy.name: taxonomy for taxonomy in taxonomies_of(playbook)}
    if name not in by_name:
        raise ConfigError(f"taxonomy must be one of {', '.join(by_name)}; got {name!r}")
    return by_name[name]


def with_facts(frame: Frame) -> Frame:
    """Add what the rules read most: N, R without NaN, and high value if there is a cut."""
    ratio = nw.col("activity_ratio").cast(nw.Float64).fill_nan(None)
    frame = frame.with_columns(_purchase_days=orders_made(), _activity_ratio=ratio)
    if HIGH_VALUE_CUT in frame.collect_schema().names():
        frame = frame.with_columns(_high_value=is_valuable(frame))
    return frame


def facts_of(frame: Frame, limits: Thresholds) -> dict[str, Operand]:
    """Return the names that conditions read beside columns, over a frame of :func:`with_facts`."""
    n = nw.col("_purchase_days")
    facts: dict[str, Operand] = {
        "N": (n, NUMBER),
        "R": (nw.col("_activity_ratio"), NUMBER),
    }
    columns = frame.collect_schema().names()
    if "_high_value" in columns:
        facts["high_value"] = (nw.col("_high_value"), FLAG)
    if "mean_gap_days" in columns and MEDIAN_GAP in columns:
        own_gap = nw.when(n >= 2).then(nw.col("mean_gap_days")).otherwise(nw.col(MEDIAN_GAP))
        facts["own_gap"] = (own_gap.cast(nw.Float64).fill_nan(None), NUMBER)
    for name, value in limits.constants().items():
        facts[name] = (value, NUMBER)
    return facts


def first_match(rules: Sequence[tuple[nw.Expr, Any]], rest: Any) -> nw.Expr:
    """Return the value of the first rule that holds, or *rest*."""
    result: nw.Expr = nw.lit(rest)
    for holds, value in reversed(rules):
        result = nw.when(holds).then(nw.lit(value)).otherwise(result)
    return result


def stage_key(taxonomy: Taxonomy, frame: Frame, facts: Mapping[str, Operand]) -> nw.Expr:
    """Return the key of a customer's stage."""
    return _stage(taxonomy, frame, facts, taxonomy.keys)


def stage_index(taxonomy: Taxonomy, frame: Frame, facts: Mapping[str, Operand]) -> nw.Expr:
    """Return the place of a customer's stage in its taxonomy, from 0."""
    return _stage(taxonomy, frame, facts, range(len(taxonomy.keys)))


def _stage(
    taxonomy: Taxonomy, frame: Frame, facts: Mapping[str, Operand], values: Sequence[Any]
) -> nw.Expr:
    """Pick from *values* for the first stage whose rule holds, the last for everyone else."""
    rules = rules_of(taxonomy, frame, facts)[: len(values) - 1]
    return first_match(list(zip(rules, values, strict=False)), values[-1])


def value_expr(frame: Frame) -> nw.Expr:
    """Return N · expected_spend, or N without a spend model: what high value is judged by."""
    n = orders_made()
    value = n
    if "expected_spend" in frame.collect_schema().names():
        value = n * nw.col("expected_spend")
    return nw.when(n >= 1).then(value)


def is_valuable(frame: Frame) -> nw.Expr:
    """Whether a customer is of high value, by the cut in the own row; false for contacts."""
    return (value_expr(frame) >= nw.col(HIGH_VALUE_CUT) * (1.0 - TIE_TOLERANCE)).fill_null(False)


def with_cut(frame: Frame, limits: Thresholds) -> Frame:
    """Add the cut of high value: that of the thresholds, or else the one the scores carry.

    Raises
    ------
    DataError
        If the scores of a buyer carry none.
    """
    if limits.high_value_cut is not None:
        return frame.with_columns(nw.lit(float(limits.high_value_cut)).alias(HIGH_VALUE_CUT))
    require_term(
        frame,
        HIGH_VALUE_CUT,
        "refit the model, or give the cut as Thresholds(high_value_cut=…)",
    )
    return frame


def with_buyer_facts(staged: Any, taxonomies: Iterable[Taxonomy], limits: Thresholds) -> Frame:
    """Return the buyers of a staged table with what the rules read.

    Raises
    ------
    DataError
        If columns are missing.
    """
    columns = [taxonomy.column for taxonomy in taxonomies]
    frame = open_frame(staged, (*KEYS, "p_alive", "activity_ratio", "stage_window_days", *columns))
    return with_facts(with_cut(frame.filter(~nw.col(FREQUENCY).is_null()), limits))


def explained(frame: Frame, taxonomies: Iterable[Taxonomy], limits: Thresholds) -> list[Taxonomy]:
    """Keep the taxonomies whose stages in a frame of :func:`with_buyer_facts` follow the rules."""
    facts = facts_of(frame, limits)
    differences = {}
    for taxonomy in taxonomies:
        equal = nw.col(taxonomy.column) == stage_key(taxonomy, frame, facts)
        differences[taxonomy.name] = nw.when(equal).then(nw.lit(0)).otherwise(nw.lit(1)).sum()
    counts = collect(frame.select(**differences)).iloc[0]
    return [taxonomy for taxonomy in taxonomies if not counts[taxonomy.name]]
