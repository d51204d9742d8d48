"""Inputs that break things: each is refused in one sentence and leaves nothing, or gives finite, sensible results."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import lifestage as ls
from lifestage.cli import app

Make = Callable[[pd.DataFrame, Path], Any]


def _log(n: int = 160) -> pd.DataFrame:
    """Order lines of *n* people over 400 days: a Poisson rate each, a coin of dropout after each purchase."""
    rng = np.random.default_rng(1)
    rows = []
    for i in range(n):
        rate, chance, price = rng.gamma(1.0, 1 / 30), rng.beta(0.8, 2.5), rng.gamma(4.0, 8.0)
        at = rng.uniform(0, 300)
        while at < 400:
            rows.append((i, int(at), round(price * rng.gamma(6.0, 1 / 6) + 0.01, 2)))
            if rng.random() < chance:
                break
            at += rng.exponential(1 / rate)
    log = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    log["date"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(log.pop("day"), "D")
    return log[["customer_id", "date", "amount"]]


LOG = _log()
PEOPLE = LOG["customer_id"].nunique()
REQUIRED = [
    "frequency",
    "recency",
    "T",
    "p_alive",
    "p_purchase",
    "expected_purchases",
    "purchases_low",
]
REQUIRED += ["purchases_high", "activity_ratio", "p_window", "p_window_fresh", "days_silent"]
MONEY = ["expected_spend", "ltv", "ltv_low", "ltv_high", "value_lost"]


def corridor(
    orders: Any, *, horizon: float = 52, spend: str | None = "gamma-gamma", **options: Any
) -> pd.DataFrame:
    """Orders to staged customers through the public functions, checked to be sensible."""
    customers = ls.summarize(orders, **options)
    model = ls.fit(customers, spend=spend)
    staged = ls.assign_stages(model.predict(customers, horizon=horizon))
    table = (
        staged
        if isinstance(staged, pd.DataFrame)
        else staged.df()
        if hasattr(staged, "df")
        else staged.to_pandas()
    )
    check(table)
    return table


def check(table: pd.DataFrame) -> None:
    """Numbers are finite and in range, and everyone has one stage a taxonomy."""
    assert len(table) > 0
    assert table["customer_id"].is_unique
    numbers = table[REQUIRED + [name for name in MONEY if name in table]]
    assert np.isfinite(numbers.to_numpy(float)).all(), numbers[
        ~np.isfinite(numbers.to_numpy(float)).all(axis=1)
    ]
    assert (numbers >= 0).all(axis=None)
    assert (
        table[["p_alive", "p_purchase", "p_window", "p_window_fresh", "activity_ratio"]] <= 1
    ).all(axis=None)
    assert (table["purchases_low"] <= table["purchases_high"]).all()
    if "ltv" in table:
        assert (table["ltv_low"] <= table["ltv_high"]).all()
    assert set(table["activity_stage"]) <= {"new", "active", "drowsy", "half_asleep", "asleep"}
    assert table[["lifecycle_phase", "value_segment"]].notna().all(axis=None)


def call(command: str, source: Any, out: Path, *options: str) -> Result:
    untested = (
        ["--backtest", "0"] if command == "run" and "--backtest" not in options else []
    )  # each takes seconds
    return CliRunner().invoke(
        app, [command, str(source), *options, *untested, "--out", str(out), "-q"]
    )


def _not_json(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def runs(source: Any, out: Path, *options: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The command line finishes, writes everything, and what it writes is sensible."""
    result = call("run", source, out, *options)
    assert result.exit_code == 0, result.output
    assert {p.name for p in out.iterdir()} == {
        "customers.parquet",
        "stages.csv",
        "summary.json",
        "report.html",
        "model",
    }
    summary = json.loads((out / "summary.json").read_text("utf-8"), parse_constant=_not_json)
    table = pd.read_parquet(out / "customers.parquet")
    check(table)
    assert summary["data"]["customers"] == len(table)
    quality = summary["quality"]
    assert quality["rows_read"] == quality["rows_used"] + sum(quality["dropped"].values())
    return table, summary


def refuses(
    source: Any, folder: Path, *options: str, says: str, out: str = "out", command: str = "run"
) -> None:
    """The command line ends with code 1 and one sentence, and the disk is as it was."""
    before = {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}
    result = call(command, source, folder / out, *options)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert says in result.stderr
    assert {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")} == before


def csv(frame: pd.DataFrame, folder: Path, **options: Any) -> Path:
    frame.to_csv(folder / "orders.csv", index=False, **options)
    return folder / "orders.csv"


def parquet(frame: Any, folder: Path) -> Path:
    table = (
        frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    )
    pq.write_table(table, folder / "orders.parquet")
    return folder / "orders.parquet"


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    """What the plain log comes to, to compare with the same log in disguise."""
    table = corridor(LOG)
    assert len(table) == PEOPLE
    return table


@pytest.fixture(scope="module")
def orders_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return csv(LOG, tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ls.fit(ls.summarize(LOG)).save(tmp_path_factory.mktemp("models") / "model")


# Refused --------------------------------------------------------------------------------------------------------------


def _iso_weeks(log: pd.DataFrame) -> list[str]:
    return [f"{y}-W{w:02}-{d}" for y, w, d in log["date"].dt.isocalendar().itertuples(index=False)]


def _fewer(log: pd.DataFrame) -> pd.DataFrame:
    """99 customers, 29 of them repeat buyers."""
    days = log.groupby("customer_id")["date"].nunique()
    known = log[log["customer_id"].isin(days[days > 1].index[:29])]
    once = pd.DataFrame(
        {"customer_id": np.arange(1000, 1070), "date": log["date"].max(), "amount": 5.0}
    )
    return pd.concat([known, once])


REFUSED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "header only": (lambda log: log.head(0), "the log is empty"),
    "all ids missing": (lambda log: log.assign(customer_id=None), f"missing_id {len(LOG)}"),
    "no amount": (lambda log: log.assign(amount=np.nan), f"missing_amount {len(LOG)}"),
    "infinite amounts": (lambda log: log.assign(amount=np.inf), f"non_finite_amount {len(LOG)}"),
    "all refunds": (
        lambda log: log.assign(amount=-log["amount"]),
        f"day_net_not_positive {len(LOG)}",
    ),
    "comma decimals": (lambda log: log.assign(amount="12,5"), f"non_finite_amount {len(LOG)}"),
    "one customer": (
        lambda log: log[log["customer_id"] == log["customer_id"].mode()[0]],
        "at least 100 customers or 30",
    ),
    "99 customers, 29 repeaters": (_fewer, "got 99 customers, 29 of them repeat buyers"),
    "all on one day": (lambda log: log.assign(date="2024-03-01"), "history"),
    "one line": (lambda log: log.head(1), "history"),
    "mixed offsets": (
        lambda log: log.assign(
            date=[f"{d:%F}T10:00:00{'+02:00' * (i % 2)}" for i, d in enumerate(log["date"])]
        ),
        f"{len(LOG) // 2} of {len(LOG)}",
    ),
    "ISO weeks": (lambda log: log.assign(date=_iso_weeks(log)), f"unparseable_time {len(LOG)}"),
    "months": (
        lambda log: log.assign(date=log["date"].dt.strftime("%Y-%m")),
        f"unparseable_time {len(LOG)}",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_logs_that_are_refused(case: str, tmp_path: Path) -> None:
    change, says = REFUSED[case]
    refuses(csv(change(LOG), tmp_path), tmp_path, says=says)
    with pytest.raises(ls.LifestageError):
        corridor(change(LOG).astype({"date": object}))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n\n", "customer_id"),
        (b"a,b\n1,2\n", "'a', 'b'"),
        (LOG.assign(customer_id="é").to_csv(index=False).encode("latin-1"), "UTF-8"),
        (LOG.to_csv(index=False).encode("utf-16"), "UTF-8"),
    ],
)
def test_files_that_are_refused(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(content)
    refuses(tmp_path / "orders.csv", tmp_path, says=says)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--customer", "client"], "'client'"),
        (["--customer", ""], "''"),
        (["--amount", "date"], "none can be read"),
        (["--table", "x"], "DuckDB"),
        (["--tz", "../etc/passwd"], "time zone"),
        (["--until", "2024-02-30"], "until"),
        (["--until", "2024-01-03"], "2024-01-03"),
        (["--horizon", "nan"], "horizon"),
        (["--horizon", "inf"], "horizon"),
        (["--horizon", "0"], "horizon"),
        (["--discount-rate", "nan"], "discount_rate"),
        (["--discount-rate", "-0.1"], "discount_rate"),
        (["--level", "1"], "level"),
        (["--margin", "nan"], "margin"),
        (["--cac", "nan"], "cac"),
        (["--cac", "inf"], "cac"),
        (["--lang", "fr"], "zh-Hant"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_options_that_are_refused(
    options: list[str], says: str, orders_csv: Path, tmp_path: Path
) -> None:
    refuses(orders_csv, tmp_path, *options, says=says)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "expected a TOML file of settings"),
        (b"[customer]\nx = 1\n", "settings: customer: "),
        (b"horizon = nan\n", "settings: horizon: "),
    ],
)
def test_settings_files_that_are_refused(
    content: bytes, says: str, orders_csv: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.toml").write_bytes(content)
    refuses(orders_csv, tmp_path, "--config", str(tmp_path / "run.toml"), says=says)


# Accepted -------------------------------------------------------------------------------------------------------------


def test_lines_without_a_number_are_left_out_and_counted(tmp_path: Path) -> None:
    amount = np.select(
        [LOG.index % 7 == 0, LOG.index % 7 == 1, LOG.index % 7 == 2],
        [np.nan, np.inf, -np.inf],
        LOG["amount"],
    )
    _, summary = runs(csv(LOG.assign(amount=amount), tmp_path), tmp_path / "made" / "here" / "out")
    lines = {kind: int((LOG.index % 7 == kind).sum()) for kind in range(3)}
    assert summary["quality"]["dropped"] == {
        "missing_amount": lines[0],
        "non_finite_amount": lines[1] + lines[2],
    }


def test_everyone_bought_once(tmp_path: Path) -> None:
    table, summary = runs(csv(LOG.drop_duplicates("customer_id"), tmp_path), tmp_path / "out")
    assert (table["frequency"] == 0).all()
    assert "no_repeaters" in {note["code"] for note in summary["fit"]["purchases"]["notes"]}
    assert all(np.isfinite(bound) for bound in summary["intervals"]["expected_purchases"])


@pytest.mark.parametrize("purchases", [pytest.param("bg/nbd", marks=pytest.mark.slow), "mbg/nbd"])
def test_everyone_bought_on_every_day(purchases: str, tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=60)
    log = pd.DataFrame(
        [(i, day, 10.0 + i % 5) for i in range(120) for day in days], columns=list(LOG.columns)
    )
    table, summary = runs(
        csv(log, tmp_path), tmp_path / "out", "--purchases", purchases, "--horizon", "2"
    )
    assert "dropout_not_identified" in {
        note["code"] for note in summary["fit"]["purchases"]["notes"]
    }
    np.testing.assert_allclose(table["expected_purchases"], 14.0, rtol=0.02)
    assert set(table["activity_stage"]) == {"active"}
    assert not table["at_risk"].any()


def test_a_far_date_is_refused_with_the_date_to_set(tmp_path: Path) -> None:
    stray = pd.concat([LOG, LOG.tail(1).assign(date=pd.Timestamp("2999-01-01"))])
    refuses(csv(stray, tmp_path), tmp_path, says="2999-01-01")
    start = time.monotonic()
    _, summary = runs(
        csv(stray, tmp_path), tmp_path / "out", "--until", str(LOG["date"].max())[:10]
    )
    assert (
        time.monotonic() - start < 20
    )  # the years up to the stray line must not cost their square
    assert summary["quality"]["dropped"]["after_until"] == 1
    refuses(csv(LOG, tmp_path), tmp_path, "--until", "9999-12-31", says="9999-12-31", out="far")


@pytest.mark.parametrize("factor", [1e-140, 1e140])
def test_money_of_any_scale_is_only_a_scale(factor: float, reference: pd.DataFrame) -> None:
    table = corridor(LOG.assign(amount=LOG["amount"] * factor))
    np.testing.assert_allclose(table["ltv"] / factor, reference["ltv"], rtol=1e-3)
    assert table["activity_stage"].tolist() == reference["activity_stage"].tolist()


def test_no_money_at_all(reference: pd.DataFrame, tmp_path: Path) -> None:
    for table in (
        corridor(LOG.drop(columns="amount"), amount=None),
        corridor(LOG, spend=None),
        corridor(LOG.assign(amount=0)),
    ):
        assert not set(MONEY) & set(table.columns)
        np.testing.assert_allclose(table["activity_ratio"], reference["activity_ratio"], rtol=1e-9)
    customers = ls.summarize(LOG.drop(columns="amount"), amount=None)
    fitted = ls.fit(customers)
    ls.write_report(ls.assign_stages(fitted.predict(customers)), fitted, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_free_orders_alone(tmp_path: Path) -> None:
    _, summary = runs(csv(LOG.assign(amount=0), tmp_path), tmp_path / "out")
    assert summary["totals"].get("ltv") is None


@pytest.mark.parametrize(
    "options",
    [
        ["--horizon", "1e-3", "--level", "0.999999", "--discount-rate", "1", "--margin", "1e-9"],
        [
            "--period",
            "day",
            "--horizon",
            "10000",
            "--level",
            "0.5",
            "--until",
            "2025-06-30",
            "--discount-rate",
            "0",
        ],
    ],
)
def test_extreme_terms(options: list[str], orders_csv: Path, tmp_path: Path) -> None:
    table, summary = runs(orders_csv, tmp_path / "out", *options)
    for name in ("expected_purchases", "expected_revenue", "ltv"):
        low, high = summary["intervals"][name]
        assert 0 <= low <= summary["totals"][name] <= high < np.inf
    horizon = table["horizon_days"][0]
    if horizon < 1:  # too short for two purchases: the expectation is the probability
        np.testing.assert_allclose(table["expected_purchases"], table["p_purchase"], rtol=1e-2)


def test_value_falls_with_discount_and_grows_with_the_horizon() -> None:
    customers = ls.summarize(LOG)
    fitted = ls.fit(customers)
    value = {
        (h, d): fitted.predict(customers, horizon=h, discount_rate=d)["ltv"]
        for h in (1e-3, 52, 10_000)
        for d in (0, 0.1, 1)
    }
    for h in (52, 10_000):
        assert (value[h, 0] > value[h, 0.1]).all()
        assert (value[h, 0.1] > value[h, 1]).all()
    for d in (0, 0.1, 1):
        assert (value[1e-3, d] < value[52, d]).all()
        assert (value[52, d] < value[10_000, d] * (1 + 1e-9)).all()


IDS = [
    "王小明",
    "🛒🧾",
    "O'Brien",
    'say "hi"',
    "<script>alert(1)</script>",
    "a,b;--",
    "x" * 10_000,
    "&amp;",
    "\t tab",
]
IDS += ["nul%00", "'; drop table x; --", "Zürich é", "\u202ertl", " lead", "trail "]


def test_ids_of_any_text_are_kept_and_escaped(tmp_path: Path) -> None:
    log = LOG.assign(customer_id=[IDS[i] if i < len(IDS) else f"c{i}" for i in LOG["customer_id"]])
    table, _ = runs(csv(log, tmp_path), tmp_path / "out")
    for each in (table, summary_of(parquet(log, tmp_path)), summary_of(log)):
        assert set(each["customer_id"]) == set(log["customer_id"])
    assert "<script>alert" not in (tmp_path / "out" / "report.html").read_text("utf-8")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_breaks_inside_quoted_fields(newline: str, tmp_path: Path) -> None:
    """An id, or a note beside it, of two lines; as spreadsheets and shops export them."""
    ids = [f"c{i}" if i % 2 else f"two{newline}lines {i}" for i in LOG["customer_id"]]
    log = LOG.assign(customer_id=ids, note=f"leave it{newline}at the door")
    path = tmp_path / "orders.csv"
    path.write_bytes(log.to_csv(index=False, lineterminator=newline).encode())
    assert set(corridor(str(path))["customer_id"]) == set(ids)
    assert set(summary_of(parquet(log, tmp_path))["customer_id"]) == set(ids)


TYPED: dict[str, Callable[[pd.DataFrame], Any]] = {
    "categorical ids": lambda log: log.assign(
        customer_id=log["customer_id"].map("c{:04}".format).astype("category")
    ),
    "integer-coded ids": lambda log: log.assign(customer_id=log["customer_id"].astype("category")),
    "uint64 ids": lambda log: log.assign(
        customer_id=log["customer_id"].astype("uint64") + np.uint64(2**63 + 5)
    ),
    "decimal ids": lambda log: log.assign(customer_id=[Decimal(i) for i in log["customer_id"]]),
    "seconds": lambda log: log.astype({"date": "datetime64[s]"}),
    "milliseconds": lambda log: log.astype({"date": "datetime64[ms]"}),
    "microseconds": lambda log: log.astype({"date": "datetime64[us]"}),
    "nanoseconds": lambda log: log.astype({"date": "datetime64[ns]"}),
    "dates": lambda log: log.assign(date=log["date"].dt.date),
    "date text": lambda log: log.assign(date=log["date"].dt.strftime("%d.%m.%Y")),
    "decimal amounts": lambda log: log.assign(
        amount=[Decimal(str(value)) for value in log["amount"]]
    ),
    "float32 amounts": lambda log: log.astype({"amount": "float32"}),
    "text amounts": lambda log: log.astype({"amount": str}),
}


def summary_of(orders: Any, **options: Any) -> pd.DataFrame:
    """The customer table alone, in pandas and by customer."""
    table = ls.summarize(orders, **options).table
    table = table if isinstance(table, pd.DataFrame) else table.df()
    assert table["customer_id"].is_unique
    return table.sort_values("customer_id", ignore_index=True)


@pytest.mark.parametrize("case", TYPED)
def test_types_of_columns_do_not_matter(case: str, tmp_path: Path) -> None:
    log = TYPED[case](LOG)
    expected = summary_of(LOG)
    for source in (parquet(log, tmp_path), log):
        table = summary_of(source)
        for name in ("frequency", "recency", "T", "monetary_value", "revenue"):
            np.testing.assert_allclose(table[name], expected[name], rtol=1e-6)
        assert (
            pd.to_datetime(table["first_purchase"]).tolist() == expected["first_purchase"].tolist()
        )


def test_large_and_coded_ids_pass_the_whole_corridor(
    reference: pd.DataFrame, tmp_path: Path
) -> None:
    for case, ids in (
        ("uint64 ids", [i + 2**63 + 5 for i in range(PEOPLE)]),
        ("categorical ids", [f"c{i:04}" for i in range(PEOPLE)]),
    ):
        table = corridor(parquet(TYPED[case](LOG), tmp_path)).sort_values("customer_id")
        assert table["customer_id"].tolist() == ids
        np.testing.assert_allclose(table["ltv"], reference["ltv"], rtol=1e-9)


def test_whole_amounts(tmp_path: Path) -> None:
    whole = LOG.assign(amount=LOG["amount"].round().astype(int) + 1)
    expected = summary_of(whole.astype({"amount": float}))
    for source in (whole, csv(whole, tmp_path), parquet(whole, tmp_path)):
        table = summary_of(source)
        table = table.assign(customer_id=table["customer_id"].astype(int)).sort_values(
            "customer_id"
        )
        np.testing.assert_allclose(table["revenue"], expected["revenue"], rtol=1e-12)
        np.testing.assert_allclose(table["monetary_value"], expected["monetary_value"], rtol=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        lambda log: log.assign(date=1.5),
        lambda log: pa.table(
            {
                "customer_id": log["customer_id"],
                "date": pa.array([1] * len(log), pa.time64("us")),
                "amount": log["amount"],
            }
        ),
        lambda log: log.assign(amount=log["amount"] > 5),
        lambda log: log.assign(amount=[[1.0]] * len(log)),
        lambda log: log.assign(date=log["date"].dt.tz_localize("UTC")),
    ],
)
def test_types_that_cannot_be_their_role(
    change: Callable[[pd.DataFrame], Any], tmp_path: Path
) -> None:
    refuses(parquet(change(LOG), tmp_path), tmp_path, says="expected ")


NAMES = {"customer_id": '"; drop table x; --', "date": "order date's", "amount": 'pri"ce €'}
ROLES = {"customer": NAMES["customer_id"], "time": NAMES["date"], "amount": NAMES["amount"]}


@pytest.mark.parametrize(
    "make", [csv, parquet, lambda log, _: log, lambda log, _: pl.from_pandas(log)]
)
def test_columns_of_any_name(make: Make, reference: pd.DataFrame, tmp_path: Path) -> None:
    source = make(LOG.rename(columns=NAMES), tmp_path)
    if make is csv:
        options = [part for role, name in ROLES.items() for part in (f"--{role}", name)]
        table, _ = runs(source, tmp_path / "out", *options)
    else:
        table = corridor(source, **ROLES)
    np.testing.assert_allclose(np.sort(table["ltv"]), np.sort(reference["ltv"]), rtol=1e-9)


def test_other_columns_may_have_the_names_that_the_package_uses(
    reference: pd.DataFrame, tmp_path: Path
) -> None:
    names = "customer_id amount day line lines reason copies duplicates money net gross order_id no_id no_time largest"
    others = dict.fromkeys(names.split(), -1)
    log = LOG.rename(columns={"customer_id": "buyer", "amount": "price"}).assign(
        **others, channel="k", quantity=7
    )
    for source in (log, parquet(log, tmp_path)):
        table = corridor(source, customer="buyer", amount="price").sort_values("customer_id")
        np.testing.assert_allclose(table["ltv"], reference["ltv"], rtol=1e-9)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("other", ["amount", "Amount"])
def test_columns_of_the_same_name_are_refused(kind: str, other: str) -> None:
    frame: Any = LOG.assign(other=1000.0).set_axis(["customer_id", "date", other, "amount"], axis=1)
    if kind != "pandas":
        if other == "amount" and kind == "polars":
            pytest.skip("polars has no frame with two columns of one name")
        arrays = [pa.array(frame.iloc[:, place]) for place in range(4)]
        frame = pa.Table.from_arrays(arrays, names=list(frame.columns))
        frame = pl.from_arrow(frame) if kind == "polars" else frame
    with pytest.raises(ls.DataError):
        ls.summarize(frame)


# Files and places -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_several_files(reference: pd.DataFrame, tmp_path: Path) -> None:
    half = len(LOG) // 2
    LOG.iloc[:half].to_csv(tmp_path / "part 1.csv", index=False)
    LOG.iloc[half:][["amount", "date", "customer_id"]].assign(extra=1).to_csv(
        tmp_path / "part 2.csv", index=False
    )
    table, summary = runs(tmp_path / "part *.csv", tmp_path / "out")
    assert summary["quality"]["rows_read"] == len(LOG)
    np.testing.assert_allclose(np.sort(table["ltv"]), np.sort(reference["ltv"]), rtol=1e-9)


@pytest.mark.slow
def test_a_table_of_a_database(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        connection.register("log", LOG)
        connection.execute(
            """create table "ord'ers; --" as select * from log; create table e as select 1 as a"""
        )
        connection.execute("""create view v as select * from "ord'ers; --" """)
    before = (tmp_path / "shop.duckdb").read_bytes()
    runs(tmp_path / "shop.duckdb", tmp_path / "out", "--table", "ord'ers; --")
    assert len(summary_of(ls.read_orders(tmp_path / "shop.duckdb", table="v"))) == PEOPLE
    assert (tmp_path / "shop.duckdb").read_bytes() == before
    for table, says in (("e", "customer_id"), ("nothing", "it holds")):
        refuses(tmp_path / "shop.duckdb", tmp_path, "--table", table, says=says, out="other")
    (tmp_path / "not.duckdb").write_text("hello")
    refuses(tmp_path / "not.duckdb", tmp_path, says="could not read", out="other")


@pytest.mark.parametrize(
    "name", ["orders[1].csv", "what?.csv", 'o\'brien "x" *.csv', "ORDERS.CSV", "訂單.csv"]
)
def test_files_of_any_name_are_read_themselves(name: str, tmp_path: Path) -> None:
    """A name that is also a pattern stands for the file of that name, not for those that the pattern finds."""
    LOG.to_csv(tmp_path / name, index=False)
    LOG.assign(customer_id=7).to_csv(
        tmp_path / name.replace("[1]", "1").replace("?", "x").replace("*", "y"), index=False
    )
    LOG.to_csv(tmp_path / name, index=False)
    assert len(summary_of(tmp_path / name)) == PEOPLE


@pytest.mark.parametrize("out", ["deep/er/out", "file", "file/out"])
def test_a_failing_run_leaves_no_folder_behind(out: str, orders_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    refuses(
        orders_csv,
        tmp_path,
        "--customer",
        "client",
        says="client" if out == "deep/er/out" else "file",
        out=out,
    )


@pytest.mark.parametrize("command", ["run", "fit", "predict"])
@pytest.mark.parametrize("out", ["file/out", "/proc/nowhere/out"])
def test_an_impossible_place_is_one_sentence(
    command: str, out: str, orders_csv: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    options = ["--model", str(model)] if command == "predict" else []
    out += ".parquet" * (command == "predict")
    refuses(orders_csv, tmp_path, *options, says=out.split("/")[-2], out=out, command=command)


@pytest.mark.parametrize("command", ["run", "fit"])
@pytest.mark.parametrize("there", ["folder", "file", "folder with a summary.json"])
def test_what_others_wrote_is_left_alone(
    command: str, there: str, orders_csv: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    if there == "file":
        out.write_text("years of work")
    else:
        out.mkdir()
        (out / "thesis.txt").write_text("years of work")
        if there != "folder":
            (out / "summary.json").write_text("{}")
    refuses(orders_csv, tmp_path, says="out", command=command)


@pytest.mark.parametrize("command", ["predict", "report"])
def test_a_folder_is_no_file_to_write(
    command: str, orders_csv: Path, model: Path, tmp_path: Path
) -> None:
    source = orders_csv
    if command == "report":
        source = tmp_path / "staged.parquet"
        assert call("predict", orders_csv, source, "--model", str(model)).exit_code == 0
    (tmp_path / "out").mkdir()
    refuses(source, tmp_path, "--model", str(model), says="out", command=command)


def test_files_added_to_an_earlier_run_survive_the_next(orders_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("run", orders_csv, out).exit_code == 0
    (out / "my notes.txt").write_text("mine")
    refuses(orders_csv, tmp_path, says="holds my notes.txt and is left alone")


@pytest.mark.parametrize("content", ["[1]", '{"totals": 5}'])
def test_a_damaged_earlier_run_is_replaced(content: str, orders_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.json").write_text(content)
    _, summary = runs(orders_csv, tmp_path / "out")
    assert summary["totals"]["ltv"] > 0


@pytest.mark.slow
def test_the_folder_one_stands_in(
    orders_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert call("run", orders_csv, Path(".")).exit_code == 0
    names = {"customers.parquet", "stages.csv", "summary.json", "report.html", "model"}
    assert {p.name for p in (tmp_path / "here").iterdir()} == names
    assert [p.name for p in tmp_path.iterdir()] == ["here"]


@pytest.mark.slow
def test_two_runs_at_once_into_one_folder(orders_csv: Path, tmp_path: Path) -> None:
    """Whoever comes last wins; the folder is whole, and nothing lies beside it."""
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        "from lifestage.cli import main; main()",
        "run",
        str(orders_csv),
        "-q",
        "--out",
        str(out),
    ]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ends = [(process.communicate()[1], process.returncode) for process in both]
    assert 0 in [code for _, code in ends], ends
    assert not any("Traceback" in stderr for stderr, _ in ends), ends
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert {p.name for p in out.iterdir()} == {
        "customers.parquet",
        "stages.csv",
        "summary.json",
        "report.html",
        "model",
    }
    assert json.loads((out / "summary.json").read_text("utf-8"))["data"]["customers"] == PEOPLE


DAYS = pd.Series(pd.date_range("2023-01-01", periods=400))
UNTIL = ("--until", "2024-06-01")
ODD = {
    "everybody once": pd.DataFrame({"customer_id": range(400), "date": DAYS, "amount": 5.0}),
    "every day": pd.DataFrame(
        {"customer_id": [*range(40)] * 400, "date": DAYS.repeat(40).to_list(), "amount": 1.0}
    ),
    "a long silence": LOG.assign(
        date=LOG["date"].where(LOG["date"] < "2024-04-01", LOG["date"] + pd.Timedelta(days=900))
    ),
    "a week": LOG[LOG["date"] < "2024-01-08"],
    "texts of any kind": LOG.assign(customer_id="顧客 <b>\u202e" + LOG["customer_id"].astype(str)),
    "hours of a zone": LOG.assign(
        date=LOG["date"].dt.tz_localize("Asia/Taipei") + pd.Timedelta(hours=5)
    ),
    "refunds": pd.concat([LOG, LOG.assign(amount=-LOG["amount"]).iloc[::3]]),
}


FEW_CUSTOMERS = "expected at least 100 customers or 30 repeat buyers to fit a model; got "
UNTESTED = {"a long silence": FEW_CUSTOMERS + "49 customers, 23 of them repeat buyers"}
REFUSED_LOGS = {
    (
        "a week",
        (),
    ): "expected a history at least as long as the stage window of 14 days; the log covers 1 days",
    ("a week", UNTIL): FEW_CUSTOMERS + "2 customers, 0 of them repeat buyers",
    ("a long silence", UNTIL): FEW_CUSTOMERS + "49 customers, 23 of them repeat buyers",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("options", [(), UNTIL])
def test_odd_logs_are_tested_or_say_why_not(
    kind: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    ODD[kind].to_parquet(tmp_path / "orders.parquet")
    zone = ("--tz", "Asia/Taipei") if kind == "hours of a zone" else ()
    options = (*options, *zone, "--backtest", "1")
    if says := REFUSED_LOGS.get((kind, options[: -2 - len(zone)])):
        refuses(tmp_path / "orders.parquet", tmp_path, *options, says=says)
        return
    _, summary = runs(tmp_path / "orders.parquet", tmp_path / "out", *options)
    trust = summary["trust"]
    assert trust["reason"] == UNTESTED.get(kind)
    assert (trust["backtest"] is None) == (kind in UNTESTED)
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert 'id="validation"' in text
    assert ">nan" not in text
