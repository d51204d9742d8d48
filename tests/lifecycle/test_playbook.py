from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifestage.errors import ConfigError, DataError
from lifestage.lifecycle import LANGUAGES, STAGE_COLUMNS, TAXONOMIES, Thresholds, assign_stages, stage_table
from lifestage.lifecycle.playbook import Playbook, read_playbook
from lifestage.lifecycle.stage_table import check_taxonomy
from tests.lifecycle.tables import KINDS, as_kind, random_scores, scores, to_pandas

TEMPO = """
[taxonomy.tempo]
title = "Tempo"
[[taxonomy.tempo.stage]]
key = "fast"
label = { en = "Fast", zh-Hant = "快" }
goal = "Keep up"
actions = "Nothing, they come by themselves"
when = "retained >= 0.7 and frequency >= 3"
[[taxonomy.tempo.stage]]
key = "odd_ones"
when = '''
  (0.1 < R <= 0.5 and not cannot_lose and stage_line != "asleep")
  or N * 2 - 1 > days_silent / 10.0 and high_value
'''
[[taxonomy.tempo.stage]]
key = "rest"
goal = { zh-Hant = "其餘" }
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a text to a file and give its path."""

    def written(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return path

    return written


def rules(*conditions: str | None, head: str = "") -> str:
    """A taxonomy called tempo with stages a, b, c, …"""
    out = [f"[taxonomy.tempo]\n{head}"]
    for key, when in zip("abcdefgh", conditions, strict=False):
        out.append(f"[[taxonomy.tempo.stage]]\nkey = '{key}'")
        out += [] if when is None else [f"when = '''{when}'''"]
    return "\n".join(out)


def tempo_of(table: Any, path: Path, **options: Any) -> list[Any]:
    return to_pandas(assign_stages(table, playbook=path, **options))["stage_tempo"].tolist()


# ---------------------------------------------------------------- texts


def test_the_packages_own() -> None:
    book = read_playbook()
    assert isinstance(book, Playbook)
    assert not book.custom
    assert {name: taxonomy.stages for name, taxonomy in book.taxonomies.items()} == dict(TAXONOMIES)
    for taxonomy in book.taxonomies.values():
        assert not taxonomy.titles
        for each in taxonomy.stages:
            for texts in (each.labels, each.goals, each.actions):
                assert tuple(texts) == LANGUAGES
                assert all(text.strip() for text in texts.values())
    with pytest.raises(KeyError):
        TAXONOMIES["tempo"]
    assert len(TAXONOMIES) == 3
    assert repr(TAXONOMIES) == "TAXONOMIES(line, phase, segment)"


def test_a_text_of_the_user_goes_before_that_of_the_package(write: Any) -> None:
    path = write("""
[taxonomy.segment]
title = { en = "Our segments" }
[[taxonomy.segment.stage]]
key = "loyal"
label = "VIP"
goal = { zh-Hant = "留住他們" }
actions = { en = "Call them", zh-Hant = "致電" }
[[taxonomy.line.stage]]
key = "new"
goal.en = ""
""")
    book = read_playbook(path)
    loyal = next(each for each in book.taxonomies["segment"].stages if each.key == "loyal")
    own = next(each for each in TAXONOMIES["segment"] if each.key == "loyal")
    assert set(loyal.labels.values()) == {"VIP"}
    assert dict(loyal.goals) == dict(own.goals) | {"zh-Hant": "留住他們"}
    assert dict(loyal.actions) == {"en": "Call them", "zh-Hant": "致電", "zh-Hans": "Call them"}
    assert book.taxonomies["segment"].titles["zh-Hans"] == "Our segments"
    assert book.taxonomies["phase"].stages == TAXONOMIES["phase"]
    assert [each.key for each in book.taxonomies["segment"].stages] == [each.key for each in TAXONOMIES["segment"]]

    staged = assign_stages(random_scores(1))
    table, plain = stage_table(staged, "zh-Hans", playbook=book), stage_table(staged, "zh-Hans")
    mine = (table["taxonomy"] == "segment") & (table["stage"] == "loyal")
    assert table.loc[mine, ["label", "goal", "actions"]].to_numpy().tolist() == [
        ["VIP", own.goals["zh-Hans"], "Call them"]
    ]
    assert stage_table(staged, playbook=path).loc[0, "goal"] == ""
    words = ["label", "goal", "actions"]
    pd.testing.assert_frame_equal(table.drop(columns=words), plain.drop(columns=words))
    others = ~mine & (table["stage"] != "new")
    pd.testing.assert_frame_equal(table[others], plain[others])


def test_texts_of_a_taxonomy_of_ones_own(write: Any) -> None:
    tempo = read_playbook(write(TEMPO)).taxonomies["tempo"]
    assert dict(tempo.titles) == dict.fromkeys(LANGUAGES, "Tempo")
    fast, odd, rest = tempo.stages
    assert dict(fast.labels) == {"en": "Fast", "zh-Hant": "快", "zh-Hans": "Fast"}
    assert set(fast.goals.values()) == {"Keep up"}
    assert set(odd.labels.values()) == {"Odd ones"}
    assert set(odd.goals.values()) == {""}
    assert set(rest.goals.values()) == {"其餘"}
    assert tempo.rules[0] == "retained >= 0.7 and frequency >= 3"
    assert tempo.rules[2] is None


# ---------------------------------------------------------------- rules, on every kind


def expected_tempo(row: Any, high: bool) -> str:
    n = row.frequency + 1 if row.frequency == row.frequency else 0
    r = row.retained
    if r >= 0.7 and row.frequency >= 3:
        return "fast"
    if (0.1 < r <= 0.5 and not row.cannot_lose and row.stage_line != "asleep") or (
        n * 2 - 1 > row.days_silent / 10 and high
    ):
        return "odd_ones"
    return "rest"


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_on_every_kind(kind: str, write: Any) -> None:
    table = random_scores(3, prospects=5)
    path = write(TEMPO)
    staged = assign_stages(as_kind(table, kind), playbook=path)
    plain = to_pandas(staged)
    before = to_pandas(assign_stages(as_kind(table, kind)))
    pd.testing.assert_frame_equal(plain.drop(columns="stage_tempo"), before)
    assert list(plain.columns)[-1] == "stage_tempo"
    value = (plain["frequency"].astype(float) + 1) * plain["expected_spend"]
    high = value >= np.nanquantile(value, 0.8) * (1 - 1e-12)
    wanted = [expected_tempo(*each) for each in zip(plain.itertuples(), high, strict=True)]
    assert plain["stage_tempo"].tolist() == wanted
    assert set(wanted) == {"fast", "odd_ones", "rest"}

    sums = stage_table(staged, playbook=path)
    mine = sums[sums["taxonomy"] == "tempo"]
    assert mine["label"].tolist() == ["Fast", "Odd ones", "Rest"]
    assert mine["customers"].tolist() == [wanted.count(key) for key in mine["stage"]]
    rest = sums[sums["taxonomy"] != "tempo"]
    pd.testing.assert_frame_equal(rest, stage_table(staged))

    found = check_taxonomy(staged, read_playbook(path).taxonomies["tempo"])
    assert found["stage"].tolist() == ["fast", "odd_ones", "rest"]
    assert found["customers"].tolist() == mine["customers"].tolist()
    assert found["matches"].tolist()[2] == len(plain)
    assert (found["matches"] - found["customers"] == found["caught_earlier"]).all()
    assert found["caught_earlier"].tolist()[1] > 0

    again = to_pandas(assign_stages(staged, playbook=path))
    pd.testing.assert_frame_equal(again, plain)


def test_tiers_and_thresholds_can_be_read(write: Any) -> None:
    path = write(rules('tier == "high" and high_value', 'tier == "high"', "high_value", None))
    table = random_scores(4)
    limits = Thresholds(high_value=0.3)
    staged = assign_stages(table, playbook=path, tiers="cumulative", thresholds=limits)
    assert list(staged.columns[-8:]) == [*STAGE_COLUMNS, "tier", "stage_tempo"]
    value = (table["frequency"] + 1) * table["expected_spend"]
    high = value >= np.quantile(value, 0.3)
    top = staged["tier"] == "high"
    assert staged["stage_tempo"].tolist() == np.select([top & high, top, high], list("abc"), "d").tolist()
    found = check_taxonomy(staged, read_playbook(path).taxonomies["tempo"], thresholds=limits)
    assert found["matches"].tolist() == [(top & high).sum(), top.sum(), high.sum(), len(table)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("when", "holds"),
    [
        # for a buyer with x = 2, R = 0.5; a buyer with x = 0 and no gap; a contact without a purchase
        ("mean_gap_days > 5", [True, False, False]),
        ("mean_gap_days != 5", [True, False, False]),
        ("not mean_gap_days > 5", [False, True, True]),
        ("mean_gap_days == mean_gap_days", [True, False, False]),
        ("retained < 0.9", [True, False, False]),
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
        ("stage_line == 'prospect' and stage_phase == 'acquire'", [False, False, True]),
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


def test_one_stage_for_everyone(write: Any) -> None:
    for head in ("", "exclusive = true"):
        assert tempo_of(random_scores(1, 5), write(rules(None, head=head))) == ["a"] * 5


# ---------------------------------------------------------------- exclusive and exhaustive


@pytest.mark.parametrize("kind", KINDS)
def test_a_customer_who_matches_nothing(kind: str, write: Any) -> None:
    table = scores([{"id": f"c{9 - i}", "x": i} for i in range(6)])
    path = write(rules("frequency == 0", "frequency > 4"))
    with pytest.raises(
        DataError, match=r"taxonomy tempo: .* every customer; got 4 customers \(first 'c5', 'c6', 'c7'\)"
    ):
        assign_stages(as_kind(table, kind), playbook=path)
    assert tempo_of(as_kind(table, kind), write(rules("frequency == 0", "frequency > 0"))) == ["a", *"bbbbb"]
    found = check_taxonomy(as_kind(table, kind), read_playbook(path).taxonomies["tempo"])
    assert found["customers"].tolist() == [1, 0] or found["customers"].tolist() == [1, 1]
    assert len(table) - found["customers"].sum() == 4


@pytest.mark.parametrize("kind", KINDS)
def test_two_rules_for_one_customer(kind: str, write: Any) -> None:
    table = as_kind(scores([{"id": f"c{i}", "x": i} for i in range(6)]), kind)
    both = ("frequency < 3", "frequency >= 2", None)
    assert tempo_of(table, write(rules(*both))) == [*"aaabbb"]
    with pytest.raises(DataError, match=r"at most one rule .*; got 1 customers \(first 'c2'\) with more"):
        assign_stages(table, playbook=write(rules(*both, head="exclusive = true")))
    apart = ("frequency < 2", "frequency == 2", None)
    assert tempo_of(table, write(rules(*apart, head="exclusive = true"))) == [*"aabccc"]


def test_a_stage_that_is_never_reached(write: Any) -> None:
    book = read_playbook(write(rules("frequency >= 1", "frequency >= 3", "frequency >= 9", None)))
    table = assign_stages(scores([{"x": i} for i in range(6)]), playbook=book)
    found = check_taxonomy(table, book.taxonomies["tempo"])
    assert found.to_dict("list") == {
        "stage": ["a", "b", "c", "d"],
        "customers": [5, 0, 0, 1],
        "matches": [5, 3, 0, 6],
        "caught_earlier": [0, 3, 0, 5],
    }
    with pytest.raises(ConfigError, match="expected a taxonomy with rules of a playbook; got line"):
        check_taxonomy(table, book.taxonomies["line"])
    with pytest.raises(DataError, match="retained"):
        check_taxonomy(table.drop(columns="retained"), book.taxonomies["tempo"])


NUMBERS = ("frequency", "retained", "mean_gap_days", "N", "R", "days_silent")
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rules=st.lists(trees(), min_size=1, max_size=4), kind=st.sampled_from(["pandas", "polars", "duckdb"]))
def test_every_customer_has_one_stage_by_any_rules(given_rules: list[Any], kind: str, write: Any) -> None:
    table = random_scores(6, 60, prospects=4)
    staged = to_pandas(assign_stages(as_kind(table, kind), playbook=write(rules(*map(written, given_rules), None))))
    rows = table.assign(N=table["frequency"].add(1).fillna(0), R=table["retained"])[list(NUMBERS)].to_dict("records")
    wanted = [next(("abcdefgh"[i] for i, tree in enumerate([*given_rules]) if true(tree, row)), None) for row in rows]
    rest = "abcdefgh"[len(given_rules)]
    assert staged["stage_tempo"].tolist() == [each or rest for each in wanted]


# ---------------------------------------------------------------- what is refused

SAFE = r"expected comparisons of columns, numbers and texts"


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
        "frequency > 1, retained > 1",
        "{'a': 1} == frequency",
        "*frequency == 1",
        "frequency + 1",
        "(frequency > 1) + 1 == 2",
        "3",
        "'text'",
        "frequency = 3",
        "frequency >",
        "",
        "import os",
        "frequency > 1; retained > 1",
        "frequency > 1e999",
        "a\0 > 1",
    ],
)
def test_only_conditions_are_understood(when: str, write: Any) -> None:
    path = write(rules("R > 2", None).replace("'''R > 2'''", '"' + when.replace("\0", "\\u0000") + '"'))
    with pytest.raises(ConfigError, match=SAFE) as caught:
        read_playbook(path)
    assert str(caught.value).startswith(f"{path}: taxonomy.tempo.stage.a.when: ")


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("frequency in (1, 2)", "one of < <= > >= == !="),
        ("frequency is 3", "one of < <= > >= == !="),
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
        ("tempo > 1", "taxonomy tempo, stage a: column missing: tempo; the table has customer_id, frequency"),
        ("stage_tempo == 'a'", "column missing: stage_tempo"),
        ("customer_id > 1", "two numbers or two texts"),
        ("frequency == 'a'", "two numbers or two texts"),
        ("at_risk == 1", "stands alone"),
        ("frequency", "a comparison, or a column that is true or false; got 'frequency'"),
        ("customer_id > stage_line", "== or != between texts"),
        ("stage_line + 1 > 2", "a number in a sum or product"),
        ("joined == 3", "expected a column of numbers, texts or true and false; got joined of Date"),
    ],
)
def test_columns_are_checked_against_the_table(kind: str, when: str, message: str, write: Any) -> None:
    table = scores([{"id": "c1"}, {"id": "c2"}])
    table["joined"] = pd.Timestamp("2024-05-01")
    with pytest.raises(DataError, match=message):
        assign_stages(as_kind(table, kind), playbook=write(rules(when, None)))


LINE_NEW = "[[taxonomy.line.stage]]\nkey = 'new'\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("taxonomy = [", "expected a playbook in TOML in {path}; "),
        ("stages = 1", "{path}: expected taxonomy; got 'stages'"),
        ("taxonomy = 1", "{path}: taxonomy: expected a table; got 1"),
        ("taxonomy.line = 1", "{path}: taxonomy.line: expected a table; got 1"),
        ("[taxonomy.line]\nwhen = 'a'", "{path}: taxonomy.line: expected title, stage; got 'when'"),
        ("[taxonomy.phase]\nexclusive = true", "taxonomy.phase: expected texts alone, the rules of phase are fixed; got 'exclusive'"),
        (LINE_NEW + "when = 'R > 1'", "{path}: taxonomy.line.stage.new: expected texts alone, the rules of line are fixed; got 'when'"),
        ("[[taxonomy.line.stage]]\nkey = 'grow'", "taxonomy.line.stage: expected one of prospect, new, active, drowsy, half_asleep, asleep; got 'grow'"),
        (LINE_NEW + "lable = 'a'", "{path}: taxonomy.line.stage, number 1: expected key, label, goal, actions, when; got 'lable'"),
        (LINE_NEW + LINE_NEW, "taxonomy.line.stage: expected each key once; got 'new' twice"),
        (LINE_NEW + "label = 3", "taxonomy.line.stage.new.label: expected a text, or a table of en, zh-Hant, zh-Hans; got 3"),
        (LINE_NEW + "label.de = 'neu'", "{path}: taxonomy.line.stage.new.label: expected en, zh-Hant, zh-Hans; got 'de'"),
        (LINE_NEW + "goal.en = 3", "{path}: taxonomy.line.stage.new.goal.en: expected a text; got 3"),
        ("[taxonomy.line.stage.new]\nlabel = 'a'", "taxonomy.line.stage: expected tables [[taxonomy.NAME.stage]]; got"),
        ("[[taxonomy.line.stage]]\nlabel = 'a'", "stage, number 1: key: expected a small letter, then small letters, digits and _; got None"),
        ("[taxonomy.Tempo]\n", "{path}: taxonomy.Tempo: expected a small letter, then small letters, digits and _; got 'Tempo'"),
        ("[taxonomy.window_days]\n", "expected another name, stage_window_days is a column of the scores; got 'window_days'"),
        ("[taxonomy.tempo]\n", "taxonomy.tempo: expected one stage or more, [[taxonomy.tempo.stage]]; got none"),
        (rules(None, head="exclusive = 1"), "taxonomy.tempo.exclusive: expected true or false; got 1"),
        (rules(None, head="rules = 1"), "taxonomy.tempo: expected title, exclusive, stage; got 'rules'"),
        (rules(None, head="title = 1"), "taxonomy.tempo.title: expected a text, or a table of en, zh-Hant, zh-Hans; got 1"),
        (rules("R > 1", None, "R > 2"), "taxonomy.tempo.stage.b: expected `when`, only the last stage takes everyone else; got none"),
        (rules(None, None), "taxonomy.tempo.stage.a: expected `when`"),
        (rules("R > 1", None).replace("'b'", "'a'"), "taxonomy.tempo.stage: expected each key once; got 'a' twice"),
        (rules("R > 1", None).replace("'b'", "'b c'"), "stage, number 2: key: expected a small letter, then small letters, digits and _; got 'b c'"),
        (rules("R > 1", None).replace("'''R > 1'''", "3"), "taxonomy.tempo.stage.a.when: expected a condition as text; got 3"),
        ("[[taxonomy.tempo.stage]]\nkey = 'a'\nthen = 'b'", "stage, number 1: expected key, label, goal, actions, when; got 'then'"),
    ],
)  # fmt: skip
def test_files_that_are_no_playbook(text: str, message: str, write: Any) -> None:
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        read_playbook(path)
    assert message.format(path=path) in str(caught.value) if "{path}" in message else message in str(caught.value)
    assert str(path) in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a playbook in TOML in .*absent\.toml"):
        read_playbook(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="expected a playbook in TOML in"):
        assign_stages(scores([{}]), playbook=3)  # type: ignore[arg-type]


def test_a_table_staged_by_another_playbook(write: Any) -> None:
    book = read_playbook(write(rules("R > 0.5", None)))
    staged = assign_stages(random_scores(2, 20), playbook=book)
    with pytest.raises(DataError, match="stage_tempo: expected other; got 'a', 'b'"):
        stage_table(staged, playbook=write("[[taxonomy.tempo.stage]]\nkey = 'other'"))
    with pytest.raises(DataError, match="columns missing: stage_tempo"):
        stage_table(staged.drop(columns="stage_tempo"), playbook=book)
    with pytest.raises(ConfigError, match="lang"):
        stage_table(staged, "de", playbook=book)
