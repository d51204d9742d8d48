from __future__ import annotations

import pytest

from lifestage.errors import ConfigError
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
    assert keys["segment"] == ["prospect", *[key for taxonomy, key in LABELS if taxonomy == "segment"]]


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


TRADITIONAL = "價鄉與時間專費質標級單優員應總機構樣產業務點題規畫導關係數據過濾廣獎勵購買體驗裝軍誠潛風險將積極聯繫徵詢問題調動態歷贈禮訊維興趣喚願評發遞讓沈們想樂議續觸擴強變"
"""Characters that simplified Chinese writes otherwise, among those that such texts use."""
SAME_IN_BOTH = set("與") ^ set("與") | set("鄉質級想極樣") & set("想")


def test_simplified_texts_hold_no_traditional_forms() -> None:
    traditional = set(TRADITIONAL) - set("想趣態裝極問濾") - SAME_IN_BOTH
    traditional = {c for c in traditional if c not in "沈"} | {"沈"}
    plain = set("間")  # 間 itself is traditional
    for stages in TAXONOMIES.values():
        for each in stages:
            for texts in (each.labels, each.goals, each.actions):
                found = (traditional | plain) & set(texts["zh-Hans"])
                assert not found, (each.key, found)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="taxonomy"):
        stage("rfm", "new")
    with pytest.raises(ConfigError, match="stage of line"):
        stage("line", "grow")
    with pytest.raises(ConfigError, match="lang"):
        label("line", "new", "zh")
