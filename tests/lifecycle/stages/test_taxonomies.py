from __future__ import annotations

import pytest

from lifestage.core.errors import ConfigError
from lifestage.lifecycle import LANGUAGES, TAXONOMIES, label, stage

LABELS = {
    ("line", "new"): ("New friend", "新好友", "新好友"),
    ("line", "active"): ("Active", "積極好友", "积极好友"),
    ("line", "drowsy"): ("Drowsy", "嗜睡好友", "嗜睡好友"),
    ("line", "half_asleep"): ("Half asleep", "半睡好友", "半睡好友"),
    ("line", "asleep"): ("Asleep", "沈睡好友", "沉睡好友"),
    ("segment", "champion"): ("Champion", "冠軍", "冠军"),
    ("segment", "loyal"): ("Loyal", "忠誠", "忠诚"),
    ("segment", "recent"): ("Recent", "近期購買", "近期购买"),
    ("segment", "high_potential"): ("High potential", "高潛力", "高潜力"),
    ("segment", "need_nurturing"): ("Need nurturing", "需要培育", "需要培育"),
    ("segment", "cannot_lose"): ("Cannot lose", "不可流失", "不可流失"),
    ("segment", "at_risk"): ("At risk", "有風險", "有风险"),
    ("segment", "about_to_lose"): ("About to lose", "即將流失", "即将流失"),
}


def test_stages_and_their_order() -> None:
    keys = {name: [each.key for each in stages] for name, stages in TAXONOMIES.items()}
    assert keys["line"] == ["prospect", "new", "active", "drowsy", "half_asleep", "asleep"]
    assert keys["phase"] == ["acquire", "engage", "grow", "retain"]
    assert keys["segment"] == [
        "prospect",
        *[key for taxonomy, key in LABELS if taxonomy == "segment"],
    ]


@pytest.mark.parametrize(("which", "labels"), LABELS.items())
def test_labels(which: tuple[str, str], labels: tuple[str, str, str]) -> None:
    assert tuple(label(*which, lang) for lang in LANGUAGES) == labels


def test_every_stage_has_all_texts_in_every_language() -> None:
    for name, stages in TAXONOMIES.items():
        for each in stages:
            assert each.taxonomy == name
            for texts in (each.labels, each.goals, each.actions):
                assert tuple(texts) == LANGUAGES
                assert all(text.strip() for text in texts.values())


@pytest.mark.parametrize(("lang", "charset"), [("zh-Hant", "big5"), ("zh-Hans", "gb2312")])
def test_each_script_keeps_to_its_own_characters(lang: str, charset: str) -> None:
    for stages in TAXONOMIES.values():
        for each in stages:
            for texts in (each.labels, each.goals, each.actions):
                texts[lang].encode(
                    charset
                )  # Big5 has no simplified forms, GB 2312 no traditional ones
    with pytest.raises(UnicodeEncodeError):
        {"zh-Hant": "积极", "zh-Hans": "積極"}[lang].encode(charset)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="taxonomy"):
        stage("rfm", "new")
    with pytest.raises(ConfigError, match="stage of line"):
        stage("line", "grow")
    with pytest.raises(ConfigError, match="lang"):
        label("line", "new", "zh")
