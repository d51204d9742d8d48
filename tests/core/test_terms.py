"""Horizons and margins as they are given: one or many, for all or per customer; and what is refused with a sentence."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.jobs.config import read_config
from lifestage.lifecycle import group_totals, stage_forecast, stage_probabilities
from lifestage.report import summarize_run
from tests.lifecycle.tables import as_kind, to_pandas

KINDS = ("pandas", "polars", "pyarrow", "duckdb")
FRAME = ["customer_id", "frequency", "recency", "T", "monetary_value"]


@pytest.fixture(scope="module")
def few(customers: ls.Summary) -> pd.DataFrame:
    table = customers.table[FRAME].iloc[::20].reset_index(drop=True)
    return table.assign(share=np.linspace(0.1, 1.0, len(table)))


def summary(few: pd.DataFrame, customers: ls.Summary, kind: str = "pandas") -> ls.Summary:
    return replace(customers, table=as_kind(few, kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["mle", "laplace"])
def test_of_several_horizons_each_block_is_the_single_table(
    customers: ls.Summary, few: pd.DataFrame, kind: str, method: str
) -> None:
    model, base = ls.fit(customers, method=method, draws=20), summary(few, customers, kind)
    found = model.predict(base, horizon=[52, 4.5, 13])
    assert type(found) is type(base.table)
    table = to_pandas(found)
    assert table["horizon_days"].unique().tolist() == [364.0, 31.5, 91.0]
    for horizon in (52, 4.5, 13):
        block = table[table["horizon_days"] == horizon * 7].sort_values(
            "customer_id", ignore_index=True
        )
        single = to_pandas(model.predict(base, horizon=horizon)).sort_values(
            "customer_id", ignore_index=True
        )
        pd.testing.assert_frame_equal(block, single, check_exact=True)


@pytest.mark.parametrize(
    "horizons", [(4, 13), np.array([4.0, 13]), pd.Series([4, 13], index=[9, 8]), pl.Series([4, 13])]
)
def test_horizons_come_in_any_sequence(
    model: ls.LTVModel, customers: ls.Summary, few: Any, horizons: Any
) -> None:
    table = model.predict(summary(few, customers), horizon=horizons)
    assert table["horizon_days"].tolist() == [28.0] * len(few) + [91.0] * len(few)


@pytest.mark.parametrize("kind", KINDS)
def test_a_margin_per_customer_is_used_in_every_value(
    model: ls.LTVModel, customers: ls.Summary, few: pd.DataFrame, kind: str
) -> None:
    base = summary(few, customers, kind)
    whole = to_pandas(model.predict(base)).set_index("customer_id")
    own = (
        to_pandas(model.predict(base, margin="share")).set_index("customer_id").reindex(whole.index)
    )
    assert own["margin"].tolist() == whole["share"].tolist() == own["share"].tolist()
    for name in ("ltv", "ltv_low", "ltv_high", "value_lost"):
        np.testing.assert_allclose(
            own[name], whole[name] * whole["share"], rtol=1e-14, err_msg=name
        )
    rest = [
        name for name in whole if name not in ("ltv", "ltv_low", "ltv_high", "value_lost", "margin")
    ]
    pd.testing.assert_frame_equal(own[rest], whole[rest], check_exact=True)
    assert list(own) == list(whole)


def test_equal_margins_are_one_margin(
    model: ls.LTVModel, customers: ls.Summary, few: pd.DataFrame
) -> None:
    expected = model.predict(summary(few, customers), margin=0.3)
    found = model.predict(summary(few, customers), margin=[0.3] * len(few))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("method", ["mle", "laplace"])
def test_rows_keep_their_order(
    customers: ls.Summary, few: pd.DataFrame, kind: str, method: str
) -> None:
    model = ls.fit(customers, method=method, draws=20)
    shuffled = few.sample(frac=1, random_state=2)
    found = to_pandas(model.predict(summary(shuffled, customers, kind)))
    assert found["customer_id"].tolist() == shuffled["customer_id"].tolist()


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_margins_beside_the_rows(
    model: ls.LTVModel, customers: ls.Summary, few: pd.DataFrame, kind: str
) -> None:
    base = summary(few, customers, kind)
    expected = to_pandas(model.predict(base, margin="share"))
    shares = few["share"]
    for margin in (shares.tolist(), shares.to_numpy(), pl.Series(shares.tolist()), shares):
        pd.testing.assert_frame_equal(
            to_pandas(model.predict(base, margin=margin)), expected, check_exact=True
        )


def test_a_series_is_aligned_by_index(
    model: ls.LTVModel, customers: ls.Summary, few: pd.DataFrame
) -> None:
    base = summary(few.set_index(few["customer_id"].to_numpy() + 1000), customers)
    shuffled = base.table["share"].sample(frac=1, random_state=0)
    expected = model.predict(base, margin="share")
    pd.testing.assert_frame_equal(model.predict(base, margin=shuffled), expected, check_exact=True)
    with pytest.raises(
        ConfigError,
        match=r"with the index of the customers' table, 118 rows; got 118 rows, without",
    ):
        model.predict(base, margin=shuffled.reset_index(drop=True))


def test_draws_take_margins_too(
    model: ls.LTVModel, customers: ls.Summary, few: pd.DataFrame
) -> None:
    base = summary(few, customers)
    expected = model.predict(base, margin="share")["ltv"]
    for margin in ("share", few["share"].tolist()):
        np.testing.assert_allclose(
            model.predict_draws(base, margin=margin)["ltv"][0], expected, rtol=1e-12
        )


@pytest.mark.parametrize(
    ("horizon", "got"),
    [
        (None, "got None"),
        ("52", "got '52'"),
        (True, "got True"),
        (float("nan"), "got nan"),
        (0, "got 0"),
        (-1, "got -1"),
        (np.inf, "got inf"),
        (Decimal(52), "got Decimal"),
        ({4: 1}, "got {4: 1}"),
        ({4, 13}, r"got {4, 13}"),
        ([], r"1 to 100 of them; got \[\]"),
        (list(range(1, 102)), "1 to 100 of them"),
        ([[4, 13]], r"got \[4, 13\]"),
        (np.ones((2, 2)), "1 to 100 of them"),
        ([4, "13"], "got '13'"),
        ([4, None], "got None"),
        ([4, float("nan")], "got nan"),
        ([4, 13, 4.0], "different numbers"),
    ],
)
def test_what_is_no_horizon(
    model: ls.LTVModel, customers: ls.Summary, horizon: object, got: str
) -> None:
    with pytest.raises(ConfigError, match=f"horizon: expected .*{got}"):
        model.predict(customers, horizon=horizon)


@pytest.mark.parametrize("horizon", [None, "52", [4, 13], True, pd.Series([4.0])])
def test_elsewhere_a_horizon_is_one_number(
    model: ls.LTVModel, customers: ls.Summary, staged: pd.DataFrame, horizon: Any
) -> None:
    calls = [
        lambda: model.predict_draws(customers, horizon=horizon),
        lambda: ls.new_customers(model, horizon=horizon),
        lambda: group_totals(model, staged, "cohort", horizon=horizon),
        lambda: stage_forecast(model, staged, horizon=horizon),
        lambda: stage_probabilities(model, staged, horizon=horizon),
    ]
    for call in calls:
        with pytest.raises(ConfigError, match="horizon: expected one number of periods"):
            call()


@pytest.mark.parametrize(
    ("margin", "got"),
    [
        (None, "got None"),
        (True, "got True"),
        (0, "got 0"),
        (1.5, "got 1.5"),
        (float("nan"), "got nan"),
        ("0.3", r"a column of the customers; got '0.3', and they have customer_id, frequency"),
        ("channel", "a column of numbers; got channel"),
        ([0.3], "2,357 shares, one per customer; got 1"),
        (np.full(2358, 0.3), "got 2,358"),
        (np.full((2357, 1), 0.3), "2,357 shares"),
        (["0.3"] * 2357, "2,357 shares"),
        ([True] * 2357, "2,357 shares"),
        ({"a": 0.3}, "2,357 shares"),
        ([0.3, None] + [0.3] * 2355, "1 customers have others, first 2: nan"),
        (
            [0.3, 0.0, 1.2, -1.0, 5.0] + [0.3] * 2352,
            "4 customers have others, first 2: 0.0, 3: 1.2, 4: -1.0",
        ),
    ],
)
def test_what_is_no_margin(
    model: ls.LTVModel, customers: ls.Summary, margin: object, got: str
) -> None:
    base = replace(customers, table=customers.table.assign(channel="web"))
    with pytest.raises(ConfigError, match=f"margin: expected .*{got}"):
        model.predict(base, margin=margin)
    with pytest.raises(ConfigError, match=f"margin: expected .*{got}"):
        model.predict_draws(base, margin=margin)


def test_rows_of_an_engine_have_no_order(
    model: ls.LTVModel, customers: ls.Summary, few: pd.DataFrame
) -> None:
    with pytest.raises(
        ConfigError, match="a column of a duckdb table, whose rows have no order; got list"
    ):
        model.predict(summary(few, customers, "duckdb"), margin=few["share"].tolist())


@pytest.mark.parametrize(
    "rate", [10, 1.01, -0.1, "10%", None, True, float("nan"), pd.Series([0.1])]
)
def test_a_discount_rate_is_a_share_a_year(
    model: ls.LTVModel, customers: ls.Summary, rate: Any
) -> None:
    for call in (model.predict, model.predict_draws):
        with pytest.raises(
            ConfigError,
            match=r"discount_rate: expected a share per YEAR .* 0\.10 for 10 % a year; got",
        ):
            call(customers, discount_rate=rate)
    if isinstance(rate, int | float) and rate is not True:
        with pytest.raises(ConfigError, match="discount_rate"):
            read_config(None, {"discount_rate": rate if rate == rate else 2})


def test_totals_are_of_one_term(
    model: ls.LTVModel, customers: ls.Summary, few: pd.DataFrame
) -> None:
    for terms, said in (
        ({"margin": "share"}, "one margin; got 0.1 to 1"),
        ({"horizon": [4, 13]}, "one horizon_days"),
    ):
        staged = ls.assign_stages(model.predict(summary(few, customers), **terms))
        with pytest.raises(DataError, match=f"expected a table of {said}"):
            summarize_run(staged, model)


def test_a_table_is_scored_again(
    model: ls.LTVModel, customers: ls.Summary, few: pd.DataFrame
) -> None:
    for kind in KINDS:
        once = model.predict(summary(few, customers, kind), horizon=52, margin=0.5)
        again = model.predict(replace(customers, table=once), horizon=13)
        fresh = to_pandas(model.predict(summary(few, customers, kind), horizon=13))
        keys = {"by": "customer_id", "ignore_index": True}
        pd.testing.assert_frame_equal(
            to_pandas(again).sort_values(**keys),
            fresh.sort_values(**keys),
            check_exact=True,
            check_dtype=False,
        )
