from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import LANGUAGES, TAXONOMIES, assign_stages, stage_table
from lifestage.lifecycle.stages.playbook import Playbook, read_playbook
from tests.lifecycle.playbooks import TEMPO, rules
from tests.lifecycle.tables import random_scores, scores

if TYPE_CHECKING:
    from pathlib import Path

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
    assert [each.key for each in book.taxonomies["segment"].stages] == [
        each.key for each in TAXONOMIES["segment"]
    ]

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
    assert tempo.rules[0] == "activity_ratio >= 0.7 and frequency >= 3"
    assert tempo.rules[2] is None


# ---------------------------------------------------------------- what is refused

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
    assert (
        message.format(path=path) in str(caught.value)
        if "{path}" in message
        else message in str(caught.value)
    )
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
