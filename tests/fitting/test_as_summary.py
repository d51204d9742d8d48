"""The last day of observation is that of the customers who are scored, never that of the model."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import purchase_windows, regularity, stage_entry_dates, stage_forecast
from tests.lifecycle.tables import as_kind, to_pandas

DATES = ["next_purchase_p25", "next_purchase_p50", "next_purchase_p75"]
WAITS = [f"{name}_days" for name in DATES]
KINDS = ("pandas", "polars", "pyarrow", "duckdb")


@pytest.fixture(scope="module")
def later(cdnow: pd.DataFrame) -> ls.Summary:
    """CDNOW half a year after the model's last day."""
    return ls.summarize(cdnow, until="1998-03-31", period="week")


@pytest.mark.parametrize("kind", KINDS)
def test_no_next_purchase_lies_before_the_last_day_of_its_table(
    model: ls.LTVModel, later: ls.Summary, kind: str
) -> None:
    found = to_pandas(model.predict(as_kind(later.table, kind)))
    expected = model.predict(later)
    assert (pd.to_datetime(found["observed_until"]) == pd.Timestamp("1998-03-31")).all()
    for name in DATES:
        dates = pd.to_datetime(found.set_index("customer_id")[name])
        assert (dates > pd.Timestamp("1998-03-31")).all()
        assert (dates == expected.set_index("customer_id")[name].reindex(dates.index)).all()


@pytest.mark.parametrize("kept", ["first_purchase", "last_purchase"])
@pytest.mark.parametrize("period", ["day", "month"])
def test_either_date_tells_it_in_any_unit(cdnow: pd.DataFrame, kept: str, period: str) -> None:
    customers = ls.summarize(cdnow, until="1997-09-30", period=period)
    other = {"first_purchase": "last_purchase", "last_purchase": "first_purchase"}[kept]
    scores = ls.fit(customers).predict(customers.table.drop(columns=other))
    assert scores["observed_until"].unique().tolist() == [pd.Timestamp("1997-09-30")]


def test_a_table_of_two_last_days_is_refused(
    model: ls.LTVModel, customers: ls.Summary, later: ls.Summary
) -> None:
    newer = later.table.assign(customer_id=later.table["customer_id"] + 10_000)
    both = pd.concat([customers.table, newer], ignore_index=True)
    said = r"all observed until one day; .* got 1997-09-30 to 1998-03-31: give the day as Summary.from_frame"
    with pytest.raises(DataError, match=said):
        model.predict(both)
    wrong = customers.table.assign(
        last_purchase=customers.table["last_purchase"] + pd.Timedelta(days=1)
    )
    with pytest.raises(DataError, match="got 1997-09-30 to 1997-10-01"):
        model.predict(wrong)
    given = ls.Summary.from_frame(customers.table, period="week", until="1997-10-02")
    assert model.predict(given)["observed_until"].unique().tolist() == [pd.Timestamp("1997-10-02")]


def test_without_dates_waits_come_in_days(model: ls.LTVModel, customers: ls.Summary) -> None:
    dated = model.predict(customers)
    for kind in KINDS:
        bare = as_kind(
            customers.table[["customer_id", "frequency", "recency", "T", "monetary_value"]], kind
        )
        found = (
            to_pandas(model.predict(bare)).set_index("customer_id").reindex(dated["customer_id"])
        )
        assert not {*DATES, "observed_until"} & set(found)
        for name, wait in zip(DATES, WAITS, strict=True):
            days = (dated.set_index("customer_id")[name] - pd.Timestamp("1997-09-30")).dt.days
            assert (found[wait].clip(lower=1e-9) <= days + 1e-6).all()
            assert (found[wait] > days - 1 - 1e-6).all()
        assert (found[WAITS[0]] <= found[WAITS[1]]).all()


def test_who_has_no_dates_at_all(model: ls.LTVModel, customers: ls.Summary) -> None:
    empty = customers.table.assign(first_purchase=pd.NaT, last_purchase=pd.NaT)
    assert set(WAITS) <= set(model.predict(empty))


def test_what_follows_reads_the_day_from_the_scores(model: ls.LTVModel, later: ls.Summary) -> None:
    staged = ls.assign_stages(model.predict(later))
    dated = stage_entry_dates(model, staged)
    assert (dated["review_on"].dropna() > pd.Timestamp("1998-03-31")).all()
    pd.testing.assert_frame_equal(dated, stage_entry_dates(model, staged, until="1998-03-31"))
    ahead = stage_forecast(model, staged, horizon=4, points=1, scenarios=2, sample=50)
    assert {str(day) for day in ahead.totals["date"]} == {"1998-04-28"}
    windows = purchase_windows(model, staged, regularity(later))
    assert (windows[DATES[0]] > pd.Timestamp("1998-03-31")).all()


def test_scores_that_name_no_day_or_two(
    model: ls.LTVModel, customers: ls.Summary, later: ls.Summary
) -> None:
    bare = model.predict(
        customers.table[["customer_id", "frequency", "recency", "T", "monetary_value"]]
    )
    with pytest.raises(ConfigError, match=r"expected until=.*their scores name none"):
        stage_entry_dates(model, bare)
    assert (
        stage_forecast(model, ls.assign_stages(bare), horizon=4, points=1, scenarios=2)
        .totals["date"]
        .isna()
        .all()
    )
    both = pd.concat([model.predict(customers), model.predict(later)], ignore_index=True)
    with pytest.raises(
        DataError, match="expected scores of one day of observation; got 1997-09-30 to 1998-03-31"
    ):
        stage_entry_dates(model, both)


@pytest.mark.parametrize("kind", [duckdb.from_arrow, pl.from_arrow])
def test_the_day_is_a_date_in_every_kind(
    model: ls.LTVModel, customers: ls.Summary, kind: Any
) -> None:
    import pyarrow as pa

    scores = model.predict(kind(pa.Table.from_pandas(customers.table)))
    table = (
        scores.to_arrow_table()
        if isinstance(scores, duckdb.DuckDBPyRelation)
        else scores.to_arrow()
    )
    assert pa.types.is_date(table.schema.field("observed_until").type)
