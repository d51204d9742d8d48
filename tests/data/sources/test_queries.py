"""A query of a DuckDB file sees nothing but the file, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError, DataError
from lifestage.data.engines.duckdb import connect

if TYPE_CHECKING:
    from pathlib import Path

ONE = "expected one SELECT"
ATTACKS = [
    ("copy victims to '{file}'", ONE),
    ("copy (select 1) to '{file}'", ONE),
    ("export database '{file}'", ONE),
    ("attach '{file}' as other", ONE),
    ("install httpfs", ONE),
    ("load httpfs", ONE),
    ("select 1; select 2", ONE),
    ("select 1; delete from victims", ONE),
    ("pragma database_list", ONE),
    ("pragma disable_verification", ONE),
    ("set enable_external_access = true", ONE),
    ("call pragma_version()", ONE),
    ("explain select 1", ONE),
    ("delete from victims", ONE),
    ("create table memory.stolen as select 1", ONE),
    ("detach log", ONE),
    ("", ONE),
    ("-- nothing", ONE),
    ("with gone as (delete from victims returning *) select * from gone", "could not read"),
    (
        "with more as (insert into victims values (2) returning *) select * from more",
        "could not read",
    ),
    ("select * from read_csv('/etc/passwd')", "could not read"),
    ("select * from read_text('{secret}')", "could not read"),
    ("select * from '{secret}'", "could not read"),
    ("select * from glob('/*')", "could not read"),
    ("select * from 'https://example.org/x.csv'", "could not read"),
    ("select * from query('delete from victims')", "could not read"),
    ("select * from frame", "could not read"),
    ("select * from postgres_scan('', '', '')", "could not read"),
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "secret.csv").write_text("secret\n1\n")
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        connection.execute("create table victims as select 1 as x")
        connection.execute("create view plain as select x from victims")
        connection.execute(
            f"create view trap as select * from read_text('{tmp_path / 'secret.csv'}')"
        )
    return tmp_path / "shop.duckdb"


@pytest.mark.parametrize(("attack", "said"), ATTACKS)
def test_a_query_only_reads_and_only_the_file(shop: Path, attack: str, said: str) -> None:
    frame = pd.DataFrame({"x": [1]})  # which a query could name
    files = sorted(shop.parent.iterdir())
    with pytest.raises((ConfigError, DataError), match=said):
        ls.read_orders(
            shop, query=attack.format(file=shop.parent / "out", secret=shop.parent / "secret.csv")
        )
    assert sorted(shop.parent.iterdir()) == files
    assert ls.read_orders(shop, table="victims").fetchall() == [(1,)]
    assert len(frame) == 1


@pytest.mark.parametrize("query", ["select x from victims;", "from victims", "with a as (select 1) from a", "values (1) -- one"])  # fmt: skip
def test_queries_that_read_are_answered(shop: Path, query: str) -> None:
    assert ls.read_orders(shop, query=query).fetchall() == [(1,)]


def test_a_view_sees_no_more_than_a_query(shop: Path) -> None:
    assert ls.read_orders(shop, table="plain").fetchall() == [(1,)]
    with pytest.raises(DataError, match="could not read"):
        ls.read_orders(shop, table="trap")


def test_the_answer_has_the_types_of_the_table(shop: Path) -> None:
    types = "2::hugeint as h, uuid() as u, 'a'::enum('a') as e, 1.5::decimal(12, 2) as d, timestamptz '2024-01-01' as t"
    with duckdb.connect(shop) as connection:
        connection.execute(
            f"create table kinds as select {types}, date '2024-01-01' as day, 'x'::blob as b"
        )
    table, answer = ls.read_orders(shop, table="kinds"), ls.read_orders(shop, query="from kinds")
    assert [str(kind) for kind in answer.types if "ENUM" not in str(kind)][:2] == [
        "HUGEINT",
        "UUID",
    ]
    assert (
        answer.project("* exclude (e)").to_arrow_table()
        == table.project("* exclude (e)").to_arrow_table()
    )


def test_the_engine_loads_no_extension_by_itself() -> None:
    names = "'autoinstall_known_extensions', 'autoload_known_extensions'"
    found = (
        connect().execute(f"select value from duckdb_settings() where name in ({names})").fetchall()
    )
    assert found == [("false",), ("false",)]
