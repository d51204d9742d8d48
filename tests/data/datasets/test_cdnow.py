"""Published counts of the 1/10 CDNOW sample."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

import lifestage as ls


@pytest.fixture(scope="module")
def lines():
    return ls.datasets.cdnow()


@pytest.fixture(scope="module")
def customers(lines):
    return ls.summarize(lines, until="1997-09-30", period="week")


def test_the_sample_is_whole(lines) -> None:
    assert lines.shape == (6919, 4)
    assert lines["customer_id"].nunique() == 2357
    assert [str(lines["date"].agg(end).date()) for end in ("min", "max")] == [
        "1997-01-01",
        "1998-06-30",
    ]


def test_published_counts(customers) -> None:
    assert customers.customers == len(customers.table) == 2357
    assert customers.repeaters == 946
    assert customers.table["frequency"].sum() == 2457
    assert customers.holdout["purchases"].sum() == 1882
    assert customers.holdout["customers"].sum() == 2357
    assert customers.holdout_end == date(1998, 6, 30)
    assert (customers.holdout_end - customers.until).days == 39 * 7


def test_customers_agree_with_lifetimes_on_positive_days(lines) -> None:
    """The independent utility of lifetimes: same frequency, recency, T and mean spend, in days."""
    from lifetimes.utils import summary_data_from_transaction_data

    theirs = summary_data_from_transaction_data(
        lines, "customer_id", "date", "amount", observation_period_end="1997-09-30", freq="D"
    )
    ours = (
        ls.summarize(lines, until="1997-09-30", period="day")
        .table.set_index("customer_id")
        .loc[theirs.index]
    )
    for column in ("frequency", "recency", "T", "monetary_value"):
        np.testing.assert_allclose(
            ours[column].to_numpy(float), theirs[column].to_numpy(float), rtol=1e-12
        )


def test_weeks_are_days_over_seven(lines, customers) -> None:
    days = ls.summarize(lines, until="1997-09-30", period="day")
    np.testing.assert_allclose(days.table["T"] / 7, customers.table["T"], rtol=1e-14)
    assert days.stage_window == customers.stage_window


def test_stage_window_is_the_percentile_of_the_gaps(lines, customers) -> None:
    days = (
        lines[lines["date"] <= "1997-09-30"][["customer_id", "date"]]
        .drop_duplicates()
        .sort_values(["customer_id", "date"])
    )
    gaps = days.groupby("customer_id")["date"].diff().dt.days.dropna()
    assert customers.stage_window == pytest.approx(np.percentile(gaps, 80), rel=1e-12)
    assert dict(gaps.astype(int).value_counts()) == dict(customers.gaps)


def test_calendar_adds_up(customers) -> None:
    now = customers.calendar[customers.calendar["day"] <= customers.until]
    assert now["new_customers"].sum() == 2357
    assert now["repeat_purchases"].sum() == 2457
    assert customers.calendar["repeat_purchases"].sum() == 2457 + 1882
    assert now["revenue"].sum() == pytest.approx(customers.table["revenue"].sum())


def test_a_cohort_is_not_taken_for_a_truncated_log(customers) -> None:
    assert customers.quality.notes == ()


def test_compression_is_exact(customers) -> None:
    counts = ls.compress(customers)
    table = customers.table
    assert counts.customers == 2357
    groups = table.groupby(["frequency", "T", "recency"], sort=True)
    np.testing.assert_array_equal(counts.weight, groups.size())
    np.testing.assert_allclose(counts.monetary_sum, groups["monetary_value"].sum(), rtol=1e-12)
    squares = (
        table.assign(square=table["monetary_value"] ** 2)
        .groupby(["frequency", "T", "recency"])["square"]
        .sum()
    )
    np.testing.assert_allclose(counts.monetary_sq_sum, squares, rtol=1e-12)
    np.testing.assert_array_equal(
        np.column_stack([counts.x, counts.T, counts.t_x]), np.array(list(groups.groups), float)
    )
    spenders = table[(table["frequency"] > 0) & (table["monetary_value"] > 0)]
    assert counts.spend_weight.sum() == len(spenders)
    assert counts.spend_weight @ counts.spend_m == pytest.approx(spenders["monetary_value"].sum())


def test_from_arrays_counts_alike(customers) -> None:
    from lifestage.data.customers.counts import Counts

    table = customers.table.sample(frac=1, random_state=0)
    ours = Counts.from_arrays(
        table["frequency"], table["recency"], table["T"], table["monetary_value"]
    )
    theirs = ls.compress(customers)
    for name in ("x", "t_x", "T", "weight", "spend_x", "spend_m", "spend_weight"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    np.testing.assert_allclose(ours.monetary_sum, theirs.monetary_sum, rtol=1e-12)
    np.testing.assert_allclose(ours.monetary_sq_sum, theirs.monetary_sq_sum, rtol=1e-12)
