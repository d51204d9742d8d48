"""The words: the same keys and values in each language, and a translation for whatever data and fit may say."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import lifestage
from lifestage.errors import ConfigError
from lifestage.report.format import Money, axis, integer, number, percent, signed_percent
from lifestage.report.texts import LANGUAGES, voice
from lifestage.report.words.notes import NOTES, REASONS

SOURCE = Path(lifestage.__file__).parent


def fields(text: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("lang", ["zh-Hant", "zh-Hans"])
def test_every_sentence_is_translated_with_the_same_values(lang: str) -> None:
    english, other = LANGUAGES["en"], LANGUAGES[lang]
    assert set(english) == set(other)
    assert {key: fields(text) for key, text in english.items()} == {key: fields(text) for key, text in other.items()}
    same = {key for key, text in english.items() if text == other[key]}
    assert same <= {"ltv", "metric_ltv_to_cac", "separator"}


def test_traditional_and_simplified_differ_where_they_must() -> None:
    traditional = "".join(LANGUAGES["zh-Hant"].values())
    simplified = "".join(LANGUAGES["zh-Hans"].values())
    for old, new in zip("顧買價數內與", "顾买价数内与", strict=True):
        assert old in traditional
        assert old not in simplified
        assert new in simplified


def test_every_note_that_data_and_fit_can_make_has_chinese() -> None:
    files = [*SOURCE.glob("data/*.py"), *SOURCE.glob("fit*/*.py")]
    codes = {code for file in files for code in re.findall(r"\bNote\(\s*\"(\w+)\"", file.read_text("utf-8"))}
    assert len(codes) > 10
    for lang in ("zh-Hant", "zh-Hans"):
        assert codes <= set(NOTES[lang]), codes - set(NOTES[lang])


def test_every_reason_of_a_quality_record_has_a_name() -> None:
    source = "".join((SOURCE / "data" / name).read_text("utf-8") for name in ("quality.py", "orders.py"))
    from lifestage.data.orders import NOT_POSITIVE, UNREADABLE, ZERO

    counted = set(re.findall(r'"(\w+)": (?:int|by_fate)', source)) | {*UNREADABLE, NOT_POSITIVE, ZERO}
    assert {"after_until", "negative_lines", "missing_id"} <= counted
    for lang in LANGUAGES:
        assert counted <= set(REASONS[lang]), counted - set(REASONS[lang])


def test_notes_take_their_values_and_fall_back_to_english() -> None:
    note = {"code": "few_repeaters", "text": "Only 12 repeat buyers.", "values": {"repeaters": 12}}
    assert voice("en").note(note) == "Only 12 repeat buyers."
    assert "12" in voice("zh-Hant").note(note)
    assert "回購" in voice("zh-Hant").note(note)
    assert voice("zh-Hans").note({**note, "values": {}}) == "Only 12 repeat buyers."
    assert voice("zh-Hans").note({"code": "unheard_of", "text": "As it is.", "values": {}}) == "As it is."


def test_correlation_note_reads_nested_values() -> None:
    values = {"all": {"spearman": 0.31}, "without_top_1_percent": {"spearman": -0.2}}
    text = voice("zh-Hant").note({"code": "spend_frequency_correlated", "text": "…", "values": values})
    assert "+0.31" in text
    assert "-0.20" in text


def test_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigError, match="zh-Hant"):
        voice("fr")


def test_numbers_are_written_for_people() -> None:
    thin = "\u202f"
    assert number(1234.5) == f"1{thin}234.5"
    assert number(-1234567, 0) == f"\u22121{thin}234{thin}567"
    assert integer(float("nan")) == number(None) == percent(float("inf")) == "–"
    assert percent(0.12) == f"12{thin}%"
    assert percent(0.0349) == f"3.5{thin}%"
    assert percent(0.00001) != percent(0.0)
    assert percent(0.99999) != percent(1.0)
    assert signed_percent(0.5).startswith("+")
    assert signed_percent(-0.5) == f"\u221250{thin}%"
    assert Money("$")(-12.34) == "\u2212$12.3"
    assert Money("EUR")(12.34) == f"12.3{thin}EUR"
    assert Money("EUR").start(1000) == f"1{thin}000"
    assert Money("$").start(1000) == f"$1{thin}000"
    assert len(set(axis([0, 0.05, 0.1, 0.15]))) == 4
