"""One row per stage: customers, value, what to do; and which rules of a taxonomy decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import FREQUENCY
from lifestage.lifecycle.frames import Frame, as_count, collect, open_frame, orders_made
from lifestage.lifecycle.stages.conditions import rules_of
from lifestage.lifecycle.stages.playbook import Playbook, as_playbook
from lifestage.lifecycle.stages.rules import facts_of, first_match, with_cut, with_facts
from lifestage.lifecycle.stages.taxonomies import (
    TAXONOMIES,
    Stage,
    Taxonomy,
    built_in,
    check_language,
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
"""Columns that are added up where the table has them, and the names of the sums."""

COUNTS = ("customers", "orders", "at_risk_customers", "cannot_lose_customers")

COLUMNS = (
    "taxonomy",
    "stage",
    "label",
    "customers",
    "share",
    "orders",
    "revenue",
    "expected_purchases",
    "ltv",
    "ltv_share",
    "mean_activity_ratio",
    "at_risk_customers",
    "at_risk_value",
    "cannot_lose_customers",
    "goal",
    "actions",
)


def stage_table(
    staged: Any,
    lang: str = "en",
    *,
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> pd.DataFrame:
    """Count and add up the customers of every stage, in three taxonomies and those of a playbook.

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
        One row per taxonomy and stage, in order, stages without customers included (prospects only
        if there are any): ``taxonomy``, ``stage``, ``label``, ``customers``, ``share`` (of all
        customers), ``orders`` (purchase days where orders are not known), ``revenue``,
        ``expected_purchases``, ``ltv``, ``ltv_share``, ``mean_activity_ratio``,
        ``at_risk_customers``,
        ``at_risk_value`` (value_lost of those at risk), ``cannot_lose_customers``, ``goal``,
        ``actions``. Money is null where the table has none.

    Raises
    ------
    DataError
        If columns are missing, or hold stages that the playbook does not have.
    ConfigError
        If *lang* is unknown, or the playbook is not one.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> table = stage_table(ls.assign_stages(ls.fit(customers).predict(customers)))
    >>> table.loc[table["taxonomy"] == "line", ["label", "customers"]].values.tolist()[:3]
    [['New friend', 0], ['Active', 336], ['Drowsy', 188]]
    """
    import pandas as pd

    check_language(lang)
    book = (built_in() if playbook is None else as_playbook(playbook).taxonomies).values()
    columns = [taxonomy.column for taxonomy in book]
    frame = open_frame(staged, (*columns, "at_risk", "cannot_lose", FREQUENCY, "activity_ratio"))
    cells = collect(_cells(frame, columns))
    total = {"customers": int(cells["customers"].sum()), "ltv": 0.0}
    if "ltv" in cells:
        total["ltv"] = float(cells["ltv"].sum())
    rows = []
    for taxonomy in book:
        sums = cells.drop(columns=columns).groupby(cells[taxonomy.column]).sum()
        if taxonomy.name not in TAXONOMIES:
            _check_stages(taxonomy, set(sums.index))
        for stage in taxonomy.stages:
            if stage.key in sums.index:
                rows.append(_row(stage, lang, sums.T[stage.key], total))
            elif stage.key != "prospect" or taxonomy.name not in TAXONOMIES:
                rows.append(_row(stage, lang, 0.0 * sums.sum(), total))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    floats = ["ltv_share", *SUMS.values(), "at_risk_value"]
    return table.astype(dict.fromkeys(floats, float))


def _row(stage: Stage, lang: str, sums: pd.Series, total: dict[str, float]) -> dict[str, Any]:
    """Make one row of the table, from the sums over the customers of the stage."""
    row: dict[str, Any] = {name: sums.get(name) for name in (*SUMS.values(), "at_risk_value")}
    for name in COUNTS:
        row[name] = int(sums[name])
    row |= {"taxonomy": stage.taxonomy, "stage": stage.key, "label": stage.labels[lang]}
    row |= {"goal": stage.goals[lang], "actions": stage.actions[lang]}
    row["share"] = sums["customers"] / total["customers"] if total["customers"] else 0.0
    if "ltv" in sums:
        row["ltv_share"] = sums["ltv"] / total["ltv"] if total["ltv"] else 0.0
    buyers = sums["buyers"]
    row["mean_activity_ratio"] = sums["mean_activity_ratio"] / buyers if buyers else None
    return row


def check_taxonomy(
    staged: Any, taxonomy: Taxonomy, *, thresholds: Thresholds | None = None
) -> pd.DataFrame:
    """Show which rules of a taxonomy decide, and which match customers of an earlier stage.

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
        One row per stage, in order: ``stage``, ``customers`` (in the stage), ``matches`` (for whom
        its rule holds; all customers without a rule), ``caught_earlier`` (of these, who are in an
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
    >>> staged = pd.DataFrame({"frequency": [1, 2, 3], "activity_ratio": [0.9, 0.6, 0.1]})
    >>> staged = staged.assign(mean_gap_days=9.0, high_value_cut=4.0)
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
    rules = [as_count(rule) for rule in rules_of(taxonomy, frame, facts_of(frame, limits))]
    keys = taxonomy.keys
    rules += [nw.lit(1)] * (len(keys) - len(rules))
    names = [f"_rule_{i}" for i in range(len(keys))]
    marked = frame.select(FREQUENCY, **dict(zip(names, rules, strict=True)))
    stage = first_match([(nw.col(name) == 1, i) for i, name in enumerate(names)], len(keys))
    parts = marked.with_columns(_stage=stage, _all=nw.lit(1)).group_by("_stage")
    cells = collect(parts.agg(nw.col("_all", *names).sum())).set_index("_stage")
    table = pd.DataFrame({"stage": keys, "matches": cells[names].sum().to_numpy(int)})
    customers = cells["_all"].reindex(range(len(keys)), fill_value=0).to_numpy(int)
    table.insert(1, "customers", customers)
    return table.assign(caught_earlier=table["matches"] - table["customers"])


def _check_stages(taxonomy: Taxonomy, present: set[Any]) -> None:
    """Refuse a column that another playbook made."""
    others = sorted(map(str, present - set(taxonomy.keys)))
    if others:
        expected, first = ", ".join(taxonomy.keys), ", ".join(map(repr, others[:3]))
        raise DataError(f"{taxonomy.column}: expected {expected}; got {first}")


def _cells(frame: Frame, columns: list[str]) -> Frame:
    """Add up by all stages at once, in one pass of the engine; some two hundred rows."""
    names = frame.collect_schema().names()
    orders = nw.col("orders").fill_null(0) if "orders" in names else orders_made()
    risky = nw.col("at_risk")
    values = {
        "customers": nw.lit(1),
        "buyers": as_count(orders_made() >= 1),
        "orders": orders.cast(nw.Float64),
        "at_risk_customers": as_count(risky),
        "cannot_lose_customers": as_count(nw.col("cannot_lose")),
    }
    for name, sum_name in SUMS.items():
        if name in names:
            values[sum_name] = nw.col(name).cast(nw.Float64).fill_null(0.0)
    if "value_lost" in names:
        lost = nw.col("value_lost").fill_null(0.0)
        values["at_risk_value"] = nw.when(risky).then(lost).otherwise(nw.lit(0.0))
    cells = frame.select(*columns, **values).group_by(*columns)
    return cells.agg(nw.col(*values).sum())
