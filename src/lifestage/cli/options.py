"""The options that several commands take, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Amount",
    "AsJson",
    "Backtest",
    "By",
    "Cac",
    "Channel",
    "Config",
    "Currency",
    "Customer",
    "Customers",
    "Debug",
    "Discount",
    "Draws",
    "Earliest",
    "Horizon",
    "Lang",
    "Level",
    "Margin",
    "Memory",
    "Method",
    "Model",
    "Order",
    "Orders",
    "Out",
    "PeriodName",
    "Playbook",
    "Purchases",
    "Quantity",
    "Query",
    "Quiet",
    "Seed",
    "Settings",
    "Table",
    "TableHorizon",
    "TableLevel",
    "TableMargin",
    "TableOrders",
    "TableSeed",
    "Temp",
    "Threads",
    "Time",
    "To",
    "ToTable",
    "Tz",
    "Until",
]

Customers = Annotated[
    Path, typer.Argument(help="Staged customers (Parquet), as run and predict write them.")
]

TableOrders = Annotated[str, typer.Argument(help="Orders, as run takes them.")]

Settings = Annotated[
    Path | None, typer.Option("--config", help="TOML file of settings, as run takes it.")
]

TableMargin = Annotated[
    float, typer.Option("--margin", help="Share of spend that is profit, in (0, 1].")
]

Model = Annotated[Path, typer.Option("--model", "-m", help="Folder of the model that scored them.")]

Out = Annotated[
    str | None,
    typer.Option("--out", "-o", help="CSV, Parquet or .duckdb file; printed if left out."),
]

By = Annotated[
    str, typer.Option("--by", help="Column to group by; cohort is the month of the first purchase.")
]

TableHorizon = Annotated[
    float, typer.Option("--horizon", help="How far to look, in periods of the model.")
]

TableLevel = Annotated[float, typer.Option("--level", help="Coverage of the intervals, in (0, 1).")]

TableSeed = Annotated[int, typer.Option("--seed", help="Seed of the lot.")]


Orders = Annotated[
    str,
    typer.Argument(
        help="CSV or Parquet file or glob; or a DuckDB file or postgresql://host/db with --table."
    ),
]
Customer = Annotated[str | None, typer.Option("--customer", "-c", help="Column of customer ids.")]
Time = Annotated[str | None, typer.Option("--time", "-t", help="Column of order dates or times.")]
Amount = Annotated[
    str | None, typer.Option("--amount", "-a", help="Column of money a line, or of the unit price.")
]
Quantity = Annotated[
    str | None, typer.Option("--quantity", help="Column that multiplies the amount.")
]
Order = Annotated[
    str | None, typer.Option("--order", help="Column of order numbers (to count orders).")
]
Channel = Annotated[str | None, typer.Option("--channel", help="Column to split the base by.")]
Table = Annotated[str | None, typer.Option("--table", help="Table of the database.")]
Query = Annotated[
    str | None, typer.Option("--query", help="One SELECT that only reads, in place of --table.")
]
Memory = Annotated[
    str | None, typer.Option("--memory-limit", help="Memory of the engine, such as 4GB.")
]
Temp = Annotated[
    Path | None, typer.Option("--temp-dir", help="Folder for what does not fit into memory.")
]
Threads = Annotated[int | None, typer.Option("--threads", help="Threads of the engine.")]
To = Annotated[
    str | None,
    typer.Option(
        "--to", help="Database to write the customers to: a .duckdb file or postgresql://host/db."
    ),
]
ToTable = Annotated[
    str, typer.Option("--to-table", help="Table to write there; one of that name is replaced.")
]
Until = Annotated[
    str | None,
    typer.Option("--until", help="Last day to learn from (ISO date); later orders test it."),
]
Earliest = Annotated[
    str | None, typer.Option("--earliest", help="First day that an order can be of (ISO date).")
]
Tz = Annotated[
    str | None, typer.Option("--tz", help="Time zone that cuts days, for aware timestamps.")
]
PeriodName = Annotated[
    str | None,
    typer.Option("--period", help="Unit of time: hour, day, week, month, quarter, year."),
]
Purchases = Annotated[
    str | None, typer.Option("--purchases", help="Purchase model: bg/nbd or mbg/nbd.")
]
Method = Annotated[
    str | None, typer.Option("--method", help="How to fit: mle, map, laplace or nuts.")
]
Draws = Annotated[
    int | None, typer.Option("--draws", help="Posterior draws, with laplace or nuts.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of the draws.")]
Backtest = Annotated[
    int | None,
    typer.Option("--backtest", help="Days of the past to test the model at; 0 for none.", min=0),
]
Horizon = Annotated[float | None, typer.Option("--horizon", help="How far to predict, in periods.")]
Discount = Annotated[
    float | None, typer.Option("--discount-rate", help="Discount rate a YEAR (0.10 = 10 %).")
]
Margin = Annotated[
    float | None, typer.Option("--margin", help="Share of spend that is profit, in (0, 1].")
]
Level = Annotated[
    float | None, typer.Option("--level", help="Coverage of the intervals, in (0, 1).")
]
Cac = Annotated[float | None, typer.Option("--cac", help="Cost of acquiring a customer, money.")]
Currency = Annotated[
    str | None, typer.Option("--currency", help="Symbol or code printed beside money.")
]
Lang = Annotated[
    str | None, typer.Option("--lang", help="Language of the report: en, zh-Hant, zh-Hans.")
]
Playbook = Annotated[
    Path | None, typer.Option("--playbook", help="TOML file of stages and actions of your own.")
]
Config = Annotated[
    Path | None, typer.Option("--config", help="TOML file of settings; options override it.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
