"""The same orders through every door give the same customers."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lifestage as ls
from lifestage.core.errors import DataError
from lifestage.data.engines import frames as engine

KINDS = [
    "pandas",
    "polars",
    "pyarrow",
    "duckdb",
    "csv",
    "csv.gz",
    "tsv",
    "parquet",
    "glob",
    "database",
]


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    lines = ls.datasets.cdnow()
    return lines.assign(customer_id=[f"{number:06d}" for number in lines["customer_id"]])


@pytest.fixture(scope="module")
def reference(lines) -> pd.DataFrame:
    return ls.summarize(lines, until="1997-09-30").table


@pytest.fixture(scope="module", params=KINDS)
def orders(request, lines, tmp_path_factory):
    kind, folder = request.param, tmp_path_factory.mktemp("orders")
    if kind == "pandas":
        return lines
    if kind == "polars":
        return pl.from_pandas(lines)
    if kind == "pyarrow":
        return pa.Table.from_pandas(lines, preserve_index=False)
    if kind == "duckdb":
        return duckdb.connect().from_df(lines)
    if kind in ("csv", "csv.gz", "tsv"):
        path = folder / f"orders.{kind}"
        lines.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
        return str(path)
    if kind == "parquet":
        lines.to_parquet(folder / "orders.parquet")
        return folder / "orders.parquet"
    if kind == "glob":
        for year in (1997, 1998):
            lines[lines["date"].dt.year == year].to_parquet(folder / f"part-{year}.parquet")
        return str(folder / "part-*.parquet")
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute("create table orders as select * from lines")
    return ls.read_orders(folder / "shop.duckdb")


def test_identical_customers(orders, reference) -> None:
    summary = ls.summarize(orders, until="1997-09-30")
    table = engine.to_pandas(summary.table)
    assert list(table.columns) == list(reference.columns)
    assert table["customer_id"].tolist() == reference["customer_id"].tolist()
    for name in ("frequency", "recency", "T", "monetary_value", "orders", "revenue"):
        np.testing.assert_allclose(
            table[name].to_numpy(float), reference[name].to_numpy(float), rtol=1e-12
        )
    for name in ("first_purchase", "last_purchase"):
        assert pd.to_datetime(table[name]).tolist() == reference[name].tolist()
    kind = (
        engine.lazy(orders)[1]
        if not isinstance(orders, str) and hasattr(orders, "columns")
        else "duckdb"
    )
    assert engine.lazy(summary.table)[1] == kind
    assert ls.compress(summary).customers == 2357


def test_the_users_connection_is_used_and_left_clean(lines) -> None:
    connection = duckdb.connect()
    connection.from_df(lines).create("sales")
    summary = ls.summarize(connection.table("sales"), until="1997-09-30")
    tables = [
        row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()
    ]
    assert len(tables) == 4  # the sales; the customers, what came after, and gaps between purchases
    connection.execute("drop table sales")
    assert len(summary.table.df()) == 2357
    table, kind = engine.lazy(summary.table)
    extra = engine.upload(
        pd.DataFrame({"frequency": [0, 1], "mark": [0.5, None]}), like=summary.table
    )
    joined = engine.native(table.join(engine.lazy(extra)[0], on="frequency", how="left"), kind)
    assert joined.df()["mark"].count() == 2357 - 946


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_upload_join_and_back(kind, reference) -> None:
    like = (
        engine.to_kind(reference, kind) if kind != "duckdb" else duckdb.connect().from_df(reference)
    )
    small = pd.DataFrame({"frequency": np.arange(100), "double": 2.0 * np.arange(100)})
    for table in (small, pa.Table.from_pandas(small)):
        uploaded = engine.upload(table, like=like)
        assert engine.lazy(uploaded)[1] == kind
        joined = engine.native(
            engine.lazy(like)[0].join(engine.lazy(uploaded)[0], on="frequency", how="left"), kind
        )
        assert type(joined) is type(like)
        out = engine.to_pandas(joined)
        assert len(out) == 2357
        assert (out["double"] == 2 * out["frequency"]).all()


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "duckdb"])
def test_write_parquet(kind, reference, tmp_path) -> None:
    table = (
        engine.to_kind(reference, kind) if kind != "duckdb" else duckdb.connect().from_df(reference)
    )
    engine.write_parquet(table, tmp_path / "out.parquet")
    back = pd.read_parquet(tmp_path / "out.parquet")
    assert back["customer_id"].tolist() == reference["customer_id"].tolist()
    np.testing.assert_array_equal(back["recency"], reference["recency"])


@pytest.mark.parametrize(
    "ids",
    [
        ["00012", "12", "012"],
        ["O'Brien", 'say "hi"', "a,b; --"],
        ["王小明", "🛒🧾", "Łódź"],
        ["17850.0", "17850", "1.785e4"],
        [" a", "a ", "a"],
        ["nan", "NULL", "None"],
    ],
)
@pytest.mark.parametrize("kind", ["pandas", "polars", "csv"])
def test_text_ids_are_exact(ids, kind, tmp_path) -> None:
    frame = pd.DataFrame(
        {"customer_id": ids * 2, "date": ["2024-01-01"] * 3 + ["2024-03-01"] * 3, "amount": 5.0}
    )
    source = frame
    if kind == "polars":
        source = pl.from_pandas(frame)
    elif kind == "csv":
        source = tmp_path / "o.csv"
        frame.to_csv(source, index=False)
    table = engine.to_pandas(ls.summarize(source).table)
    assert sorted(table["customer_id"]) == sorted(ids)
    assert (table["frequency"] == 1).all()


@pytest.mark.parametrize(
    ("ids", "dtype"),
    [([3, 1, 2**60 + 1], "int64"), ([17850.0, 1.5, 2.0], "float64"), ([7, 8, 9], "int32")],
)
def test_numeric_ids_keep_their_type(ids, dtype) -> None:
    frame = pd.DataFrame({"customer_id": np.array(ids, dtype), "date": "2024-01-01", "amount": 5.0})
    late = frame.assign(date="2024-02-01")
    table = ls.summarize(pd.concat([frame, late])).table
    assert table["customer_id"].dtype == dtype
    assert sorted(table["customer_id"]) == sorted(ids)


def test_ids_of_two_types_are_refused() -> None:
    frame = pd.DataFrame(
        {"customer_id": pd.Series([1, "a"], dtype=object), "date": "2024-01-01", "amount": 5.0}
    )
    with pytest.raises(DataError, match=r"one type.*1 int, 1 str"):
        ls.summarize(frame)


def test_other_columns_may_hold_anything() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": [1, 1],
            "date": ["2024-01-01", "2024-03-01"],
            "amount": pd.Series(["5", 2.5], dtype=object),
            "basket": [{"a": 1}, ["b"]],
            7: [1, "x"],
        }
    )
    assert ls.summarize(frame).table["revenue"].tolist() == [7.5]


def test_what_is_no_table_is_refused(tmp_path) -> None:
    for source in (5, [1, 2], {"a": 1}):
        with pytest.raises(DataError, match="expected a pandas"):
            ls.summarize(source)
    with pytest.raises(DataError, match=r"no .*nowhere\.csv"):
        ls.read_orders(tmp_path / "nowhere.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DataError, match="empty"):
        ls.read_orders(tmp_path / "empty.csv")
    (tmp_path / "orders.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"expected a \.csv"):
        ls.read_orders(tmp_path / "orders.xlsx")
    (tmp_path / "broken.parquet").write_bytes(b"not a parquet file at all")
    with pytest.raises(DataError, match=r"could not read .*broken\.parquet"):
        ls.read_orders(tmp_path / "broken.parquet")
    with pytest.raises(DataError, match="could not read"):
        ls.read_orders(str(tmp_path / "none-*.parquet"))


def test_a_header_without_lines(tmp_path) -> None:
    (tmp_path / "header.csv").write_text("customer_id,date,amount\n")
    with pytest.raises(DataError, match="the log is empty"):
        ls.summarize(tmp_path / "header.csv")


def test_a_missing_column_names_those_that_came(lines) -> None:
    with pytest.raises(
        DataError, match=r"'Amount' \(amount=\).*'customer_id', 'date', 'quantity', 'amount'"
    ):
        ls.summarize(lines, amount="Amount")


def test_database_tables(tmp_path) -> None:
    path = tmp_path / "two.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(
            "create table a as select 1 as x; create schema s; create table s.b as select 2 as x"
        )
    with pytest.raises(DataError, match=r"table= .*a, s\.b"):
        ls.read_orders(path)
    assert ls.read_orders(path, table="s.b").fetchall() == [(2,)]
    assert ls.read_orders(path, table="a").fetchall() == [(1,)]
    with pytest.raises(DataError, match="it holds: a"):
        ls.read_orders(path, table="c")
