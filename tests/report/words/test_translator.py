"""The words: the same keys and values in each language, and a translation for whatever data and fit may say."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import lifestage
from lifestage.core.errors import ConfigError
from lifestage.report.words.format import Money, Numbers
from lifestage.report.words.notes import NOTES, REASONS
from lifestage.report.words.translator import LANGUAGES, voice

SOURCE = Path(lifestage.__file__).parent
MODULES = [
    ast.parse(path.read_text("utf-8"))
    for path in SOURCE.rglob("*.py")
    if "report" not in path.parts
]


def fields(text: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
def test_every_sentence_is_translated_with_the_same_values(lang: str) -> None:
    forms = {
        key for key in LANGUAGES["en"] if key.endswith("_one")
    }  # Chinese has no form of its own for one
    assert {key.removesuffix("_one") for key in forms} <= set(LANGUAGES["en"])
    english, other = (
        {key: text for key, text in LANGUAGES["en"].items() if key not in forms},
        LANGUAGES[lang],
    )
    assert set(english) == set(other)
    assert {key: fields(text) for key, text in english.items()} == {
        key: fields(text) for key, text in other.items()
    }
    same = {key for key, text in english.items() if text == other[key]}
    assert same <= {"ltv", "metric_ltv_to_cac", "separator"}


def test_traditional_and_simplified_differ_where_they_must() -> None:
    traditional = "".join(LANGUAGES["zh-Hant"].values())
    simplified = "".join(LANGUAGES["zh-Hans"].values())
    for old, new in zip("顧買價數內與", "顾买价数内与", strict=True):
        assert old in traditional
        assert old not in simplified
        assert new in simplified


def calls_of(name: str, module: ast.Module) -> list[ast.Call]:
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == name]


def test_every_note_that_can_be_made_has_chinese_and_no_other_has() -> None:
    """The notes are read from where they are made; ``Note(**stored)`` alone makes one again."""
    made: dict[str, set[str] | None] = {}
    for module in MODULES:
        for call in calls_of("Note", module):
            if not call.args:
                assert [keyword.arg for keyword in call.keywords] == [None]
                continue
            code, values = call.args[0], call.args[2] if len(call.args) > 2 else None
            assert isinstance(code, ast.Constant), ast.unparse(call)
            made[code.value] = (
                keys_of(values)
                if isinstance(values, ast.Dict)
                else set()
                if values is None
                else None
            )
    assert {"at_bound", "selected", "stacked", "truncated_start", "no_repeats"} < set(made)
    for lang in ("zh-Hant", "zh-Hans"):
        assert set(made) == set(NOTES[lang])
        for code, values in made.items():
            assert values is None or fields(NOTES[lang][code]) <= values, code


def keys_of(values: ast.Dict) -> set[str]:
    return {key.value for key in values.keys if isinstance(key, ast.Constant)}


def test_every_reason_of_a_quality_record_has_a_name_and_no_other_has() -> None:
    from lifestage.data.log.lines import NOT_POSITIVE, UNREADABLE, ZERO

    counted = {*UNREADABLE, NOT_POSITIVE, ZERO}
    for module in MODULES:
        for node in ast.walk(module):
            if isinstance(node, ast.Assign | ast.keyword) and isinstance(node.value, ast.Dict):
                names = (
                    [node.arg]
                    if isinstance(node, ast.keyword)
                    else [ast.unparse(each) for each in node.targets]
                )
                if {"dropped", "found", "merged"} & set(names):
                    counted |= keys_of(node.value)
    assert {
        "after_until",
        "exact_duplicates",
        "days_netted_to_nothing",
        "same_day_lines",
        "missing_id",
    } < counted
    for lang in LANGUAGES:
        assert counted == set(REASONS[lang])


def test_notes_take_their_values_and_fall_back_to_english() -> None:
    note = {"code": "few_repeaters", "text": "Only 12 repeat buyers.", "values": {"repeaters": 12}}
    assert voice("en").note(note) == "Only 12 repeat buyers."
    assert "12" in voice("zh-Hant").note(note)
    assert "回購" in voice("zh-Hant").note(note)
    assert voice("zh-Hans").note({**note, "values": {}}) == "Only 12 repeat buyers."
    assert (
        voice("zh-Hans").note({"code": "unheard_of", "text": "As it is.", "values": {}})
        == "As it is."
    )


def test_correlation_note_reads_nested_values() -> None:
    values = {"all": {"spearman": 0.31}, "without_top_1_percent": {"spearman": -0.2}}
    text = voice("zh-Hant").note(
        {"code": "spend_frequency_correlated", "text": "…", "values": values}
    )
    assert "+0.31" in text
    assert "-0.20" in text


def test_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigError, match="zh-Hant"):
        voice("fr")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_numbers_are_written_as_in_the_language(lang: str) -> None:
    """By the patterns of CLDR, which agree for these three languages."""
    write = Numbers(lang)
    assert write.number(1234.5) == "1,234.5"
    assert write.number(-1234567, 0) == "-1,234,567"
    assert write.number(-0.04) == "0.0"
    assert write.integer(float("nan")) == write.number(None) == write.percent(float("inf")) == "–"
    assert [write.percent(share) for share in (0.12, 0.0349, 0.00001, 0.99999)] == [
        "12%",
        "3.5%",
        "<0.1%",
        ">99.9%",
    ]
    assert [write.percent(share) for share in (0, 1, 0.001, 0.991, -0.03, 12.5)] == [
        "0%", "100%", "0.1%", "99.1%", "-3.0%", "1,250%",
    ]  # fmt: skip
    assert [write.signed_percent(change) for change in (0.5, -0.5, 0, None)] == [
        "+50%",
        "-50%",
        "0%",
        "–",
    ]
    assert write.axis([0, 0.05, 0.1, 0.15]) == ["0.00", "0.05", "0.10", "0.15"]
    assert write.axis([0, 0.125], share=True) == ["0.0%", "12.5%"]


def test_another_language_has_its_own_marks() -> None:
    assert Numbers("de").number(-1234.5) == "-1.234,5"
    assert Numbers("de").percent(0.034) == "3,4\xa0%"


def test_money_has_its_currency_beside_it() -> None:
    thin = "\u202f"
    assert Money("$")(-12.34) == "-$12.3"
    assert Money("EUR")(12.34) == f"12.3{thin}EUR"
    assert Money("EUR").start(1000) == "1,000"
    assert Money("$").start(1000) == "$1,000"


def test_one_is_not_spoken_of_as_many() -> None:
    english, chinese = voice("en"), voice("zh-Hans")
    assert [english.periods(n, "week") for n in (1, 2, 0.5, 1.5)] == [
        "1 week",
        "2 weeks",
        "0.5 weeks",
        "1.5 weeks",
    ]
    assert [english.days(n) for n in (1, 0.9, 2, 1000)] == [
        "1 day",
        "1 day",
        "2 days",
        "1,000 days",
    ]
    assert [chinese.periods(n, "week") for n in (1, 2)] == ["1 周", "2 周"]
    assert english.say("risk_cannot_lose", 1, count="1").startswith("1 customer carries")
    assert english.say("risk_cannot_lose", 0, count="0").startswith("0 customers carry")
