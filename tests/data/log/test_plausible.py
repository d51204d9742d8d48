"""Days that no order can be of: placeholders, years of two digits and of other calendars, typing errors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import lifestage as ls
from lifestage.core.errors import DataError
from lifestage.data.log.plausible import plausible_days, usual_end, usual_start

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ["pandas", "polars", "pyarrow", "duckdb", "csv"]
PLACEHOLDERS = ["0001-01-01", "1900-01-01", "1970-01-01"]


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    log = ls.datasets.cdnow()[["customer_id", "date", "amount"]]
    return log.assign(date=log["date"].dt.strftime("%Y-%m-%d"))


@pytest.fixture(scope="module")
def right(cdnow) -> ls.Summary:
    return ls.summarize(cdnow)


def placed(log: pd.DataFrame, days: list[str]) -> pd.DataFrame:
    return pd.concat(
        [log, pd.DataFrame({"customer_id": range(1, len(days) + 1), "date": days, "amount": 10.0})]
    )


def as_kind(frame: pd.DataFrame, kind: str, folder: Path):
    if kind == "polars":
        return pl.from_pandas(frame)
    if kind == "pyarrow":
        return pl.from_pandas(frame).to_arrow()
    if kind == "duckdb":
        return duckdb.connect().from_df(frame)
    if kind == "csv":
        frame.to_csv(folder / "orders.csv", index=False)
        return folder / "orders.csv"
    return frame


def codes(summary: ls.Summary) -> list[str]:
    return [note.code for note in summary.quality.notes]


def log_of(*days: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": "a", "date": list(days), "amount": 10.0})


@pytest.mark.parametrize(
    ("form", "kind"),
    zip(["%d/%m/%y", "%d-%m-%y", "%d.%m.%y", "%d-%b-%y", "%y-%m-%d"], KINDS, strict=True),
)
def test_years_of_two_digits_are_refused(cdnow, form, kind, tmp_path) -> None:
    days = pd.to_datetime(cdnow["date"]) + pd.Timedelta(days=26 * 365 + 6)
    frame = cdnow.assign(date=days.dt.strftime(form))
    with pytest.raises(
        DataError, match=r"column 'date'.*such as '\S+' and '\S+'.*four digits.*earliest="
    ) as refused:
        ls.summarize(as_kind(frame, kind, tmp_path))
    assert min(frame["date"]) in str(refused.value)


def test_month_first_with_two_digits_is_refused(cdnow) -> None:
    days = pd.to_datetime(cdnow["date"]) + pd.Timedelta(days=26 * 365 + 6)
    for part in (days.dt.day <= 24, days.dt.day <= 31):
        frame = cdnow.assign(date=days.dt.strftime("%m/%d/%y"))[part]
        with pytest.raises(DataError, match=r"four digits"):
            ls.summarize(frame)


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        (("05/03/23", "20/09/23", "14/05/23"), "05/03/23"),
        (("03/05/23", "09/20/23", "05/14/23", "04/02/23"), "03/05/23"),
        (("11-Feb-13", "15-Mar-15"), "11-Feb-13"),
        (("112/08/07", "113/02/29", "112/12/31"), "112/08/07"),
        (("2566-08-07", "2567-02-01"), "2566-08-07"),
    ],
)
@pytest.mark.parametrize("kind", ["pandas", "csv"])
def test_small_files_of_other_years_are_refused_with_samples(days, shown, kind, tmp_path) -> None:
    with pytest.raises(DataError, match="four digits, of the Gregorian calendar") as refused:
        ls.summarize(as_kind(log_of(*days), kind, tmp_path))
    assert repr(shown) in str(refused.value)


@pytest.mark.parametrize(
    ("day", "kind"),
    [*((day, "pandas") for day in PLACEHOLDERS), *(("1970-01-01", kind) for kind in KINDS[1:])],
)
def test_a_placeholder_is_left_out_with_a_note_at_the_top(
    cdnow, right, day, kind, tmp_path
) -> None:
    summary = ls.summarize(as_kind(placed(cdnow, [day, day]), kind, tmp_path))
    assert summary.quality.dropped == {"implausible_time": 2}
    assert summary.quality.rows_read == len(cdnow) + 2
    assert codes(summary)[0] == "implausible_dates"
    note = summary.quality.notes[0]
    assert repr(day) in note.text
    assert note.values["lines"] == 2
    table = summary.table.df() if kind in ("duckdb", "csv") else summary.table
    for name in ("T", "recency", "revenue"):
        theirs = right.table[name].to_numpy()
        np.testing.assert_allclose(
            np.sort(np.asarray(table[name], float)), np.sort(theirs), rtol=1e-12
        )
    assert right.table["T"].max() < 100


def test_placeholders_of_several_kinds_together(cdnow, right) -> None:
    summary = ls.summarize(placed(cdnow, PLACEHOLDERS))
    assert summary.quality.dropped == {"implausible_time": 3}
    pd.testing.assert_frame_equal(summary.table, right.table)


def test_two_placeholders_cost_no_time(cdnow) -> None:
    few = cdnow.iloc[:1344]
    began = time.process_time()
    ls.fit(ls.summarize(placed(few, ["0001-01-01", "0001-01-01"])))
    assert time.process_time() - began < 20


def test_a_line_has_one_reason(cdnow) -> None:
    bad = pd.DataFrame(
        {
            "customer_id": [1.0, None, 1.0],
            "date": ["1970-01-01"] * 2 + ["soon"],
            "amount": [np.nan, 1.0, 1.0],
        }
    )
    dropped = ls.summarize(pd.concat([cdnow, bad])).quality.dropped
    assert dropped == {"missing_id": 1, "unparseable_time": 1, "implausible_time": 1}


def test_told_otherwise_the_first_day_counts(cdnow) -> None:
    frame = placed(cdnow, ["1970-01-01"])
    kept = ls.summarize(frame, earliest="1970-01-01")
    assert kept.quality.dropped == {}
    assert kept.table["T"].max() == pytest.approx(
        (pd.Timestamp("1998-06-30") - pd.Timestamp("1970-01-01")).days / 7
    )
    late = ls.summarize(frame, earliest="1997-02-01")
    assert late.quality.dropped == {"implausible_time": int((frame["date"] < "1997-02-01").sum())}
    old = log_of("1850-01-01", "1850-03-01", "1850-05-09")
    assert ls.summarize(old, earliest="1800-01-01").quality.rows_used == 3
    with pytest.raises(DataError, match=r"before 1900.*1850-01-01"):
        ls.summarize(old)


def test_one_placeholder_of_three_lines_and_a_third_of_many() -> None:
    summary = ls.summarize(log_of("1970-01-01", "2024-03-05", "2024-06-05"))
    assert summary.quality.dropped == {"implausible_time": 1}
    assert codes(summary)[0] == "implausible_dates"
    with pytest.raises(DataError, match=r"20 of 60 lines.*'1970-01-01'.*earliest="):
        ls.summarize(
            log_of(
                *["1970-01-01"] * 20, *pd.date_range("2024-01-01", periods=40).strftime("%Y-%m-%d")
            )
        )


def test_a_few_early_lines_are_kept_with_a_note() -> None:
    days = pd.date_range("2024-01-01", periods=200).strftime("%Y-%m-%d").tolist()
    summary = ls.summarize(log_of("2019-05-05", *days))
    assert summary.quality.rows_used == 201
    note = next(note for note in summary.quality.notes if note.code == "early_dates")
    assert "earliest='2024-01-01'" in note.text
    assert "early_dates" not in codes(
        ls.summarize(log_of("2019-05-05", *days), earliest="2019-01-01")
    )
    assert "early_dates" not in codes(ls.summarize(log_of("2023-05-05", *days)))


@pytest.mark.parametrize("lines", [1, 2])
def test_a_few_late_lines_are_refused_until_told(lines) -> None:
    days = pd.date_range("2024-01-01", periods=300).strftime("%Y-%m-%d").tolist() * 4
    frame = log_of(*days, *["2099-12-31"] * lines)
    with pytest.raises(DataError, match=r"2099-12-31 is far beyond 2024-10-26.*until="):
        ls.summarize(frame)
    assert ls.summarize(frame, until="2024-10-26").quality.dropped == {"after_until": lines}


def test_a_shop_that_grew_for_thirty_years_keeps_its_first_days() -> None:
    """Growth leaves few lines in the first years, but no hole."""
    weeks = np.arange(30 * 52)
    lines = pd.DataFrame(
        {"day": 10_000 + 7 * weeks, "lines": np.ceil(np.exp(0.3 / 52 * weeks)).astype(int)}
    )
    assert plausible_days(lines, None)[0] < 10_000
    assert usual_start(lines) == 10_000
    assert usual_end(lines) == lines["day"].max()


@pytest.mark.parametrize("seed", range(5))
def test_the_main_part_is_the_one_with_most_lines(seed) -> None:
    rng = np.random.default_rng(seed)
    parts = [np.unique(rng.integers(start, start + 900, 200)) for start in (0, 9_000, 18_000)]
    weights = rng.permutation([1, 2, 3])
    days = pd.DataFrame(
        {
            "day": np.concatenate(parts),
            "lines": np.concatenate(
                [np.full(p.size, 10 * w) for p, w in zip(parts, weights, strict=True)]
            ),
        }
    ).sample(frac=1, random_state=seed)
    main = parts[int(np.argmax([w * p.size for p, w in zip(parts, weights, strict=True)]))]
    first, _ = plausible_days(days, None)
    assert first == main.min() or (main is parts[0] and first < main.min())
    assert usual_end(days) <= main.max()
