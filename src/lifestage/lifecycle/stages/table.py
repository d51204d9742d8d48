"""A row a stage: who stands there, what they are worth, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import FREQUENCY
from lifestage.lifecycle.frames import collect, open_frame, orders_made
from lifestage.lifecycle.stages.conditions import rules_of
from lifestage.lifecycle.stages.playbook import Playbook, as_playbook
from lifestage.lifecycle.stages.rules import facts_of, first_match, with_cut, with_facts
from lifestage.lifecycle.stages.taxonomies import (
    TAXONOMIES,
    Stage,
    Taxonomy,
    check_language,
    column_of,
)
from lifestage.lifecycle.stages.thresholds import Thresholds

if TYPE_CHECKING:
    import os

    import pandas as pd

__all__ = ["check_taxonomy", "stage_table"]

SUMS = {
    "revenue": "revenue",
    "expected_purchases": "expected_purchases",
    "ltv": "ltv",
    "activity_ratio": "mean_activity_ratio",
}
"""Columns that are added up where they are there, and what they become."""

COLUMNS = [
    *(
        "taxonomy",
        "stage",
        "label",
        "customers",
        "share",
        "orders",
        "revenue",
        "expected_purchases",
        "ltv",
    ),
    *(
        "ltv_share",
        "mean_activity_ratio",
        "at_risk_customers",
        "at_risk_value",
        "cannot_lose_customers",
        "goal",
        "actions",
    ),
]


def stage_table(
    staged: Any, lang: str = "en", *, playbook: str | os.PathLike[str] | Playbook | None = None
) -> pd.DataFrame:
    """Count and add up the customers of every stage of the three taxonomies, and of those of a playbook.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` returned.
    lang : {"en", "zh-Hant", "zh-Hans"}
        Language of label, goal and actions.
    playbook : path or Playbook, optional
        Where label, goal and actions come from, and taxonomies beside the three: that of
        :func:`assign_stages`.

    Returns
    -------
    pandas.DataFrame
        A row a taxonomy and stage, in order, stages without customers included (prospects only
        where there are any): ``taxonomy``, ``stage``, ``label``, ``customers``, ``share`` (of all
        customers), ``orders`` (purchase days where orders are not known), ``revenue``,
        ``expected_purchases``, ``ltv``, ``ltv_share``, ``mean_activity_ratio``, ``at_risk_customers``,
        ``at_risk_value`` (value_lost of those at risk), ``cannot_lose_customers``, ``goal``,
        ``actions``. Money that is not known is null.

    Raises
    ------
    DataError
        If columns are missing, or hold stages that the playbook does not have.
    ConfigError
        If *lang* is unknown, or the playbook is not one.
    """
    import pandas as pd

    check_language(lang)
    book = dict(TAXONOMIES) if playbook is None else _stages(as_playbook(playbook))
    keys = [column_of(taxonomy) for taxonomy in book]
    frame = open_frame(staged, (*keys, "at_risk", "cannot_lose", FREQUENCY, "activity_ratio"))
    cells = collect(_cells(frame, keys))
    customers = int(cells["customers"].sum())
    total = cells["ltv"].sum() if "ltv" in cells else None
    rows = []
    for taxonomy, stages in book.items():
        grouped = cells.drop(columns=keys).groupby(cells[column_of(taxonomy)]).sum()
        sums = {str(name): column.to_dict() for name, column in grouped.items()}
        if taxonomy not in TAXONOMIES:
            _check_stages(taxonomy, stages, set(grouped.index))
        for stage in stages:
            if (
                taxonomy in TAXONOMIES
                and stage.key == "prospect"
                and stage.key not in sums["customers"]
            ):
                continue
            found = {name: float(column.get(stage.key, 0.0)) for name, column in sums.items()}
            count, buyers = found["customers"], found["buyers"]
            ltv = found.get("ltv")
            rows.append(
                {
                    "taxonomy": taxonomy,
                    "stage": stage.key,
                    "label": stage.labels[lang],
                    "share": count / customers if customers else 0.0,
                    "ltv_share": None if ltv is None else ltv / total if total else 0.0,
                    "goal": stage.goals[lang],
                    "actions": stage.actions[lang],
                    **{name: found.get(name) for name in (*SUMS.values(), "at_risk_value")},
                    "mean_activity_ratio": found["mean_activity_ratio"] / buyers
                    if buyers
                    else None,
                    **{name: int(found[name]) for name in COUNTS},
                }
            )
    table = pd.DataFrame(rows, columns=COLUMNS)
    floats = ["ltv_share", *SUMS.values(), "at_risk_value"]
    return table.astype(dict.fromkeys(floats, float))


def check_taxonomy(
    staged: Any, taxonomy: Taxonomy, *, thresholds: Thresholds | None = None
) -> pd.DataFrame:
    """Show which rules of a taxonomy decide, and which find their customers already taken.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` returned.
    taxonomy : Taxonomy
        One with rules, such as ``read_playbook(path).taxonomies["tempo"]``.
    thresholds : Thresholds, optional
        Those of the stages; they say who is of high value.

    Returns
    -------
    pandas.DataFrame
        A row a stage, in order: ``stage``, ``customers`` (who stand there), ``matches`` (for whom
        its rule holds, everyone without a rule), ``caught_earlier`` (of these, who stand in an
        earlier stage). A stage with matches and no customers is never reached on this table.
        Customers in no row match no rule.

    Raises
    ------
    ConfigError
        If the taxonomy has no rules.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifestage.lifecycle.stages.taxonomies import Stage
    >>> stages = tuple(Stage("tempo", key, {}, {}, {}) for key in ("awake", "fast", "rest"))
    >>> tempo = Taxonomy("tempo", {}, stages, ("R >= 0.5", "R >= 0.8", None))
    >>> staged = pd.DataFrame({"frequency": [1, 2, 3], "activity_ratio": [0.9, 0.6, 0.1], "mean_gap_days": [9.0, 9.0, 9.0]})
    >>> staged["high_value_cut"] = 4.0
    >>> check_taxonomy(staged, tempo).to_dict("list")
    {'stage': ['awake', 'fast', 'rest'], 'customers': [2, 0, 1], 'matches': [2, 1, 3],
    'caught_earlier': [0, 1, 2]}
    """
    import pandas as pd

    if taxonomy.name in TAXONOMIES:
        raise ConfigError(
            f"expected a taxonomy with rules of a playbook; got {taxonomy.name}, whose rules are"
            " fixed"
        )
    limits = thresholds or Thresholds()
    frame = open_frame(staged, (FREQUENCY, "activity_ratio", "mean_gap_days"))
    frame = with_facts(with_cut(frame, limits))
    rules = [_one(rule) for rule in rules_of(taxonomy, frame, facts_of(frame, limits))]
    keys = taxonomy.keys
    rules += [nw.lit(1)] * (len(keys) - len(rules))
    names = [f"__{i}" for i in range(len(keys))]
    marked = frame.select(FREQUENCY, **dict(zip(names, rules, strict=True)))
    place = first_match([(nw.col(name) == 1, i) for i, name in enumerate(names)], len(keys))
    parts = marked.with_columns(__place=place, __all=nw.lit(1)).group_by("__place")
    cells = collect(parts.agg(nw.col("__all", *names).sum())).set_index("__place")
    customers = [int(cells["__all"].get(i, 0)) for i in range(len(keys))]
    matches = [int(cells[name].sum()) for name in names]
    caught = [matches[i] - customers[i] for i in range(len(keys))]
    return pd.DataFrame(
        {"stage": keys, "customers": customers, "matches": matches, "caught_earlier": caught}
    )


def _stages(book: Playbook) -> dict[str, tuple[Stage, ...]]:
    return {name: taxonomy.stages for name, taxonomy in book.taxonomies.items()}


def _check_stages(taxonomy: str, stages: tuple[Stage, ...], found: set[Any]) -> None:
    """Refuse a column that another playbook made."""
    keys = [stage.key for stage in stages]
    other = sorted(map(str, found - set(keys)))
    if other:
        raise DataError(
            f"{column_of(taxonomy)}: expected {', '.join(keys)}; got {', '.join(map(repr, other[:3]))}"
        )


COUNTS = ("customers", "orders", "at_risk_customers", "cannot_lose_customers")


def _cells(frame: Any, keys: list[str]) -> Any:
    """Sums by all stages at once, computed by the engine in one pass; some two hundred rows with three taxonomies."""
    names = frame.collect_schema().names()
    orders = nw.col("orders").fill_null(0) if "orders" in names else orders_made()
    risky = nw.col("at_risk")
    columns = {
        "customers": nw.lit(1),
        "buyers": _one(orders_made() >= 1),
        "orders": orders.cast(nw.Float64),
        "at_risk_customers": _one(risky),
        "cannot_lose_customers": _one(nw.col("cannot_lose")),
        **{
            new: nw.col(name).cast(nw.Float64).fill_null(0.0)
            for name, new in SUMS.items()
            if name in names
        },
    }
    if "value_lost" in names:
        lost = nw.col("value_lost").fill_null(0.0)
        columns["at_risk_value"] = nw.when(risky).then(lost).otherwise(nw.lit(0.0))
    parts = frame.select(*keys, **{f"__{name}": expr for name, expr in columns.items()})
    return parts.group_by(*keys).agg(*[nw.col(f"__{name}").sum().alias(name) for name in columns])


def _one(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
