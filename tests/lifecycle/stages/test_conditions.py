from __future__ import annotations

import operator
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import assign_stages
from lifestage.lifecycle.stages.playbook import read_playbook
from tests.lifecycle.playbooks import rules, tempo_of
from tests.lifecycle.tables import KINDS, as_kind, random_scores, scores, to_pandas


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("when", "holds"),
    [
        # for a buyer with x = 2, R = 0.5; a buyer with x = 0 and no gap; a contact without a purchase
        ("mean_gap_days > 5", [True, False, False]),
        ("mean_gap_days != 5", [True, False, False]),
        ("not mean_gap_days > 5", [False, True, True]),
        ("mean_gap_days == mean_gap_days", [True, False, False]),
        ("activity_ratio < 0.9", [True, False, False]),
        ("R < 0.9", [True, False, False]),
        ("N == 0", [False, False, True]),
        ("N > 0", [True, True, False]),
        ("high_value", [True, False, False]),
        ("not high_value", [False, True, True]),
        ("not (high_value or N < 1)", [False, True, False]),
        ("at_risk_reason == 'x' or channel != 'web'", [False, True, False]),
        ("channel == channel", [True, True, False]),
        ("frequency / frequency == 1", [True, False, False]),
        ("not frequency / frequency == 1", [False, True, True]),
        ("0 <= frequency < 2", [False, True, False]),
        ("-frequency + +1 == -1", [True, False, False]),
        ("1 / 2 + 0.25 * 2 - 0.5 == R", [True, False, False]),
        ("2 >= N > 0.5", [False, True, False]),
        ("odd == 'it\"s \\' 快'", [True, False, False]),
        ("activity_stage == 'prospect' and lifecycle_phase == 'acquire'", [False, False, True]),
        ("big == 7", [True, False, False]),
        ("member", [True, False, False]),
        ("not member", [False, True, True]),
    ],
)
def test_conditions_and_nulls(kind: str, when: str, holds: list[bool], write: Any) -> None:
    table = scores([{"x": 2, "r": 0.5, "spend": 9.0}, {"x": 0, "r": 0.9}, {"x": None, "r": None}])
    table["channel"] = pd.Series(["web", "shop", None], dtype="str")
    table["odd"] = pd.Series(["it\"s ' 快", "b", None], dtype="str")
    table["big"] = pd.array([7, None, None], dtype="Int64")
    table["member"] = pd.array([True, False, None], dtype="boolean")
    path = write(rules(when, None))
    assert tempo_of(as_kind(table, kind), path) == ["a" if each else "b" for each in holds]


@pytest.mark.parametrize("kind", ["polars", "duckdb", "pyarrow"])
def test_not_a_number_counts_as_null(kind: str, write: Any) -> None:
    import pyarrow as pa

    table = pa.Table.from_pandas(scores([{"x": 1}, {"x": 1}]), preserve_index=False)
    table = table.append_column("extra", pa.array([float("nan"), 3.0], from_pandas=False))
    native: Any = table
    if kind == "polars":
        import polars as pl

        native = pl.from_arrow(table)
    elif kind == "duckdb":
        import duckdb

        native = duckdb.from_arrow(table)
    assert tempo_of(native, write(rules("extra > 2", None))) == ["b", "a"]
    assert tempo_of(native, write(rules("extra + 1 != 2", None))) == ["b", "a"]


NUMBERS = ("frequency", "activity_ratio", "mean_gap_days", "N", "R", "days_silent")
OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> tuple[Any, ...]:
    what = draw(st.sampled_from(["leaf", "and", "or", "not"] if depth else ["leaf"]))
    if what == "leaf":
        return (
            draw(st.sampled_from(sorted(OPERATORS))),
            draw(st.sampled_from(NUMBERS)),
            draw(st.sampled_from([0.0, 0.2, 0.45, 0.7, 1.0, 2.0, 20.0])),
        )
    if what == "not":
        return what, draw(trees(depth - 1))
    return what, draw(trees(depth - 1)), draw(trees(depth - 1))


def written(tree: tuple[Any, ...]) -> str:
    if tree[0] == "not":
        return f"not ({written(tree[1])})"
    if tree[0] in ("and", "or"):
        return f"({written(tree[1])}) {tree[0]} ({written(tree[2])})"
    return f"{tree[1]} {tree[0]} {tree[2]}"


def true(tree: tuple[Any, ...], row: dict[str, float]) -> bool:
    if tree[0] == "not":
        return not true(tree[1], row)
    if tree[0] in ("and", "or"):
        both = true(tree[1], row), true(tree[2], row)
        return all(both) if tree[0] == "and" else any(both)
    value = row[tree[1]]
    return value == value and OPERATORS[tree[0]](value, tree[2])


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    given_rules=st.lists(trees(), min_size=1, max_size=4),
    kind=st.sampled_from(["pandas", "polars", "duckdb"]),
)
def test_every_customer_has_one_stage_by_any_rules(
    given_rules: list[Any], kind: str, write: Any
) -> None:
    table = random_scores(6, 60, prospects=4)
    staged = to_pandas(
        assign_stages(as_kind(table, kind), playbook=write(rules(*map(written, given_rules), None)))
    )
    rows = table.assign(N=table["frequency"].add(1).fillna(0), R=table["activity_ratio"])[
        list(NUMBERS)
    ].to_dict("records")
    wanted = [
        next(("abcdefgh"[i] for i, tree in enumerate([*given_rules]) if true(tree, row)), None)
        for row in rows
    ]
    rest = "abcdefgh"[len(given_rules)]
    assert staged["stage_tempo"].tolist() == [each or rest for each in wanted]


# ---------------------------------------------------------------- what is refused

SAFE = r"expected comparisons \(< <= > >= == !=\) of columns, numbers and texts"


@pytest.mark.parametrize(
    "when",
    [
        "__import__('os')",
        "__import__('os').system('true') == 0",
        "retained.__class__ == 1",
        "retained.mean() > 1",
        "len(customer_id) > 3",
        "(lambda: 1)() == 1",
        "[x for x in frequency] == 1",
        "(x for x in frequency)",
        "frequency[0] == 1",
        "(frequency := 3) > 2",
        "f'{retained}' == 'a'",
        "b'a' == channel",
        "1j == frequency",
        "None == frequency",
        "frequency ** 9 > 1",
        "frequency % 2 == 1",
        "frequency // 2 == 1",
        "frequency & 1",
        "~frequency == 1",
        "frequency if retained else 3",
        "frequency > 1, activity_ratio > 1",
        "{'a': 1} == frequency",
        "*frequency == 1",
        "frequency + 1",
        "(frequency > 1) + 1 == 2",
        "3",
        "'text'",
        "frequency = 3",
        "frequency in (1, 2)",
        "frequency is retained",
        "frequency >",
        "",
        "import os",
        "frequency > 1; activity_ratio > 1",
        "frequency > 1e999",
        "a\0 > 1",
    ],
)
def test_only_conditions_are_understood(when: str, write: Any) -> None:
    path = write(
        rules("R > 2", None).replace("'''R > 2'''", '"' + when.replace("\0", "\\u0000") + '"')
    )
    with pytest.raises(ConfigError, match=SAFE) as caught:
        read_playbook(path)
    assert str(caught.value).startswith(f"{path}: taxonomy.tempo.stage.a.when: ")


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("1 < 2", "a column on one side of a comparison; got '1 < 2'"),
        ("N == 'a'", "two numbers or two texts"),
        ("'a' + 1 == frequency", "a number in a sum or product"),
        ("high_value == R", "stands alone"),
        ("high_value == True", "stands alone"),
        ("channel < 'b'", "== or != between texts"),
        ("N", "a comparison, or a column that is true or false; got 'N'"),
        ("R / 0 > 1", "no division by zero"),
        ("R / (1 - 1) > 1", "no division by zero"),
        ("R > " + "1 + " * 600 + "1", "at most 2,000 characters"),
        ("R > " + "1 + " * 100 + "1", "at most 60 levels"),
        ("not " * 400 + "high_value", "at most 60 levels"),
        ("-" * 1900 + "R > 1", "expected"),
        ("(" * 900 + "R > 1" + ")" * 900, "expected"),
    ],
)
def test_conditions_that_make_no_sense(when: str, message: str, write: Any) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        read_playbook(write(rules(when, None)))


@pytest.mark.parametrize("kind", ["pandas", "polars", "duckdb"])
@pytest.mark.parametrize(
    ("when", "message"),
    [
        (
            "tempo > 1",
            "taxonomy tempo, stage a: column missing: tempo; the table has customer_id, frequency",
        ),
        ("stage_tempo == 'a'", "column missing: stage_tempo"),
        ("customer_id > 1", "two numbers or two texts"),
        ("frequency == 'a'", "two numbers or two texts"),
        ("at_risk == 1", "stands alone"),
        ("frequency", "a comparison, or a column that is true or false; got 'frequency'"),
        ("customer_id > activity_stage", "== or != between texts"),
        ("activity_stage + 1 > 2", "a number in a sum or product"),
        (
            "joined == 3",
            "expected a column of numbers, texts or true and false; got joined of Date",
        ),
    ],
)
def test_columns_are_checked_against_the_table(
    kind: str, when: str, message: str, write: Any
) -> None:
    table = scores([{"id": "c1"}, {"id": "c2"}])
    table["joined"] = pd.Timestamp("2024-05-01")
    with pytest.raises(DataError, match=message):
        assign_stages(as_kind(table, kind), playbook=write(rules(when, None)))
