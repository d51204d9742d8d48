from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import STAGE_COLUMNS, Thresholds, assign_stages, stage_table
from lifestage.lifecycle.stages.playbook import read_playbook
from lifestage.lifecycle.stages.table import check_taxonomy
from tests.lifecycle.playbooks import TEMPO, rules, tempo_of
from tests.lifecycle.tables import KINDS, as_kind, random_scores, scores, to_pandas


def expected_tempo(row: Any, high: bool) -> str:
    n = row.frequency + 1 if row.frequency == row.frequency else 0
    r = row.activity_ratio
    if r >= 0.7 and row.frequency >= 3:
        return "fast"
    if (0.1 < r <= 0.5 and not row.cannot_lose and row.activity_stage != "asleep") or (
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
    limits = Thresholds(
        high_value_cut=float(np.quantile((table["frequency"] + 1) * table["expected_spend"], 0.3))
    )
    staged = assign_stages(table, playbook=path, tiers="cumulative", thresholds=limits)
    assert list(staged.columns[-8:]) == [*STAGE_COLUMNS, "tier", "stage_tempo"]
    value = (table["frequency"] + 1) * table["expected_spend"]
    high = value >= np.quantile(value, 0.3)
    top = staged["tier"] == "high"
    assert (
        staged["stage_tempo"].tolist()
        == np.select([top & high, top, high], list("abc"), "d").tolist()
    )
    found = check_taxonomy(staged, read_playbook(path).taxonomies["tempo"], thresholds=limits)
    assert found["matches"].tolist() == [(top & high).sum(), top.sum(), high.sum(), len(table)]


def test_one_stage_for_everyone(write: Any) -> None:
    for head in ("", "exclusive = true"):
        assert tempo_of(random_scores(1, 5), write(rules(None, head=head))) == ["a"] * 5


# ---------------------------------------------------------------- exclusive and exhaustive


@pytest.mark.parametrize("kind", KINDS)
def test_a_customer_who_matches_nothing(kind: str, write: Any) -> None:
    table = scores([{"id": f"c{9 - i}", "x": i} for i in range(6)])
    path = write(rules("frequency == 0", "frequency > 4"))
    with pytest.raises(
        DataError,
        match=r"taxonomy tempo: .* every customer; got 4 customers \(first 'c5', 'c6', 'c7'\)",
    ):
        assign_stages(as_kind(table, kind), playbook=path)
    found = check_taxonomy(as_kind(table, kind), read_playbook(path).taxonomies["tempo"])
    assert found["customers"].tolist() == found["matches"].tolist() == [1, 1]
    assert tempo_of(as_kind(table, kind), write(rules("frequency == 0", "frequency > 0"))) == [
        "a",
        *"bbbbb",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_two_rules_for_one_customer(kind: str, write: Any) -> None:
    table = as_kind(scores([{"id": f"c{i}", "x": i} for i in range(6)]), kind)
    both = ("frequency < 3", "frequency >= 2", None)
    assert tempo_of(table, write(rules(*both))) == [*"aaabbb"]
    with pytest.raises(
        DataError, match=r"at most one rule .*; got 1 customers \(first 'c2'\) with more"
    ):
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
    with pytest.raises(DataError, match="activity_ratio"):
        check_taxonomy(table.drop(columns="activity_ratio"), book.taxonomies["tempo"])
