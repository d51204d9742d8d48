"""A small log with every defect, against a plain pandas computation of its own."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError

UNTIL = "2024-06-30"
ROLES = {
    "customer": "who", "time": "when", "amount": "price", "quantity": "n", "order": "invoice", "channel": "shop",
}  # fmt: skip


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """Text throughout, as a CSV file gives it; None is missing."""
    rng = np.random.default_rng(7)
    size = 1500
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 240, size), "D")
    hour = pd.to_timedelta(rng.integers(0, 86_400, size), "s")
    frame = pd.DataFrame(
        {
            "who": [f"{number:05d}" for number in rng.integers(0, 120, size)],
            "when": (day + hour).strftime("%Y-%m-%d %H:%M:%S"),
            "price": np.round(rng.lognormal(3, 1, size), 2).astype(str),
            "n": rng.choice(["1", "2", "3", "-1", "-2"], size, p=[0.6, 0.15, 0.1, 0.1, 0.05]),
            "invoice": [f"I{number}" for number in rng.integers(0, 900, size)],
            "shop": rng.choice(["web", "Laden", "店"], size),
            "memo": rng.choice(["a", "b"], size),
        }
    ).astype(object)
    frame.loc[0:9, "who"] = None
    frame.loc[10:14, "who"] = "   "
    frame.loc[5:7, "when"] = None  # an id that is missing too comes first
    frame.loc[20:23, "when"] = None
    frame.loc[24:26, "when"] = "soon"
    frame.loc[27, "when"] = "2024-13-45"
    frame.loc[30:33, "price"] = None
    frame.loc[34, "price"] = "nan"
    frame.loc[35, "price"] = "inf"
    frame.loc[36:37, "price"] = "12,50 EUR"
    frame.loc[38:39, "n"] = None
    frame.loc[40:42, "n"] = "many"
    frame.loc[43, "n"] = "-inf"
    frame.loc[50:69, "price"] = "0"
    free = frame.iloc[[70]].assign(who="free", price="0", when="2024-03-01 10:00:00", n="1")
    refund = frame.iloc[[70]].assign(who="refund first", n="-1", when="2024-02-01 10:00:00")
    later = refund.assign(n="1", when="2024-02-05 10:00:00")
    netted = refund.assign(who="netted", when=["2024-02-01 10:00:00"], n="3", price="0.1")
    back = netted.assign(n="-3", price="0.1")
    return pd.concat(
        [frame, frame.iloc[100:130], frame.iloc[100:105], free, refund, later, netted, back]
    ).reset_index(drop=True)


def expected(log: pd.DataFrame, drop_duplicates: bool = False, drop_zero: bool = False):
    """The same rules in plain pandas: counts by reason, the customer table, and what was found."""
    frame = log.copy()
    blank = frame["who"].isna() | (frame["who"].astype(str).str.strip() == "")
    stamp = pd.to_datetime(frame["when"], errors="coerce", format="%Y-%m-%d %H:%M:%S")
    price, n = (pd.to_numeric(frame[name], errors="coerce") for name in ("price", "n"))
    reason = pd.Series("", index=frame.index)
    for name, test in [
        ("missing_id", blank),
        ("missing_time", frame["when"].isna()),
        ("unparseable_time", stamp.isna()),
        ("missing_amount", frame["price"].isna()),
        ("non_finite_amount", ~np.isfinite(price)),
        ("missing_quantity", frame["n"].isna()),
        ("non_finite_quantity", ~np.isfinite(n)),
        ("after_until", stamp.dt.normalize() > UNTIL),
        ("exact_duplicate", frame.duplicated() & drop_duplicates),
    ]:
        reason[(reason == "") & test] = name
    frame = frame.assign(day=stamp.dt.normalize(), money=price * n)
    good = frame[reason == ""]
    grouped = good.groupby(["who", "day"])["money"]
    net, gross = grouped.transform("sum"), grouped.transform(lambda money: money.abs().sum())
    bad = (gross > 0) & (net <= 1e-9 * gross)
    reason[bad[bad].index] = "day_net_not_positive"
    if drop_zero:
        reason[gross[gross == 0].index] = "zero_value_day"
    used = frame[reason == ""]
    days = used.groupby(["who", "day"])["money"].sum().reset_index().sort_values(["who", "day"])
    until = pd.Timestamp(UNTIL)
    rows = []
    for who, each in days.groupby("who"):
        mine = used[used["who"] == who]
        first = each["day"].iloc[0]
        rows.append(
            {
                "customer_id": who,
                "frequency": len(each) - 1,
                "recency": (each["day"].iloc[-1] - first).days / 7,
                "T": (until - first).days / 7,
                "monetary_value": each["money"].iloc[1:].mean() if len(each) > 1 else 0.0,
                "orders": max(1, mine.loc[mine["money"] >= 0, "invoice"].nunique()),
                "revenue": each["money"].sum(),
                "first_purchase": first,
                "last_purchase": each["day"].iloc[-1],
                "channel": min(mine.loc[mine["day"] == first, "shop"]),
            }
        )
    counts = reason[reason != ""].value_counts().to_dict()
    found = {
        "duplicates": int((good.duplicated(list(log.columns))).sum()),
        "negative": int((good["money"] < 0).sum()),
    }
    return (
        counts,
        pd.DataFrame(rows).sort_values("customer_id").reset_index(drop=True),
        len(used),
        found,
        used,
    )


def same(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    ours = ours.sort_values("customer_id").reset_index(drop=True)
    assert list(ours.columns) == list(theirs.columns)
    for name in theirs.columns:
        if theirs[name].dtype == float:
            np.testing.assert_allclose(
                ours[name].to_numpy(float), theirs[name].to_numpy(float), rtol=1e-12, atol=1e-12
            )
        else:
            assert ours[name].tolist() == theirs[name].tolist(), name


@pytest.mark.parametrize(
    ("drop_duplicates", "drop_zero"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_every_line_and_every_customer(log, drop_duplicates, drop_zero) -> None:
    summary = ls.summarize(
        log, **ROLES, until=UNTIL, drop_duplicates=drop_duplicates, drop_zero=drop_zero
    )
    counts, table, used, found, _ = expected(log, drop_duplicates, drop_zero)
    quality = summary.quality
    assert dict(quality.dropped) == counts
    assert len(counts) == 9 + drop_duplicates + drop_zero
    assert (quality.rows_read, quality.rows_used) == (len(log), used)
    assert quality.rows_read == quality.rows_used + sum(quality.dropped.values())
    assert quality.merged["same_day_lines"] == used - int((table["frequency"] + 1).sum())
    assert quality.found["negative_lines"] == found["negative"]
    assert quality.found.get("exact_duplicates", 0) == (
        0 if drop_duplicates else found["duplicates"]
    )
    assert (found["duplicates"] >= 20) == (not drop_duplicates)
    same(summary.table, table)
    assert (summary.customers, summary.orders) == (len(table), table["orders"].sum())


def test_particular_customers(log) -> None:
    table = ls.summarize(log, **ROLES, until=UNTIL).table.set_index("customer_id")
    assert table.loc["free", ["frequency", "revenue"]].tolist() == [0, 0]
    assert "netted" not in table.index
    assert str(table.loc["refund first", "first_purchase"].date()) == "2024-02-05"
    assert "free" not in set(
        ls.summarize(log, **ROLES, until=UNTIL, drop_zero=True).table["customer_id"]
    )


def test_refunds_before_any_purchase_are_counted(log) -> None:
    frame = log[log["who"].isin(["refund first", "netted", "free"])]
    found = ls.summarize(frame, **ROLES, until=UNTIL, stage_window=14).quality.found
    assert found["refund_days_before_purchase"] == 2
    assert found["days_netted_to_nothing"] == 2
    assert found["zero_value_days"] == 1


def test_channels_and_calendar_and_holdout(log) -> None:
    summary = ls.summarize(log, **ROLES, until=UNTIL)
    _, table, _, _, used = expected(log)
    revenue = used.groupby("shop")["money"].sum()
    channels = summary.channels.set_index("channel")
    np.testing.assert_allclose(channels["revenue"], revenue.loc[channels.index], rtol=1e-12)
    orders = (
        used[used["money"] >= 0]
        .groupby("shop")
        .apply(lambda each: len(each[["who", "invoice"]].drop_duplicates()))
    )
    assert channels["orders"].to_dict() == orders.to_dict()
    full = ls.summarize(log, **ROLES, until="2024-12-31")
    later = full.table.set_index("customer_id")["frequency"] + 1
    before = table.set_index("customer_id")["frequency"] + 1
    extra = later.loc[before.index] - before
    assert summary.holdout["purchases"].sum() == extra.sum()
    assert summary.holdout["buyers"].sum() == (extra > 0).sum()
    by_frequency = extra.groupby(before - 1).sum()
    assert summary.holdout.set_index("frequency")["purchases"].to_dict() == by_frequency.to_dict()
    assert summary.holdout_end == pd.to_datetime(log["when"], errors="coerce").max().date()
    assert full.holdout is None
    assert full.holdout_end is None
    assert summary.calendar["new_customers"].sum() == len(table)
    assert (summary.calendar["day"] > date(2024, 6, 30)).any()


def test_too_bad_to_go_on(log) -> None:
    with pytest.raises(DataError, match=r"missing_id 15.*day_net_not_positive"):
        ls.summarize(log, **ROLES, until=UNTIL, max_dropped=0.05)
    with pytest.raises(DataError, match=r"no purchase is left up to 2023-01-01.*after_until"):
        ls.summarize(log, **ROLES, until="2023-01-01")
    with pytest.raises(DataError, match="missing_id 15"):
        ls.summarize(log.iloc[:15], **ROLES)
    with pytest.raises(DataError, match="empty"):
        ls.summarize(log.iloc[:0], **ROLES)


def test_options_out_of_range(log) -> None:
    for options in (
        {"max_dropped": 2},
        {"period": "fortnight"},
        {"until": "soon"},
        {"stage_window": -1},
    ):
        with pytest.raises(ConfigError):
            ls.summarize(log, **{**ROLES, "until": UNTIL, **options})


def test_arguments_are_left_alone(log) -> None:
    before = log.copy(deep=True)
    ls.summarize(log, **ROLES, until=UNTIL)
    pd.testing.assert_frame_equal(log, before)
