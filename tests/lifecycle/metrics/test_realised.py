"""What stages went on to do, on CDNOW and by hand."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import realised_repurchase


@pytest.fixture(scope="module")
def table(customers: ls.Summary) -> pd.DataFrame:
    model = ls.fit(customers, purchases="mbg/nbd")
    return realised_repurchase(ls.assign_stages(model.predict(customers)), customers)


def test_repurchase_falls_from_active_to_asleep(table: pd.DataFrame) -> None:
    line = table[table["taxonomy"] == "line"]
    assert line["stage"].tolist() == ["active", "drowsy", "half_asleep", "asleep"]
    assert line["repurchased"].is_monotonic_decreasing
    assert line["low"].iloc[0] > line["high"].iloc[1] > line["low"].iloc[1] > line["high"].iloc[2]
    assert line["low"].iloc[2] > line["high"].iloc[3]


def test_counts_are_those_of_the_log(
    table: pd.DataFrame, cdnow: pd.DataFrame, customers: ls.Summary
) -> None:
    end = pd.Timestamp(customers.until) + pd.Timedelta(customers.stage_window, "D")
    after = cdnow[(cdnow["date"] > pd.Timestamp(customers.until)) & (cdnow["date"] <= end)]
    for _, part in table.groupby("taxonomy"):
        assert part["customers"].sum() == 2357
        assert part["buyers"].sum() == after["customer_id"].nunique()
    ends = stats.binomtest(int(table["buyers"][0]), int(table["customers"][0])).proportion_ci(
        0.9, "wilson"
    )
    np.testing.assert_allclose((table["low"][0], table["high"][0]), (ends.low, ends.high))


def test_engines_agree(table: pd.DataFrame, cdnow: pd.DataFrame) -> None:
    customers = ls.summarize(duckdb.from_df(cdnow), until="1997-09-30", period="week")
    model = ls.fit(customers, purchases="mbg/nbd")
    other = realised_repurchase(ls.assign_stages(model.predict(customers)), customers)
    pd.testing.assert_frame_equal(table, other, rtol=1e-6)


def test_windows_are_checked(
    customers: ls.Summary, model: ls.LTVModel, cdnow: pd.DataFrame
) -> None:
    staged = ls.assign_stages(model.predict(customers))
    with pytest.raises(ConfigError, match="at most 273 days"):
        realised_repurchase(staged, customers, window=274)
    month = realised_repurchase(staged, customers, window=30)
    assert month["expected"].isna().all()
    with pytest.raises(DataError, match="no order after the last day"):
        realised_repurchase(staged, ls.summarize(cdnow))
