from __future__ import annotations

import pytest

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import assign_stages, at_risk_list
from tests.lifecycle.tables import KINDS, as_kind, random_scores, scores, to_pandas

EXAMPLE = {"x": 5, "r": 0.42, "gap": 18.2, "silent": 50.6, "fresh": 0.744, "now": 0.305}


def reason_of(lang: str = "en", **changes: float) -> str | None:
    return assign_stages(scores([EXAMPLE | changes]), lang=lang)["at_risk_reason"].iloc[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_reason_reads_like_this(kind: str) -> None:
    staged = to_pandas(assign_stages(as_kind(scores([EXAMPLE]), kind)))
    assert staged["at_risk_reason"].tolist() == [
        "bought 6 times about every 18 days; silent for 51 days; chance of buying within 78 days fell from 74 % to 31 %"
    ]


def test_the_reason_in_chinese() -> None:
    assert (
        reason_of("zh-Hant")
        == "買過 6 次，約每 18 天買一次；已沉默 51 天；78 天內購買的機率由 74 % 降至 31 %"
    )
    assert (
        reason_of("zh-Hans")
        == "买过 6 次，约每 18 天买一次；已沉默 51 天；78 天内购买的概率由 74 % 降至 31 %"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_the_reason_round_alike_on_every_kind(kind: str) -> None:
    table = scores([EXAMPLE | {"gap": 2.5, "silent": 3.5, "fresh": 0.125, "now": 0.004}])
    assert to_pandas(assign_stages(as_kind(table, kind)))["at_risk_reason"].iloc[0] == (
        "bought 6 times about every 3 days; silent for 4 days; "
        "chance of buying within 78 days fell from 13 % to under 1 %"
    )


def test_one_day_is_singular() -> None:
    text = reason_of(gap=1.4, silent=1.2)
    assert text is not None
    assert text.startswith("bought 6 times about every day; silent for 1 day; ")


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({}, True),
        ({"x": 2}, True),
        ({"x": 1}, False),
        ({"r": 0.2}, True),
        ({"r": 0.1999}, False),
        ({"r": 0.6999}, True),
        ({"r": 0.7}, False),
        ({"gap": 1.0, "silent": 2.0}, True),  # first bought 7 days ago
        ({"gap": 1.0, "silent": 1.9}, False),
    ],
)
def test_at_risk_at_its_boundaries(changes: dict[str, float], flag: bool) -> None:
    assert assign_stages(scores([EXAMPLE | changes]))["at_risk"].tolist() == [flag]


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({}, True),
        ({"r": 0.01}, True),
        ({"r": 0.7}, False),
        ({"x": 1}, True),
        ({"x": 0}, False),
        ({"alive": 0.1}, True),
        ({"alive": 0.0999}, False),
        ({"spend": 0.1}, False),
    ],
)
def test_cannot_lose_at_its_boundaries(changes: dict[str, float], flag: bool) -> None:
    crowd = [{"x": 0, "spend": 1.0}] * 20
    staged = assign_stages(scores([*crowd, EXAMPLE | {"spend": 50.0} | changes]))
    assert staged["cannot_lose"].tolist() == [False] * 20 + [flag]


@pytest.mark.parametrize("kind", KINDS)
def test_list_is_sorted_by_what_is_at_stake(kind: str) -> None:
    staged = assign_stages(as_kind(random_scores(8), kind))
    listed = at_risk_list(staged)
    assert type(listed) is type(staged)
    plain = to_pandas(staged)
    wanted = plain[plain["at_risk"].astype(bool)].sort_values(
        ["value_lost", "customer_id"], ascending=[False, True]
    )
    assert len(wanted) > 20
    assert to_pandas(listed)["customer_id"].tolist() == wanted["customer_id"].tolist()
    assert (
        to_pandas(at_risk_list(staged, top=5))["customer_id"].tolist()
        == wanted["customer_id"].tolist()[:5]
    )


def test_list_without_money_goes_by_the_fall_in_chance() -> None:
    drops = [0.1, 0.5, 0.3]
    table = scores([EXAMPLE | {"fresh": 0.9, "now": 0.9 - drop} for drop in drops])
    staged = assign_stages(table.drop(columns=["expected_spend", "ltv", "value_lost"]))
    assert at_risk_list(staged)["customer_id"].tolist() == [1, 2, 0]


def test_list_checks_its_input() -> None:
    with pytest.raises(ConfigError, match="top"):
        at_risk_list(assign_stages(scores([EXAMPLE])), top=-1)
    with pytest.raises(DataError, match="columns missing: at_risk"):
        at_risk_list(scores([EXAMPLE]))
