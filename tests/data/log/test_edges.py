"""Time zones, formats of dates, stage window, notes, and logs at the edge of what can be used."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.numerics.statistics import weighted_quantile


def orders(days: list, ids: list | int = 1, amount: list | float = 10.0) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": ids, "date": days, "amount": amount})


def firsts(frame, **options) -> list[date]:
    table = ls.summarize(frame, stage_window=1, **options).table
    return [stamp.date() for stamp in table["first_purchase"]]


def codes(summary) -> set[str]:
    return {note.code for note in summary.quality.notes}


STAMPS = ["2024-06-01T23:30:00+00:00", "2024-07-01T10:00:00+00:00"]


@pytest.mark.parametrize(
    ("tz", "day"), [("UTC", 1), ("Europe/London", 2), ("Asia/Taipei", 2), ("America/New_York", 1)]
)
@pytest.mark.parametrize("kind", ["text", "zulu", "pandas", "polars", "objects"])
def test_aware_times_are_cut_in_the_zone(tz, day, kind) -> None:
    frame = orders(STAMPS)
    if kind == "zulu":
        frame = orders([text.replace("+00:00", "Z") for text in STAMPS])
    elif kind == "pandas":
        frame["date"] = pd.to_datetime(frame["date"]).dt.tz_convert("America/New_York")
    elif kind == "polars":
        frame = pl.DataFrame(orders(pd.to_datetime(STAMPS)))
        table = ls.summarize(frame, tz=tz, stage_window=1).table
        assert table["first_purchase"].to_list() == [date(2024, 6, day)]
        return
    elif kind == "objects":
        frame["date"] = pd.Series([datetime.fromisoformat(text) for text in STAMPS], dtype=object)
    assert firsts(frame, tz=tz) == [date(2024, 6, day)]


def test_aware_times_need_a_zone_and_a_true_one() -> None:
    for frame in (orders(STAMPS), orders(pd.to_datetime(STAMPS))):
        with pytest.raises(DataError, match="tz="):
            ls.summarize(frame)
        with pytest.raises(ConfigError, match="Mars/Base"):
            ls.summarize(frame, tz="Mars/Base")


def test_a_mixture_of_aware_and_naive_is_refused() -> None:
    with pytest.raises(DataError, match="1 of 2"):
        ls.summarize(orders([STAMPS[0], "2024-07-01 10:00:00"]), tz="UTC")
    mixed = pd.Series([datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1)], dtype=object)
    with pytest.raises(DataError, match="1 of 2"):
        ls.summarize(orders(mixed), tz="UTC")


def test_naive_times_are_local_already() -> None:
    frame = orders(["2024-06-01 23:30:00", "2024-07-01 10:00:00"])
    assert firsts(frame) == firsts(frame, tz="Asia/Taipei") == [date(2024, 6, 1)]


@pytest.mark.parametrize(
    "text",
    ["2024-06-03", "2024/06/03", "2024-06-03 04:05", "2024-06-03T04:05:06.123456", "20240603", "03.06.2024",
     "3.6.2024 23:59", "03-Jun-2024", "Jun 3, 2024", "3 June 2024"],
)  # fmt: skip
def test_common_formats(text) -> None:
    assert firsts(orders([text, "2024-07-10"])) == [date(2024, 6, 3)]


def test_days_as_integers() -> None:
    assert firsts(orders([20240603, 20240710])) == [date(2024, 6, 3)]


def test_dates_with_slashes_are_read_as_the_column_says() -> None:
    assert firsts(orders(["3/6/2024", "13/7/2024 10:00"])) == [date(2024, 6, 3)]
    assert firsts(orders(["6/3/2024", "7/13/2024 11:00 PM"])) == [date(2024, 6, 3)]
    with pytest.raises(DataError, match="day/month"):
        ls.summarize(orders(["3/6/2024", "4/7/2024"]))


def test_dates_of_no_calendar_are_counted() -> None:
    summary = ls.summarize(
        orders(["2024-01-01", "2024-03-01", "2024-02-30", "infinity", "0000-00-00", "99999-01-01"]),
        stage_window=14,
        max_dropped=1,
    )
    assert summary.quality.dropped == {"unparseable_time": 4}


def test_wrong_types_are_refused() -> None:
    with pytest.raises(DataError, match="expected dates"):
        ls.summarize(orders([1.5, 2.5]))
    with pytest.raises(DataError, match="expected numbers"):
        ls.summarize(orders(["2024-01-01"], amount=[date(2024, 1, 1)]))
    with pytest.raises(ConfigError, match="quantity"):
        ls.summarize(orders(["2024-01-01"]), amount=None, quantity="amount")


def test_missing_and_not_finite_are_told_apart() -> None:
    frame = pl.DataFrame(
        {
            "customer_id": [1.0, float("nan"), None, 1.0, 1.0, 1.0, 1.0],
            "date": [date(2024, 1, 1)] * 6 + [date(2024, 3, 1)],
            "amount": [1.0, 1.0, 1.0, float("nan"), None, float("inf"), 2.0],
        }
    )
    summary = ls.summarize(frame, max_dropped=1)
    assert summary.quality.dropped == {"missing_id": 2, "missing_amount": 1, "non_finite_amount": 2}


def test_without_money_every_day_is_a_purchase() -> None:
    frame = orders(["2024-01-01", "2024-01-01", "2024-02-01"]).drop(columns="amount")
    summary = ls.summarize(frame, amount=None)
    assert summary.table.loc[0, ["frequency", "revenue", "orders"]].tolist() == [1, 0, 2]
    assert "monetary_value" not in summary.table  # not known
    assert summary.quality.found == {"exact_duplicates": 1}
    assert ls.compress(summary).spend_x.size == 0


@pytest.mark.parametrize(("days", "window"), [(200, 90), (60, 60), (14, 14)])
def test_everyone_once(days, window) -> None:
    until = date(2024, 1, 1) + pd.Timedelta(days=days)
    summary = ls.summarize(orders(["2024-01-01"] * 5, ids=[1, 2, 3, 4, 5]), until=until)
    assert summary.stage_window == window
    assert (summary.repeaters, summary.gaps) == (0, {})
    assert "no_repeats" in codes(summary)


def test_one_customer_with_one_order() -> None:
    with pytest.raises(DataError, match="history"):
        ls.summarize(orders(["2024-01-01"]))
    summary = ls.summarize(orders(["2024-01-01"]), until="2024-02-01")
    assert summary.table.loc[0, ["frequency", "recency", "monetary_value", "revenue"]].tolist() == [
        0,
        0,
        0,
        10,
    ]
    assert summary.table.loc[0, "T"] == pytest.approx(31 / 7)
    assert {"small_base", "short_history"} <= codes(summary)


def test_a_window_longer_than_the_history_is_refused() -> None:
    frame = orders(["2024-01-01", "2024-01-03", "2024-01-06"])
    with pytest.raises(DataError, match=r"stage window of 14 days; the log covers 5 days"):
        ls.summarize(frame)
    assert ls.summarize(frame, stage_window=3).stage_window == 3


@pytest.mark.parametrize("seed", range(5))
def test_the_percentile_of_gaps_is_that_of_numpy(seed) -> None:
    gaps = np.random.default_rng(seed).integers(1, 40, 3 + 40 * seed)
    values, counts = np.unique(gaps, return_counts=True)
    histogram = dict(zip(values.tolist(), counts.tolist(), strict=True))
    for share in (0, 0.25, 0.8, 1):
        assert float(
            weighted_quantile([*histogram], [*histogram.values()], share)
        ) == pytest.approx(np.percentile(gaps, 100 * share), rel=1e-12)


def test_notes_on_sizes_and_strays() -> None:
    days = pd.date_range("2024-01-01", periods=200).strftime("%Y-%m-%d").tolist()
    frame = orders(
        days * 2, ids=[f"a{n % 50}" for n in range(200)] + [f"b{n % 70}" for n in range(200)]
    )
    assert codes(ls.summarize(frame)) == {"small_base"}
    giant = ls.summarize(pd.concat([frame, orders(["2024-02-02"], ids="c", amount=20_000.0)]))
    assert codes(giant) == {"small_base", "giant_order", "wholesaler"}
    stray = pd.concat([frame, orders(["2027-01-01"], ids="a1")])
    note = next(note for note in ls.summarize(stray).quality.notes if note.code == "future_dates")
    assert "2027-01-01" in note.text
    assert "until='2024-07-18'" in note.text
    assert codes(ls.summarize(stray, until="2024-07-18")) == {"small_base"}


def test_a_truncated_start_is_noticed_with_about_the_right_share() -> None:
    """Stationary base of 1,000 old customers who buy monthly, plus 3 new ones a day, for a year."""
    rng = np.random.default_rng(1)
    parts = []
    for number in range(1000 + 3 * 365):
        start = 0 if number < 1000 else (number - 1000) // 3
        gaps = rng.exponential(30, 40)
        born = start + (gaps[0] if number < 1000 else 0)
        at = born + np.r_[0, np.cumsum(gaps[1:])]
        at = at[at < 365].astype(int)
        parts.append(pd.DataFrame({"customer_id": number, "day": at}))
    log = pd.concat(parts)
    log["date"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(log["day"], "D")
    log["amount"] = 10.0
    note = next(note for note in ls.summarize(log).quality.notes if note.code == "truncated_start")
    assert 0.1 < note.values["share"] < 1000 / (1000 + 3 * 365)
    only_new = ls.summarize(log[log["customer_id"] >= 1000])
    assert "truncated_start" not in codes(only_new)


def test_missing_ids_and_refunds_are_noticed_with_their_shares() -> None:
    days = pd.date_range("2024-01-01", periods=200).strftime("%Y-%m-%d").tolist()
    frame = orders(
        days * 2, ids=[f"a{n % 50}" for n in range(200)] + [f"b{n % 70}" for n in range(200)]
    )
    frame.loc[:149, "customer_id"] = None
    frame.loc[200:239, "amount"] = -1.0
    notes = {note.code: note for note in ls.summarize(frame, max_dropped=1).quality.notes}
    assert notes["high_missing_id"].values == {"lines": 150, "share": 150 / 400}
    assert notes["cancellations"].values == {"lines": 40, "share": 40 / 400}
    assert "150 of 400 lines (38%)" in notes["high_missing_id"].text
    few = orders(
        days * 2, ids=[f"a{n % 50}" for n in range(200)] + [f"b{n % 70}" for n in range(200)]
    )
    few.loc[0, "customer_id"], few.loc[200, "amount"] = None, -1.0
    assert not {"high_missing_id", "cancellations"} & codes(ls.summarize(few))
