from __future__ import annotations

import math

import pytest

from lifestage.core.errors import ConfigError
from lifestage.lifecycle import lifespan_years, ltv_base, ltv_simple, ltv_with_margin


def test_published_example() -> None:
    assert ltv_simple(50, 2, 3) == 300


def test_margin_takes_its_share() -> None:
    assert ltv_with_margin(80, 1.5, 4, 0.5) == 240
    assert ltv_with_margin(50, 2, 3, 1) == ltv_simple(50, 2, 3)


def test_base_and_customer_differ_by_the_number_of_users() -> None:
    assert ltv_base(60, 500, 3, 30, scope="customer") == 150
    assert ltv_base(60, 500, 3, 30) == ltv_base(60, 500, 3, 30, scope="base") == 75_000
    assert ltv_base(10, 4, 1, 25, scope="base") == -60  # acquisition may cost more than it brings


def test_lifespan_is_the_mean_of_a_geometric_life() -> None:
    quarterly = 0.2
    windows = sum(n * quarterly * (1 - quarterly) ** (n - 1) for n in range(1, 400))
    assert lifespan_years(quarterly, 91.3125) == pytest.approx(windows / 4)


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf])
@pytest.mark.parametrize("place", range(3))
def test_numbers_are_checked(place: int, bad: float) -> None:
    given: list[float] = [1, 1, 1]
    given[place] = bad
    for formula in (ltv_simple, lambda *a: ltv_with_margin(*a, 0.5), lambda *a: ltv_base(*a, 1)):
        with pytest.raises(ConfigError, match="finite number, 0 or more"):
            formula(*given)


def test_options_are_checked() -> None:
    with pytest.raises(ConfigError, match="margin"):
        ltv_with_margin(1, 1, 1, 1.01)
    with pytest.raises(ConfigError, match="cac"):
        ltv_base(1, 1, 1, -1)
    with pytest.raises(ConfigError, match="scope"):
        ltv_base(1, 1, 1, 1, scope="user")
    for churn in (0, -0.1, 1.1, math.nan):
        with pytest.raises(ConfigError, match="churn_rate"):
            lifespan_years(churn, 30)
    for days in (0, -3, math.inf):
        with pytest.raises(ConfigError, match="window_days"):
            lifespan_years(0.5, days)
