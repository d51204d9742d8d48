"""Assignment of one stage per taxonomy to every customer, and of the flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, MEDIAN_GAP
from lifestage.lifecycle.frames import (
    Frame,
    as_count,
    collect,
    open_frame,
    require,
    require_term,
)
from lifestage.lifecycle.stages import flags
from lifestage.lifecycle.stages.conditions import Operand, rules_of
from lifestage.lifecycle.stages.playbook import Playbook, as_playbook
from lifestage.lifecycle.stages.rules import (
    FACT_COLUMNS,
    facts_of,
    stage_key,
    with_cut,
    with_facts,
)
from lifestage.lifecycle.stages.taxonomies import (
    LINE_RULES,
    Taxonomy,
    built_in,
    check_language,
)
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.lifecycle.stages.tiers import assign_tiers

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["NEEDED", "STAGE_COLUMNS", "assign_stages"]

NEEDED = (
    CUSTOMER,
    FREQUENCY,
    "activity_ratio",
    "p_alive",
    "days_silent",
    "mean_gap_days",
    "p_window",
    "p_window_fresh",
    "stage_window_days",
)
"""Columns of a scores table that the rules read; ``expected_spend`` is read where it is there."""

STAGE_COLUMNS = (
    "activity_stage",
    "lifecycle_phase",
    "value_segment",
    "at_risk",
    "cannot_lose",
    "at_risk_reason",
)
"""Columns that :func:`assign_stages` adds, in this order."""


def assign_stages(
    scores: Any,
    *,
    thresholds: Thresholds | None = None,
    line_rule: str = "activity_ratio",
    tiers: str | Mapping[str, Any] | None = None,
    contacts: Any = None,
    lang: str = "en",
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> Any:
    r"""Add the stage of each customer in the three taxonomies, and the flags.

    Rules are tried in order and the first that holds decides, so that each customer has exactly one
    stage per taxonomy. They read R = ``activity_ratio``, N = frequency + 1 purchase days, P(alive)
    and whether a customer is of high value: :math:`N \cdot E[\text{spend}]` (N alone without a
    spend model) at or above ``high_value_cut``, the 80th percentile of the buyers that the model
    was fitted on. So the stages of a customer do not depend on the other rows.

    Parameters
    ----------
    scores : frame
        What ``LTVModel.predict`` returned; pandas, polars, pyarrow, or a DuckDB relation. A row
        whose frequency is null is a contact that has not bought yet.
    thresholds : Thresholds, optional
        The numbers in the rules; the defaults of :class:`Thresholds` if left out.
    line_rule : {"activity_ratio", "nes"}
        Rule of ``activity_stage``: by R, or by silence in multiples of the customer's mean gap
        (≤ 1, 1–2, 2–3, > 3; for those who bought once, of ``median_gap_days``, the median gap of
        the customers that the model was fitted on).
    tiers : {"cumulative", "percentile"} or mapping, optional
        Add the column ``tier``: a method of :func:`assign_tiers`, or its keyword arguments.
    contacts : frame, optional
        Contacts in the kind of ``scores``; those whose ``customer_id`` is not in ``scores`` are
        added as prospects.
    lang : {"en", "zh-Hant", "zh-Hans"}
        Language of ``at_risk_reason``.
    playbook : path or Playbook, optional
        Taxonomies of your own, each a column ``stage_<name>``: a TOML file, or what
        :func:`read_playbook` returned.

    Returns
    -------
    frame
        ``scores`` with ``activity_stage``, ``lifecycle_phase``, ``value_segment`` (keys of the
        taxonomies), ``at_risk``, ``cannot_lose`` (true or false), ``at_risk_reason`` (text, null
        unless at risk), with *tiers* ``tier``, and one column per taxonomy of the playbook, in the
        kind that went in. Columns of these names that were there are replaced.

    Raises
    ------
    DataError
        If columns are missing or hold no cut of high value, a frequency or probability is out of
        range, or a customer matches no rule of a taxonomy of the playbook, or two of one that is
        exclusive.
    ConfigError
        If an option is unknown, or the playbook is not one.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"customer_id": ["a", "b"], "frequency": [0, 5]})
    >>> scores = scores.assign(activity_ratio=[1.0, 0.42], p_alive=[1.0, 0.6])
    >>> scores = scores.assign(days_silent=[3.0, 51.0], mean_gap_days=[None, 18.0])
    >>> scores = scores.assign(p_window=[0.2, 0.31], p_window_fresh=[0.2, 0.74])
    >>> scores = scores.assign(stage_window_days=78.0, high_value_cut=5.0)
    >>> staged = assign_stages(scores)
    >>> staged["activity_stage"].tolist(), staged["value_segment"].tolist()
    (['new', 'half_asleep'], ['recent', 'cannot_lose'])
    >>> staged["at_risk_reason"][1]
    'bought 6 times about every 18 days; silent for 51 days; chance of buying within 78 days fell
    from 74 % to 31 %'
    """
    limits = thresholds or Thresholds()
    check_language(lang)
    if line_rule not in LINE_RULES:
        raise ConfigError(f"line_rule must be one of {', '.join(LINE_RULES)}; got {line_rule!r}")
    custom = () if playbook is None else as_playbook(playbook).custom
    added = (*STAGE_COLUMNS, *(taxonomy.column for taxonomy in custom))
    frame = with_cut(open_frame(scores, NEEDED), limits)
    _check(frame)
    if line_rule == "nes":
        require_term(frame, MEDIAN_GAP, "refit the model on customers of whom some bought twice")
    if contacts is not None:
        frame = _with_contacts(frame, contacts)
    names = [name for name in frame.collect_schema().names() if name not in added]
    frame = with_facts(frame.select(*names))
    facts = facts_of(frame, limits)
    taxonomies = built_in(line_rule).values()
    stages = {taxonomy.column: stage_key(taxonomy, frame, facts) for taxonomy in taxonomies}
    staged = frame.with_columns(
        **stages,
        at_risk=flags.at_risk(limits),
        cannot_lose=flags.cannot_lose(limits, nw.col("_high_value")),
    )
    staged = staged.with_columns(flags.reason(lang).alias("at_risk_reason"))
    if tiers is not None:
        options = {"method": tiers} if isinstance(tiers, str) else dict(tiers)
        staged = open_frame(assign_tiers(staged.to_native(), **options), ())
    own = []
    for taxonomy in custom:
        _check_promises(staged, taxonomy, facts)
        own.append(stage_key(taxonomy, staged, facts).alias(taxonomy.column))
    if own:
        staged = staged.with_columns(*own)
    return staged.drop(*FACT_COLUMNS).to_native()


def _check_promises(frame: Frame, taxonomy: Taxonomy, facts: Mapping[str, Operand]) -> None:
    """Refuse a table on which the rules of a taxonomy do not give every customer one stage."""
    rules = rules_of(taxonomy, frame, facts)
    matches: nw.Expr = nw.lit(0)
    for rule in rules:
        matches = matches + as_count(rule)
    if len(rules) == len(taxonomy.keys):
        way_out = "give the last stage no `when`, so that it takes everyone else"
        _refuse_any(
            frame.filter(matches == 0),
            taxonomy,
            "a rule that holds for every customer",
            f"no rule; {way_out}",
        )
    if taxonomy.exclusive and len(rules) > 1:
        _refuse_any(
            frame.filter(matches > 1),
            taxonomy,
            "at most one rule for a customer (exclusive = true)",
            "more",
        )


def _refuse_any(wrong: Frame, taxonomy: Taxonomy, expected: str, got: str) -> None:
    count = int(collect(wrong.select(nw.len().alias("n")))["n"].iloc[0])
    if count:
        first = collect(wrong.select(CUSTOMER).sort(CUSTOMER).head(3))[CUSTOMER].tolist()
        who = f"{count:,} customers (first {', '.join(map(repr, first))})"
        raise DataError(f"taxonomy {taxonomy.name}: expected {expected}; got {who} with {got}")


def _check(frame: Frame) -> None:
    """Refuse buyers whose history or probabilities cannot be."""
    x = nw.col(FREQUENCY).cast(nw.Float64).fill_nan(None)
    buyers = frame.filter(~x.is_null())
    probability = "a probability in [0, 1]"
    checks = {
        FREQUENCY: (x >= 0, "0 or more, or null for a contact without a purchase"),
        "activity_ratio": (_between("activity_ratio"), probability),
        "p_alive": (_between("p_alive"), probability),
    }
    # One pass over the data for all checks; the rows are looked for only where one fails.
    valid = [as_count(holds).sum().alias(name) for name, (holds, _) in checks.items()]
    counts = collect(buyers.select(nw.len().alias("_rows"), *valid)).fillna(0).iloc[0]
    for name, (holds, expected) in checks.items():
        if counts[name] < counts["_rows"]:
            require(buyers, holds, expected, name)


def _between(name: str) -> nw.Expr:
    return (nw.col(name) >= 0.0) & (nw.col(name) <= 1.0 + 1e-9)


def _with_contacts(frame: Frame, contacts: Any) -> Frame:
    """Append contacts that are not in *frame* as rows without a purchase."""
    others = open_frame(contacts, (CUSTOMER,)).select(CUSTOMER).unique()
    if others.implementation != frame.implementation or type(others) is not type(frame):
        kinds = f"{frame.implementation.name.lower()} and {others.implementation.name.lower()}"
        raise DataError(f"contacts must be a table of the same kind as scores; got {kinds}")
    new = others.join(frame.select(CUSTOMER), on=CUSTOMER, how="anti")
    return nw.concat([frame, new], how="diagonal")
