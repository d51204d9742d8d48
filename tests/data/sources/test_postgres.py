"""Orders from, and customers to, a real PostgreSQL server; and what is left after a failure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

import lifestage as ls
from lifestage.cli import app
from lifestage.core.errors import ConfigError, DataError
from tests.data.postgres_server import PASSWORD, find_binaries, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    find_binaries() is None, reason="no PostgreSQL server is installed (initdb not found)"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running() as address:
        yield address


def execute(address: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements; the rows of the last."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(address) as database, database.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
        database.commit()
        return list(rows)


@pytest.fixture(scope="module")
def shop(server: str, cdnow: pd.DataFrame) -> str:
    """CDNOW on the server, in types as shops have them."""
    ls.write_table(cdnow, server, "raw")
    execute(
        server,
        "create schema sales",
        "create type channel as enum ('web', 'store')",
        "create table sales.\"Order lines\" as select customer_id::text as customer, date::timestamp + interval '9 hours' "
        "as placed, cast(amount as numeric(12, 2)) as amount, "
        "(case when cast(customer_id as int) % 2 = 0 then 'web' else 'store' end)::channel as channel from raw",
    )
    return server


COLUMNS = {"customer": "customer", "time": "placed", "amount": "amount", "until": "1997-09-30"}


def test_a_table_and_a_query_are_read(shop: str, cdnow: pd.DataFrame) -> None:
    expected = ls.summarize(cdnow, until="1997-09-30").table
    by_table = ls.summarize(
        ls.read_orders(shop, table="sales.Order lines"), **COLUMNS, channel="channel"
    )
    got = by_table.table.df().sort_values(
        "customer_id", key=lambda ids: ids.astype(int), ignore_index=True
    )
    assert by_table.quality is not None
    assert by_table.quality.rows_read == len(cdnow)
    assert set(got["channel"]) == {"web", "store"}
    for name in ("frequency", "recency", "T", "monetary_value"):
        pd.testing.assert_series_equal(
            got[name], expected[name], check_dtype=False, check_index=False
        )
    few = ls.read_orders(
        shop, query="select * from sales.\"Order lines\" where placed < '1997-03-01'"
    )
    assert few.aggregate("count(*)").fetchall() == [((cdnow["date"] < "1997-03-01").sum(),)]


@pytest.mark.slow
def test_a_run_from_the_server_to_the_server(shop: str, tmp_path: Path) -> None:
    runner, columns = (
        CliRunner(),
        ["--customer", "customer", "--time", "placed", "--until", "1997-09-30"],
    )
    how = ["--table", "sales.Order lines", *columns, "--to", shop, "--to-table", "sales.customers"]
    result = runner.invoke(app, ["run", shop, *how, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    written = (
        ls.read_orders(shop, table="sales.customers")
        .df()
        .sort_values("customer_id", ignore_index=True)
    )
    filed = (
        ls.read_orders(tmp_path / "out" / "customers.parquet")
        .df()
        .sort_values("customer_id", ignore_index=True)
    )
    pd.testing.assert_frame_equal(written, filed, check_dtype=False)
    assert PASSWORD not in result.output
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path
    again = [
        "predict",
        shop,
        "--query",
        'select * from sales."Order lines"',
        *columns,
        "--to-table",
        "sales.again",
    ]
    result = runner.invoke(app, [*again, "--model", str(tmp_path / "out" / "model"), "--out", shop])
    assert result.exit_code == 0, result.output
    assert execute(shop, "select count(*) from sales.again") == [(2357,)]


def test_a_table_of_the_same_columns_keeps_its_views(server: str) -> None:
    ls.write_table(pd.DataFrame({"customer_id": [1, 2], "ltv": [3.0, 4.0]}), server, "kept")
    execute(server, "create or replace view top as select max(ltv) as best from kept")
    ls.write_table(pd.DataFrame({"customer_id": [5], "ltv": [9.0]}), server, "kept")
    assert execute(server, "select best from top") == [(9.0,)]
    with pytest.raises(DataError, match="depend"):
        ls.write_table(pd.DataFrame({"customer_id": [6]}), server, "kept")
    assert execute(server, "select best from top") == [(9.0,)]
    execute(server, "drop view top")
    ls.write_table(pd.DataFrame({"customer_id": ["new"]}), server, "kept")
    assert execute(server, "select * from kept") == [("new",)]


def test_every_type_of_a_staged_table_goes_in_and_comes_back(
    server: str, staged: pd.DataFrame
) -> None:
    ls.write_table(staged, server, "staged")
    back = ls.read_orders(server, table="staged").df()
    assert list(back.columns) == list(staged.columns)
    for name in (
        "customer_id",
        "frequency",
        "ltv",
        "activity_stage",
        "at_risk",
        "at_risk_reason",
        "next_purchase_p50",
    ):
        left, right = back[name], staged[name]
        pd.testing.assert_series_equal(left, right, check_dtype=False, check_index=False)


WRITER = """
import sys
import duckdb
import lifestage as ls

rows = duckdb.sql("select range as customer_id, random() as ltv from range(1000000000)")
print("writing", flush=True)
ls.write_table(rows, sys.argv[1], "survivor")
"""


def test_a_killed_writer_leaves_the_old_table(server: str) -> None:
    ls.write_table(pd.DataFrame({"customer_id": [1], "ltv": [2.0]}), server, "survivor")
    busy = "select count(*) from pg_stat_activity where query ilike 'copy%stdin%' and pid <> pg_backend_pid()"
    with subprocess.Popen([sys.executable, "-c", WRITER, server], stdout=subprocess.PIPE) as writer:
        until = time.monotonic() + 60
        while execute(server, busy) == [(0,)] and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)
        assert writer.poll() is None, "the writer ended before it could be killed"
        writer.send_signal(signal.SIGKILL)
    assert execute(server, "select * from survivor") == [(1, 2.0)]
    left = "select count(*) from pg_class where relname like 'lifestage_%'"
    until = time.monotonic() + 30
    while execute(server, left) != [(0,)] and time.monotonic() < until:
        time.sleep(0.1)
    assert execute(server, left) == [(0,)]
    ls.write_table(pd.DataFrame({"customer_id": [3], "ltv": [4.0]}), server, "survivor")
    assert execute(server, "select * from survivor") == [(3, 4.0)]


@pytest.mark.slow
def test_a_million_lines_go_in_and_staged_customers_out(server: str) -> None:
    lines = duckdb.sql(
        "select (range * 7919) % 120000 as customer_id, "
        "date '2024-01-01' + cast(hash(range) % 500 as int) as date, 1 + hash(range, 2) % 100 as amount "
        "from range(1000000)"
    )
    ls.write_table(lines, server, "million")
    customers = ls.summarize(ls.read_orders(server, table="million"), until="2025-03-01")
    assert customers.quality is not None
    assert customers.quality.rows_read == 1_000_000
    model = ls.fit(customers)
    ls.write_table(ls.assign_stages(model.predict(customers)), server, "staged_million")
    count = "select count(*), count(distinct customer_id), min(ltv) > 0 from staged_million"
    assert execute(server, count) == [(customers.customers, customers.customers, True)]


def test_errors_are_sentences_without_secrets(server: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PGPASSWORD") as refused:
        ls.read_orders("postgresql://shop:hunter2@127.0.0.1/x", table="a")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(ConfigError, match="PGPASSWORD") as refused:
        ls.write_table(pd.DataFrame({"a": [1]}), "postgresql://127.0.0.1/x?password=hunter2", "a")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(ConfigError, match="got neither"):
        ls.read_orders(server)
    with pytest.raises(ConfigError, match="got both"):
        ls.read_orders(server, table="a", query="select 1")
    with pytest.raises(DataError, match="nowhere"):
        ls.read_orders(server, table="nowhere")
    with pytest.raises(DataError, match="could not"):
        ls.read_orders("postgresql://shop@127.0.0.1:1/x", table="a")
    result = CliRunner().invoke(
        app, ["run", server, "--table", "nowhere", "--out", str(tmp_path / "o"), "--quiet"]
    )
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "o").exists()


ATTACKS = [
    "with gone as (delete from victims returning *) select * from gone",
    "with more as (insert into victims values (9) returning *) select * from more",
    "delete from victims returning *",
    "drop table victims",
    "select 1; delete from victims",
    "select 1; commit; delete from victims",
    "select 1) to program 'touch {file}' --",
    "select 1) to '{file}' --",
    "select * into stolen from victims",
    "create table stolen as select * from victims",
    "copy victims to program 'touch {file}'",
    "copy (select 1) to program 'touch {file}'",
    "copy victims from program 'echo 9'",
    "copy victims to '{file}'",
    "set transaction read write",
    "rollback",
    "explain analyze delete from victims",
    "select set_config('transaction_read_only', 'off', false), erase()",
    "select erase()",
    "select nextval('counter')",
    "do $$ begin delete from victims; end $$",
    "",
]


@pytest.fixture(scope="module")
def victims(server: str) -> str:
    erase = "create function erase() returns int language plpgsql as $$ begin delete from victims; return 1; end $$"
    execute(server, "create table victims as select 1 as x", erase, "create sequence counter")
    return server


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_query_only_reads(victims: str, tmp_path: Path, attack: str) -> None:
    tmp_path.chmod(0o777)
    file = tmp_path / "touched"
    with pytest.raises(DataError):
        ls.read_orders(victims, query=attack.format(file=file))
    assert not file.exists()
    assert execute(victims, "select * from victims") == [(1,)]
    assert execute(victims, "select last_value, is_called from counter") == [(1, False)]
    assert execute(victims, "select count(*) from pg_class where relname = 'stolen'") == [(0,)]


@pytest.mark.parametrize(
    "query", ["select x from victims;", "table victims", "select 1 as x -- one", "values (1)", "with a as (select 1 as x) select x from a", "select x from victims /* ; */ ;\n"],
)  # fmt: skip
def test_queries_that_read_are_answered(victims: str, query: str) -> None:
    assert ls.read_orders(victims, query=query).fetchall() == [(1,)]


def test_a_view_that_writes_does_not(victims: str) -> None:
    execute(victims, "create view trap as select erase() as x")
    with pytest.raises(DataError, match="read-only"):
        ls.read_orders(victims, table="trap")
    assert execute(victims, "select * from victims") == [(1,)]


def test_schema_and_table_are_told_apart_when_read_and_when_written(server: str) -> None:
    execute(server, "create schema shop")
    ls.write_table(pd.DataFrame({"x": [1]}), server, "shop.v1.customers")
    ls.write_table(pd.DataFrame({"x": [2]}), server, "shop.v1.customers")
    assert ls.read_orders(server, table="shop.v1.customers").fetchall() == [(2,)]
    assert execute(server, 'select x from shop."v1.customers"') == [(2,)]


def test_names_that_the_server_would_cut_off_are_refused(server: str) -> None:
    ls.write_table(pd.DataFrame({"x": [1]}), server, "é" * 31)
    assert ls.read_orders(server, table="é" * 31).fetchall() == [(1,)]
    for name in ("a" * 64, "é" * 32, f"{'s' * 64}.customers"):
        with pytest.raises(ConfigError, match="up to 63 bytes"):
            ls.write_table(pd.DataFrame({"x": [1]}), server, name)
        with pytest.raises(ConfigError, match="up to 63 bytes"):
            ls.read_orders(server, table=name)


def test_a_wrong_password_is_told(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PGPASSWORD", "wrong")
    with pytest.raises(DataError, match="password authentication failed"):
        ls.read_orders(server, table="raw")


def test_a_database_file_is_written_in_one_piece(tmp_path: Path, staged: pd.DataFrame) -> None:
    shop = tmp_path / "shop.duckdb"
    ls.write_table(staged, shop, "marketing.customers")
    ls.write_table(staged.head(3), shop, "marketing.customers")
    assert ls.read_orders(shop, table="marketing.customers").aggregate("count(*)").fetchall() == [
        (3,)
    ]
    assert ls.read_orders(shop, query="select count(*) from marketing.customers").fetchall() == [
        (3,)
    ]
    (tmp_path / "text.duckdb").write_text("not a database")
    with pytest.raises(DataError, match="could not write"):
        ls.write_table(staged, tmp_path / "text.duckdb", "a")
