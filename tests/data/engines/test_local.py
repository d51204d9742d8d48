"""Columns of frames in this process: exact whatever they hold, and what has no role does not matter."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.data.engines import frames as engine

N = 5000


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(N) % 400, unit="D")
    return pd.DataFrame(
        {
            "customer_id": np.arange(N) % 700,
            "date": days,
            "amount": pd.Series([Decimal("19.90")] * N, dtype=object),
        }
    )


def objects(values: list) -> pd.Series:
    return pd.Series(values, dtype=object)


def two(ids, **columns) -> pd.DataFrame:
    """Each id on two days."""
    frame = pd.DataFrame(
        {"customer_id": ids, "date": pd.Timestamp("2024-01-01"), "amount": 5.0} | columns
    )
    return pd.concat([frame, frame.assign(date=pd.Timestamp("2024-03-01"))], ignore_index=True)


def ids_of(summary) -> list:
    return sorted(engine.to_pandas(summary.table)["customer_id"].tolist())


def test_a_decimal_beyond_the_first_thousand_is_read(orders) -> None:
    frame = orders.copy()
    frame.loc[7, "amount"] = Decimal("12500.00")
    assert ls.summarize(frame).table["revenue"].sum() == pytest.approx(
        19.9 * (N - 1) + 12_500, rel=1e-12
    )


def test_a_small_decimal_is_not_rounded(orders) -> None:
    frame = orders.assign(pieces=1)
    frame.loc[7, ["amount", "pieces"]] = [Decimal("0.0049"), 100_000]
    assert ls.summarize(frame, quantity="pieces").table["revenue"].sum() == pytest.approx(
        99_970.10, abs=1e-6
    )


def test_decimals_are_doubles_even_when_one_is_missing() -> None:
    amount = objects([Decimal("12345678.91"), Decimal("16777217"), Decimal("NaN"), Decimal("0.10")])
    days = pd.date_range("2024-01-01", periods=4, freq="40D")
    frame = pd.DataFrame({"customer_id": [1, 2, 3, 4], "date": days, "amount": amount})
    summary = ls.summarize(frame, stage_window=30)
    assert summary.table["revenue"].tolist() == [12345678.91, 16777217.0, 0.1]
    assert summary.quality.dropped == {"missing_amount": 1}


@pytest.mark.parametrize("seed", range(3))
def test_random_decimals_are_those_of_float(seed) -> None:
    rng = np.random.default_rng(seed)
    amount = [
        Decimal(str(round(float(x), int(k))))
        for x, k in zip(rng.lognormal(5, 4, 2000), rng.integers(0, 9, 2000), strict=True)
    ]
    frame = pd.DataFrame(
        {"customer_id": range(2000), "date": pd.Timestamp("2024-01-01"), "amount": objects(amount)}
    )
    table = ls.summarize(frame, until="2024-06-01").table
    right = {i: float(each) for i, each in enumerate(amount) if each > 0}
    assert dict(zip(table["customer_id"], table["revenue"], strict=True)) | {
        i: 0.0 for i in range(2000) if i not in right
    } == {i: float(each) for i, each in enumerate(amount)}


@pytest.mark.parametrize(
    "amount", [[1, 2**45], [1, Decimal("2.5")], [1.5, 2**70], ["7", Decimal("2.5")], [True, 2]]
)
def test_numbers_of_several_types(amount) -> None:
    table = ls.summarize(two(["a", "b"], amount=objects(amount))).table.sort_values("customer_id")
    assert table["monetary_value"].tolist() == [float(each) for each in amount]


BIG = 12345678901234567000


@pytest.mark.parametrize(
    ("ids", "back"),
    [
        ([Decimal(BIG + i) for i in range(220)], [BIG + i for i in range(220)]),
        ([2**64 + i for i in range(220)], [str(2**64 + i) for i in range(220)]),
        ([Decimal(2**70), Decimal(1)], ["1", str(2**70)]),
        ([Decimal("173"), Decimal("174.0")], [173, 174]),
        ([Decimal("173.5"), Decimal("174")], ["173.5", "174"]),
        ([*range(1, 1500), 2**45], [*range(1, 1500), 2**45]),
        ([-5, 2**62 + 1], [-5, 2**62 + 1]),
        ([uuid.UUID(int=5), uuid.UUID(int=6)], [str(uuid.UUID(int=5)), str(uuid.UUID(int=6))]),
        ([1.5, 17850.0], [1.5, 17850.0]),
        (["a", "0012"], ["0012", "a"]),
        ([True, False], [False, True]),
    ],
)
def test_ids_of_objects_come_back_exactly(ids, back) -> None:
    assert ids_of(ls.summarize(two(objects(ids)))) == back


@pytest.mark.parametrize(
    "ids", [[b"a", b"b"], [(1, 2), (3, 4)], [1 + 2j, 3 + 1j], [{"a": 1}, {"b": 2}]]
)
def test_ids_that_could_not_come_back_are_refused(ids) -> None:
    with pytest.raises(DataError, match=r"expected ids in column 'customer_id'; got object"):
        ls.summarize(two(objects(ids)))


@pytest.mark.parametrize(
    ("sql", "back"),
    [
        ("(12345678901234567000 + i)::hugeint", [str(BIG + i) for i in range(5)]),
        ("(173 + i)::decimal(10, 0)", [173 + i for i in range(5)]),
        ("(173 + i)::decimal(10, 2)", [f"{173 + i}.00" for i in range(5)]),
        ("(173 + i)::decimal(38, 0)", [str(173 + i) for i in range(5)]),
        ("(18446744073709551610 + i)::ubigint", [2**64 - 6 + i for i in range(5)]),
        ("md5(i::varchar)::uuid", None),
        ("(17850 + i)::double", [17850.0 + i for i in range(5)]),
    ],
)
def test_ids_of_the_engine_come_back_exactly(sql, back, tmp_path) -> None:
    connection = duckdb.connect()
    days = "select date '2024-01-01' as date union all select date '2024-03-01'"
    rel = connection.query(
        f"select {sql} as customer_id, date, 5.0 as amount from range(5) t(i), ({days})"
    )
    back = back or sorted(
        str(row[0]) for row in rel.project("customer_id::varchar").distinct().fetchall()
    )
    summary = ls.summarize(rel)
    assert ids_of(summary) == back
    for ending in ("parquet", "csv"):
        ls.write_table(summary.table, tmp_path / f"t.{ending}")
    assert sorted(pd.read_parquet(tmp_path / "t.parquet")["customer_id"].tolist()) == back
    lines = (tmp_path / "t.csv").read_text().splitlines()[1:]
    assert sorted(line.split(",")[0] for line in lines) == sorted(map(str, back))


@pytest.mark.parametrize("sql", ["encode('a' || i)", "[i]", "{'a': i}", "i * interval 1 day"])
def test_ids_of_the_engine_that_could_not_come_back_are_refused(sql) -> None:
    rel = duckdb.connect().query(
        f"select {sql} as customer_id, date '2024-01-01' as date, 5 as amount from range(5) t(i)"
    )
    with pytest.raises(
        DataError, match=r"expected ids as text or whole numbers in column 'customer_id'.*into text"
    ):
        ls.summarize(rel)


def test_ids_of_polars_and_arrow() -> None:
    base = pl.from_pandas(two([1, 2]))
    wide = base.with_columns(pl.col("customer_id").cast(pl.Int128) + 2**70)
    assert ids_of(ls.summarize(wide)) == [str(2**70 + 1), str(2**70 + 2)]
    money = base.with_columns(
        amount=pl.col("amount").cast(pl.Float16), date=pl.col("date").dt.date()
    )
    assert ls.summarize(money).table["revenue"].to_list() == [10.0, 10.0]
    exact = base.with_columns(pl.col("amount").cast(pl.Decimal(20, 4)) + Decimal("0.0049"))
    assert ls.summarize(exact).table["monetary_value"].to_list() == [5.0049, 5.0049]
    arrow = pa.Table.from_pandas(two([1, 2]))
    tall = arrow.set_column(
        0, "customer_id", pa.array([Decimal(10**50), Decimal(5)] * 2, pa.decimal256(60, 0))
    )
    assert ids_of(ls.summarize(tall)) == [str(10**50), "5"]
    with pytest.raises(DataError, match=r"into text"):
        ls.summarize(arrow.set_column(0, "customer_id", pa.array([b"a", b"b"] * 2)))


def test_what_has_no_role_does_not_matter(orders) -> None:
    base = orders.assign(amount=1.5)
    right = ls.summarize(base)
    others = {
        "period": base["date"].dt.to_period("M"),
        "interval": pd.cut(pd.Series(np.arange(N)), 5),
        "sparse": pd.Series(pd.arrays.SparseArray(np.zeros(N))),
        "complex": np.zeros(N, complex),
        "decimal": objects([Decimal(1)] * (N - 1) + [Decimal("1e30")]),
        "dicts": objects([{"a": [1]}] * N),
        "category": pd.Categorical(["x"] * N),
        "delta": pd.to_timedelta(np.zeros(N)),
        "long": np.zeros(N, np.longdouble),
    }
    for name, values in others.items():
        found = ls.summarize(base.assign(**{name: values}))
        pd.testing.assert_frame_equal(found.table, right.table)
    twice = pd.concat(
        [
            base,
            base[["date"]].rename(columns={"date": "x"}),
            base[["date"]].rename(columns={"date": "x"}),
        ],
        axis=1,
    )
    pd.testing.assert_frame_equal(ls.summarize(twice).table, right.table)
    strange = pl.from_pandas(base).with_columns(
        a=pl.lit(1).cast(pl.Int128), b=pl.lit(1.0).cast(pl.Float16), c=pl.lit(None)
    )
    assert ls.summarize(strange).table["revenue"].sum() == right.table["revenue"].sum()


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_duplicates_are_lines_equal_in_every_column(kind) -> None:
    """Compared with pandas, over columns of every sort."""
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 100, 600), "D")
    frame = pd.DataFrame({"customer_id": rng.integers(0, 4, 600), "date": days, "amount": 5.0})
    frame["item"] = rng.choice(["a", "b", None], 600)
    frame["level"] = rng.choice([1.0, np.nan], 600)
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 2, 600), "D")
    right = int(frame.duplicated().sum())
    assert 0 < right < frame.duplicated(["customer_id", "date", "amount"]).sum()
    source = {
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "pyarrow": pa.Table.from_pandas(frame),
    }[kind]
    assert ls.summarize(source).quality.found["exact_duplicates"] == right
    assert ls.summarize(source, drop_duplicates=True).quality.dropped["exact_duplicate"] == right


@pytest.mark.parametrize(
    "kind", ["category", "sparse", "period", "nullable", "arrow", "longdouble"]
)
def test_columns_of_pandas_types(kind) -> None:
    frame = two([1, 2])
    right = ls.summarize(frame).table
    change = {
        "category": {
            "customer_id": frame["customer_id"].astype("category"),
            "date": frame["date"].astype("category"),
        },
        "sparse": {"amount": frame["amount"].astype(pd.SparseDtype("float64", 0.0))},
        "period": {"date": frame["date"].dt.to_period("D")},
        "nullable": {
            "customer_id": frame["customer_id"].astype("Int64"),
            "amount": frame["amount"].astype("Float64"),
        },
        "arrow": {
            "customer_id": frame["customer_id"].astype("int64[pyarrow]"),
            "date": frame["date"].astype("timestamp[us][pyarrow]"),
        },
        "longdouble": {"amount": frame["amount"].astype(np.longdouble)},
    }[kind]
    pd.testing.assert_frame_equal(
        ls.summarize(frame.assign(**change)).table, right, check_dtype=False
    )


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        ("date", pd.period_range("2024-01", periods=4, freq="M"), "does not tell the day"),
        ("amount", [1j] * 4, "expected numbers in column 'amount'; got complex128"),
        ("amount", pd.interval_range(0, 4), "expected numbers in column 'amount'"),
        ("amount", objects([b"1"] * 4), "non_finite_amount 4"),
        ("date", pd.to_timedelta([1] * 4), "expected dates, timestamps or text in column 'date'"),
    ],
)
def test_types_that_cannot_have_a_role_are_refused(column, values, says) -> None:
    with pytest.raises(DataError, match=says):
        ls.summarize(two([1, 2]).assign(**{column: values}))


def test_names_that_are_no_text() -> None:
    frame = two([1, 2]).set_axis([0, 1, 2], axis=1)
    for first in (0, "0"):
        assert ls.summarize(frame, customer=first, time=1, amount=2).customers == 2
    with pytest.raises(DataError, match=r"the column 7 \(customer=\); the orders have 0, 1, 2"):
        ls.summarize(frame, customer=7, time=1, amount=2)
    doubled = pd.concat([two([1, 2]), two([1, 2])[["amount"]]], axis=1)
    with pytest.raises(
        DataError, match=r"expected one column 'amount' \(amount=\); the orders have 2"
    ):
        ls.summarize(doubled)


def test_until_that_is_no_day() -> None:
    with pytest.raises(ConfigError, match="until must be a date"):
        ls.summarize(two([1, 2]), until=pd.NaT)
    with pytest.raises(ConfigError, match="earliest must be a date"):
        ls.summarize(two([1, 2]), earliest="soon")


def test_relatives_of_arrow_tables() -> None:
    table = pa.Table.from_pandas(two([1, 2]))
    right = ls.summarize(table).table
    assert ls.summarize(table.to_batches()[0]).table.equals(right)
    assert ls.summarize(ds.dataset(table)).table.equals(right)
    with pytest.raises(DataError, match=r"read more than once.*RecordBatchReader"):
        ls.summarize(table.to_reader())


def test_dates_as_objects() -> None:
    frame = two([1, 2])
    frame["date"] = objects([date(2024, 1, 1)] * 2 + [date(2024, 3, 1)] * 2)
    assert ls.summarize(frame).table["T"].tolist() == [60 / 7] * 2
