"""Days that users give: one reading of dates, timestamps and ISO texts, and a refusal of all that could be two days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lifestage as ls
from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError, DataError
from lifestage.jobs.config import RunConfig, checked
from lifestage.lifecycle import stage_entry_dates
from lifestage.prediction import histories

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = date(1997, 3, 1)
SAME: list[Any] = [
    DAY,
    datetime(1997, 3, 1, 23, 59),
    datetime(1997, 3, 1, 1, tzinfo=UTC),
    pd.Timestamp("1997-03-01 12:00"),
    np.datetime64("1997-03-01"),
    np.datetime64("1997-03-01T05:00:00", "ns"),
    "1997-03-01",
    " 1997-03-01 ",
    "19970301",
    "1997-03-01T10:00:00",
]
NONE: list[Any] = [
    19970301,
    9921.0,
    True,
    "03/04/1997",
    "01.03.1997",
    "1. March 1997",
    "97-03-01",
    "",
    "1997-02-30",
]
NONE += [None, pd.NaT, np.datetime64("NaT", "s"), float("nan"), [DAY], {}]


@pytest.mark.parametrize("day", SAME, ids=repr)
def test_a_day_is_read_in_every_form(day: Any) -> None:
    assert parse_day(day) == DAY


@pytest.mark.parametrize("day", NONE, ids=repr)
def test_what_is_no_day_is_refused(day: Any) -> None:
    with pytest.raises(ConfigError, match="until must be a date such as 2024-12-31; got "):
        parse_day(day)


@pytest.mark.parametrize("day", [19970301, "03/04/1997", pd.NaT], ids=repr)
def test_every_door_reads_days_alike(day: Any, model: ls.LTVModel, customers: ls.Summary) -> None:
    orders = ls.datasets.cdnow()
    staged = ls.assign_stages(model.predict(customers))
    doors: dict[str, Callable[[], Any]] = {
        "until": lambda: ls.summarize(orders, until=day),
        "until ": lambda: ls.Summary.from_frame(customers.table, period="week", until=day),
        "until  ": lambda: ls.drift(model, orders, until=day),
        "until   ": lambda: stage_entry_dates(model, staged, until=day),
        "until    ": lambda: histories.history_alive(model, ["1997-01-01"], until=day),
        "a purchase": lambda: histories.history_alive(model, [day]),
        "an origin": lambda: ls.backtest(orders, origins=[day], horizon=10, period="week"),
        "start": lambda: ls.datasets.simulate_shop(50, start=day),
    }
    for name, door in doors.items():
        with pytest.raises(ConfigError, match=f"{name.strip()} must be a date"):
            door()
    if day is not pd.NaT:
        with pytest.raises(ConfigError, match="until must be a date"):
            checked(RunConfig, {"until": day})


def test_a_history_takes_days_in_every_form(model: ls.LTVModel) -> None:
    days = ["1997-01-01", "1997-03-01", "1997-05-10"]
    want = histories.history_alive(model, days)
    assert want["day"].iloc[0] == np.datetime64("1997-01-01")
    stamps = pd.to_datetime(days)
    for same in (
        stamps,
        pd.Series(stamps),
        stamps.to_numpy(),
        pl.Series(days).str.to_date(),
        [d.date() for d in stamps],
    ):
        pd.testing.assert_frame_equal(histories.history_alive(model, same), want)
    for nothing in ("1997-01-01", 5, DAY, []):
        with pytest.raises(DataError, match="at least one purchase"):
            histories.history_alive(model, nothing)
