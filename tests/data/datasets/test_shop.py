"""The simulated shop keeps its promises, and its truth can be found again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.data.datasets.shop import DROPOUT, RATE, SPEND
from lifestage.lifecycle import regularity

ONE = {"web": {"share": 1.0, "rate": 1.0, "dropout": 1.0, "spend": 1.0}}
COLUMNS = {"amount": "price", "quantity": "quantity", "order": "order_id"}


def test_a_seed_is_a_log() -> None:
    log = ls.datasets.simulate_shop(300, seed=4)
    pd.testing.assert_frame_equal(log, ls.datasets.simulate_shop(300, seed=4))
    assert not log.equals(ls.datasets.simulate_shop(300, seed=5))
    assert log["date"].is_monotonic_increasing


def test_shares_are_those_asked_for() -> None:
    log, truth = ls.datasets.simulate_shop(8000, seed=1, refunds=0.05, anonymous=0.2, truth=True)
    orders = log[~log["order_id"].str.startswith("C")].groupby("order_id").first()
    n = len(orders)
    assert orders["customer_id"].isna().mean() == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / n))
    sent = log.loc[log["order_id"].str.startswith("C"), "order_id"].nunique() / n
    assert sent == pytest.approx(
        0.05, abs=4 * np.sqrt(0.05 / n) + 0.002
    )  # the last ones come after the log
    mail, social = (truth[truth["channel"] == name] for name in ("mail", "social"))
    assert mail["rate"].mean() > social["rate"].mean()
    assert mail["dropout"].mean() < social["dropout"].mean()
    assert truth["channel"].value_counts(normalize=True)["search"] == pytest.approx(0.4, abs=0.02)


def test_the_truth_is_found_again() -> None:
    log = ls.datasets.simulate_shop(20_000, seed=2, channels=ONE, refunds=0, anonymous=0)
    model = ls.fit(ls.summarize(log, period="day", **COLUMNS))
    table = model.params.set_index("parameter")
    expected = {
        "r": RATE["shape"],
        "alpha": 1 / RATE["scale"],
        "a": DROPOUT["a"],
        "b": DROPOUT["b"],
        **SPEND,
    }
    for name, value in expected.items():  # purchases of one day are merged, so a little is off
        assert (
            abs(table.loc[name, "estimate"] - value) < 4 * table.loc[name, "sd"] + 0.05 * value
        ), name


def test_refunds_and_unknown_customers_are_accounted_for() -> None:
    log = ls.datasets.simulate_shop(3000, seed=3, refunds=0.1)
    customers = ls.summarize(log, channel="channel", **COLUMNS)
    quality = customers.quality
    assert quality is not None
    assert quality.rows_read == quality.rows_used + sum(quality.dropped.values()) == len(log)
    assert quality.dropped["missing_id"] == log["customer_id"].isna().sum()
    assert quality.dropped["day_net_not_positive"] > 0
    assert (
        quality.found["negative_lines"] == (log.dropna(subset="customer_id")["quantity"] < 0).sum()
    )


def test_seasons_peak_before_christmas() -> None:
    log = ls.datasets.simulate_shop(6000, seed=5, seasonality=True, refunds=0)
    repeats = log.drop_duplicates("order_id").dropna(subset="customer_id")
    repeats = repeats[repeats["customer_id"].duplicated()]
    year = repeats[repeats["date"].dt.year == 2024]
    by_month = year.groupby(year["date"].dt.month).size()
    assert by_month[[11, 12]].sum() > 1.6 * by_month[[5, 6]].sum()


def test_gaps_can_be_regular() -> None:
    found = [
        regularity(ls.summarize(ls.datasets.simulate_shop(4000, seed=6, regularity=k), **COLUMNS))
        for k in (1.0, 3.0)
    ]
    assert not found[0].regular
    assert found[1].regular
    assert found[0].k == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"customers": 0}, "1 or more customers"),
        ({"refunds": 1.0}, "shares in"),
        ({"regularity": 0.5}, "regularity must be 1 or more"),
        ({"channels": {"web": {"share": 1.0}}}, "channel 'web'"),
        ({"channels": {"web": {**ONE["web"], "share": 0.5}}}, "add up to 1"),
    ],
)
def test_options_are_checked(options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ls.datasets.simulate_shop(**options)
