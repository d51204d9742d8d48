from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import assign_tiers
from tests.lifecycle.tables import KINDS, as_kind, to_pandas


def base(values: list[float | None], **columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(
        {"customer_id": range(len(values)), "ltv": pd.Series(values, dtype=float), **columns}
    )


def greedy(values: list[float], shares: tuple[float, float]) -> list[str]:
    """Walk down the customers, best first, until the share is reached."""
    tiers, ahead = [""] * len(values), 0.0
    for place in sorted(range(len(values)), key=lambda i: (-values[i], i)):
        share = ahead / sum(values)
        tiers[place] = (
            "high"
            if share < shares[0] - 1e-12
            else "mid"
            if share < shares[1] - 1e-12
            else "budget"
        )
        ahead += values[place]
    return tiers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cuts", [None, (0.5, 0.7)])
def test_cumulative_share_of_value(kind: str, cuts: tuple[float, float] | None) -> None:
    values = (
        np.random.default_rng(2).lognormal(2, 1.5, 300).round(0).tolist()
    )  # rounding makes ties
    table = as_kind(base(values), kind)
    found = assign_tiers(table, cuts=cuts)
    assert type(found) is type(table)
    tiers = to_pandas(found).sort_values("customer_id")["tier"].tolist()
    assert tiers == greedy(values, cuts or (0.80, 0.95))
    assert set(tiers) == {"high", "mid", "budget"}


@pytest.mark.parametrize("kind", KINDS)
def test_percentile_and_ties_by_customer(kind: str) -> None:
    table = as_kind(base([5.0] * 10), kind)
    tiers = (
        to_pandas(assign_tiers(table, method="percentile"))
        .sort_values("customer_id")["tier"]
        .tolist()
    )
    assert tiers == ["high"] * 2 + ["mid"] * 3 + ["budget"] * 5


def test_money_cuts_include_their_amount() -> None:
    tiers = assign_tiers(base([100.0, 99.9, 20.0, 19.9, None]), method="money", cuts=(100, 20))[
        "tier"
    ]
    assert tiers.tolist()[:4] == ["high", "mid", "mid", "budget"]
    assert pd.isna(tiers[4])


@pytest.mark.parametrize("kind", KINDS)
def test_money_with_memory(kind: str) -> None:
    # enter high at 100 and leave below 90; enter mid at 20 and leave below 18
    rows = [
        (95.0, "high", "high"),
        (90.0, "high", "high"),
        (89.0, "high", "mid"),
        (95.0, "mid", "mid"),
        (95.0, None, "mid"),
        (100.0, "budget", "high"),
        (19.0, "mid", "mid"),
        (19.0, "high", "mid"),
        (17.9, "mid", "budget"),
        (19.0, "budget", "budget"),
        (19.0, None, "budget"),
    ]
    table = as_kind(base([r[0] for r in rows], last=[r[1] for r in rows]), kind)
    found = assign_tiers(table, method="money", cuts=(100, 20), previous="last", margin=0.1)
    result = to_pandas(found).sort_values("customer_id")
    assert result["tier"].tolist() == [r[2] for r in rows]
    assert list(result.columns) == ["customer_id", "ltv", "last", "tier"]


def test_shares_with_memory_add_the_margin() -> None:
    # shares of customers ahead: 0, .1, .2, .3 ...; high below .2, kept below .3
    before = ["mid", "high", "high", "high", *["budget"] * 6]
    table = base([float(10 - i) for i in range(10)], last=before)
    tiers = assign_tiers(table, method="percentile", previous="last", margin=0.1)["tier"].tolist()
    assert tiers == ["high", "high", "high", "mid", "mid", *["budget"] * 5]


def test_without_margin_memory_changes_nothing() -> None:
    values = [9.0, 5.0, 3.0, 1.0]
    remembered = assign_tiers(base(values, last=["high"] * 4), previous="last")["tier"].tolist()
    assert (
        remembered == assign_tiers(base(values))["tier"].tolist() == ["high", "high", "high", "mid"]
    )


def test_previous_may_be_the_tier_column_itself() -> None:
    table = base([95.0, 95.0], tier=["high", "mid"])
    again = assign_tiers(table, method="money", cuts=(100, 20), previous="tier", margin=0.1)
    assert again["tier"].tolist() == ["high", "mid"]
    assert table["tier"].tolist() == ["high", "mid"]
    assert list(again.columns) == ["customer_id", "ltv", "tier"]


@pytest.mark.parametrize("method", ["cumulative", "percentile"])
def test_unknown_value_gets_no_tier_and_counts_for_nothing(method: str) -> None:
    with_null = assign_tiers(base([4.0, None, 3.0, 2.0, 1.0]), method=method)["tier"]
    without = assign_tiers(base([4.0, 3.0, 2.0, 1.0]), method=method)["tier"]
    assert pd.isna(with_null[1])
    assert with_null.drop(1).tolist() == without.tolist()


def test_a_base_worth_nothing_is_budget() -> None:
    assert assign_tiers(base([0.0, 0.0]))["tier"].tolist() == ["budget", "budget"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"method": "abc"}, "method"),
        ({"method": "money"}, "needs cuts"),
        ({"method": "money", "cuts": (20, 100)}, "fall"),
        ({"cuts": (0.9, 0.8)}, "rising"),
        ({"cuts": (0.9, 1.2)}, "rising"),
        ({"cuts": (0.5,)}, "two numbers"),
        ({"margin": -0.1}, "margin"),
        ({"margin": 1.0}, "margin"),
    ],
)
def test_options_are_checked(options: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        assign_tiers(base([1.0]), **options)  # type: ignore[arg-type]


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match="columns missing: revenue, last"):
        assign_tiers(base([1.0]), by="revenue", previous="last")
