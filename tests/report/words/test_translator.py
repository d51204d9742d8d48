"""The words: the same keys and values in every language, and a translation of whatever data and fit may note."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, get_args

import pytest
from babel import Locale

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.core.notes import NoteCode
from lifestage.core.output_columns import OUTPUT_COLUMNS
from lifestage.report.words.catalogue import Text, languages, texts
from lifestage.report.words.format import Money, Numbers
from lifestage.report.words.translator import Translator, translator

if TYPE_CHECKING:
    from pathlib import Path

SAME_IN_ALL = {"common.ltv", "metric_names.ltv_to_cac"}
TRANSLATIONS = [lang for lang in languages() if lang != "en"]


def forms(text: Text) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def fields(text: Text) -> set[str]:
    """Names of the values of a text, in any of its plural forms; ``all[spearman]`` is of ``all``."""
    names: set[str] = set()
    for form in forms(text):
        parsed = Formatter().parse(form)
        names |= {name.split("[")[0] for _, name, _, _ in parsed if name}
    return names


def section(lang: str, name: str) -> dict[str, Text]:
    start = f"{name}."
    return {
        key.removeprefix(start): text for key, text in texts(lang).items() if key.startswith(start)
    }


def report_texts(lang: str) -> dict[str, Text]:
    """Without what is in English where it is made, so that only translations list it."""
    own = ("notes.", "columns.", "column_units.")
    return {key: text for key, text in texts(lang).items() if not key.startswith(own)}


def test_the_languages_are_the_files() -> None:
    assert languages() == ("en", "zh-Hans", "zh-Hant")


@pytest.mark.parametrize("lang", TRANSLATIONS)
def test_every_text_is_translated_with_the_same_values(lang: str) -> None:
    english, other = report_texts("en"), report_texts(lang)
    assert set(english) == set(other)
    for key, text in english.items():
        assert fields(text) == fields(other[key]), key
        assert text != other[key] or key in SAME_IN_ALL, key


@pytest.mark.parametrize("lang", languages())
def test_plural_forms_are_those_of_the_language(lang: str) -> None:
    categories = {*Locale.parse(lang, sep="-").plural_form.tags, "other"}
    for key, text in texts(lang).items():
        if not isinstance(text, str):
            assert set(text) == categories, key
            assert all(fields(form) | {"count"} == fields(text) for form in text.values()), key


def test_traditional_and_simplified_differ_where_they_must() -> None:
    traditional = "".join(form for text in texts("zh-Hant").values() for form in forms(text))
    simplified = "".join(form for text in texts("zh-Hans").values() for form in forms(text))
    for old, new in zip("顧買價數內與", "顾买价数内与", strict=True):
        assert old in traditional
        assert old not in simplified
        assert new in simplified
    for two_words_for_one in ("客戶", "客户", "擬合", "机率", "回购"):
        assert two_words_for_one not in traditional + simplified


@pytest.mark.parametrize("lang", TRANSLATIONS)
def test_every_note_that_can_be_made_is_translated(lang: str) -> None:
    """The type checker lets a note be made with these codes only."""
    assert set(section(lang, "notes")) == set(get_args(NoteCode))


@pytest.mark.parametrize("lang", TRANSLATIONS)
def test_every_column_of_the_glossary_is_translated(lang: str) -> None:
    columns = [column for column in OUTPUT_COLUMNS if not column.optional]
    assert set(section(lang, "columns")) == {column.name for column in columns}
    units = {column.unit.replace(" ", "_") for column in columns}
    assert set(section(lang, "column_units")) == units


def test_translations_of_a_note_take_the_same_values() -> None:
    one, other = (section(lang, "notes") for lang in TRANSLATIONS)
    assert {code: fields(text) for code, text in one.items()} == {
        code: fields(text) for code, text in other.items()
    }


LOG = """customer,time,amount,quantity
a,2024-01-01,5,1
a,2024-01-01,6,1
a,2024-01-01,6,1
a,2024-03-01,5,1
a,2024-05-01,5,-1
,2024-01-02,5,1
b,,5,1
b,never,5,1
b,1492-10-12,5,1
b,2024-02-01,,1
b,2024-02-01,inf,1
b,2024-02-01,5,
b,2024-02-01,5,inf
b,2024-02-01,5,1
c,2024-01-03,-5,1
c,2024-02-03,0,1
c,2024-03-03,5,1
d,2024-03-05,5,1
d,2024-09-01,5,1
d,2024-09-01,5,1,more
"""


def test_every_reason_of_a_quality_record_has_a_name_and_no_other_has(tmp_path: Path) -> None:
    """Summaries of a log with everything that can be wrong with a line, under all rules for lines."""
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    columns = {"customer": "customer", "time": "time", "amount": "amount", "quantity": "quantity"}
    counted: set[str] = set()
    for drop_duplicates in (False, True):
        for drop_zero in (False, True):
            rules = {"drop_duplicates": drop_duplicates, "drop_zero": drop_zero}
            quality = ls.summarize(
                path, **columns, **rules, until="2024-06-30", max_dropped=1, stage_window=14
            ).quality
            assert quality is not None
            counted |= {*quality.dropped, *quality.merged, *quality.found}
    for lang in languages():
        assert counted == set(section(lang, "reasons"))


def test_notes_take_their_values_and_fall_back_to_english() -> None:
    note = {"code": "few_repeaters", "text": "Only 12 repeat buyers.", "values": {"repeaters": 12}}
    assert translator("en").note(note) == "Only 12 repeat buyers."
    assert "12" in translator("zh-Hant").note(note)
    assert "回購" in translator("zh-Hant").note(note)
    assert translator("zh-Hans").note({**note, "values": {}}) == "Only 12 repeat buyers."
    unknown = {"code": "unheard_of", "text": "As it is.", "values": {}}
    assert translator("zh-Hans").note(unknown) == "As it is."


def test_correlation_note_reads_nested_values() -> None:
    values = {"all": {"spearman": 0.31}, "without_top_1_percent": {"spearman": -0.2}}
    note = {"code": "spend_frequency_correlated", "text": "…", "values": values}
    text = translator("zh-Hant").note(note)
    assert "+0.31" in text
    assert "-0.20" in text


def test_unknown_languages_texts_and_missing_values_are_refused() -> None:
    with pytest.raises(ConfigError, match="zh-Hant"):
        translator("fr")
    with pytest.raises(KeyError, match=r"common\.sentence"):
        translator("en")("common.sentence")
    with pytest.raises(KeyError, match="level"):
        translator("en")("stages.intervals")


@pytest.mark.parametrize("lang", languages())
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


def test_a_count_takes_the_plural_form_of_the_language() -> None:
    english, chinese = translator("en"), translator("zh-Hans")

    def weeks(t: Translator, *counts: float) -> list[str]:
        return [t.periods(count, "week") for count in counts]

    assert weeks(english, 1, 2, 0.5, 1.5) == ["1 week", "2 weeks", "0.5 weeks", "1.5 weeks"]
    assert weeks(chinese, 1, 2) == ["1 周", "2 周"]
    assert [english.days(n) for n in (1, 0.9, 2, 1000)] == [
        "1 day",
        "1 day",
        "2 days",
        "1,000 days",
    ]
    assert [english.customers(n) for n in (0, 1, 2)] == ["0 customers", "1 customer", "2 customers"]
    values = {"share": "3%"}
    assert english("at_risk.lead_no_money", 1, **values).startswith("1 frequent buyer (3%")
    assert "buyers (3% of customers) have" in english("at_risk.lead_no_money", 0, **values)
