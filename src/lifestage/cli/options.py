"""The options of the commands, each declared once.

Options that are settings of a run stand in the tables below; :func:`takes` adds them to a command.
What only some commands take is an annotated type at the end of this file.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "CLEANING",
    "COLUMNS",
    "ENGINE",
    "MODEL",
    "REPORT",
    "RUN",
    "SOURCE",
    "TERMS",
    "AsJson",
    "By",
    "Config",
    "Customers",
    "Debug",
    "Model",
    "Orders",
    "Out",
    "OutFolder",
    "Overrides",
    "Quiet",
    "TableHorizon",
    "TableLevel",
    "TableMargin",
    "TableSeed",
    "To",
    "ToTable",
    "Until",
    "takes",
]

type Overrides = Mapping[str, Any]
"""Settings of a run that were given as options, by their name; None for the others."""


def _option(panel: str, kind: Any, *flags: str, **details: Any) -> Any:
    option = typer.Option(*flags, rich_help_panel=panel, **details)
    return Annotated[kind | None, option]


_columns = partial(_option, "Columns of the orders")
_orders = partial(_option, "Reading the orders")
_model = partial(_option, "Model")
_terms = partial(_option, "Forecast and value")
_report = partial(_option, "Stages and report")

Until = _orders(
    str, "--until", help="Last day to learn from (ISO date); later orders test the model."
)

COLUMNS: dict[str, Any] = {
    "customer": _columns(str, "--customer", "-c", help="Customer id."),
    "time": _columns(str, "--time", "-t", help="Date or time of the order."),
    "amount": _columns(str, "--amount", "-a", help="Money per order line, or unit price."),
    "quantity": _columns(str, "--quantity", help="Quantity that multiplies the amount."),
}
SPLITS: dict[str, Any] = {
    "order": _columns(str, "--order", help="Order number, to count orders."),
    "channel": _columns(str, "--channel", help="Channel, to compare groups of customers."),
}
SOURCE: dict[str, Any] = {
    "table": _orders(str, "--table", help="Table of the database."),
    "query": _orders(str, "--query", help="One read-only SELECT in place of --table."),
}
CLEANING: dict[str, Any] = {
    "until": Until,
    "earliest": _orders(str, "--earliest", help="First plausible day of an order (ISO date)."),
    "tz": _orders(str, "--tz", help="Time zone of the days, for timestamps with a zone."),
}
MODEL: dict[str, Any] = {
    "period": _model(
        str, "--period", help="Unit of time: hour, day, week, month, quarter or year."
    ),
    "purchases": _model(
        str, "--purchases", help="Purchase model: a family such as bg/nbd, auto or stack."
    ),
    "method": _model(str, "--method", help="Method of the fit: mle, map, laplace or nuts."),
    "draws": _model(int, "--draws", help="Posterior draws, with laplace or nuts."),
    "seed": _model(int, "--seed", help="Random seed."),
}
BACKTEST: dict[str, Any] = {
    "backtest": _model(
        int, "--backtest", help="Number of backtest origins; 0 for no backtest.", min=0
    ),
}
TERMS: dict[str, Any] = {
    "horizon": _terms(float, "--horizon", help="Length of the forecast, in periods."),
    "discount_rate": _terms(float, "--discount-rate", help="Discount rate per YEAR (0.10 = 10 %)."),
    "margin": _terms(float, "--margin", help="Share of spend that is profit, in (0, 1]."),
    "level": _terms(float, "--level", help="Level of the intervals, in (0, 1)."),
}
REPORT: dict[str, Any] = {
    "cac": _report(float, "--cac", help="Cost of acquiring a customer, money."),
    "currency": _report(str, "--currency", help="Symbol or code printed beside money."),
    "lang": _report(str, "--lang", help="Language of the report: en, zh-Hant or zh-Hans."),
    "playbook": _report(Path, "--playbook", help="TOML file with stages and actions of your own."),
}
ENGINE: dict[str, Any] = {
    "memory_limit": _orders(str, "--memory-limit", help="Memory of the engine, such as 4GB."),
    "temp_directory": _orders(
        Path, "--temp-dir", help="Folder for data that does not fit into memory."
    ),
    "threads": _orders(int, "--threads", help="Threads of the engine."),
}
RUN = COLUMNS | SPLITS | SOURCE | CLEANING | ENGINE | MODEL | BACKTEST | TERMS | REPORT
"""Every setting of a run that is an option."""


def takes(options: Mapping[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add options to a command, which gets them as its argument ``overrides``.

    The command line reads the parameters of a function; this puts *options* in place of the
    parameter ``overrides``, so that commands that share settings need not repeat them.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = []
        for name, parameter in own.items():
            if name == "overrides":
                for option, kind in options.items():
                    parameters.append(
                        inspect.Parameter(option, keyword, default=None, annotation=kind)
                    )
            else:
                parameters.append(parameter.replace(kind=keyword))

        @wraps(command)
        def wrapper(**arguments: Any) -> None:
            overrides = {name: arguments.pop(name) for name in options}
            command(**arguments, overrides=overrides)

        wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {each.name: each.annotation for each in parameters}
        return wrapper

    return decorate


# ------------------------------------------------- arguments and options that are not settings

Orders = Annotated[
    str,
    typer.Argument(
        help="CSV or Parquet file or glob; or a DuckDB file or postgresql://host/db with --table."
    ),
]
OutFolder = Annotated[
    Path, typer.Option("--out", "-o", help="Folder to write; a new one is readable by you alone.")
]
Out = Annotated[
    str | None,
    typer.Option("--out", "-o", help="CSV, Parquet or .duckdb file; printed if left out."),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to", help="Also write the customers to a .duckdb file or postgresql://host/db."
    ),
]
ToTable = Annotated[
    str, typer.Option("--to-table", help="Table in that database; one of this name is replaced.")
]
Config = Annotated[
    Path | None, typer.Option("--config", help="TOML file of settings; options override it.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

Customers = Annotated[
    Path, typer.Argument(help="Staged customers (Parquet), as written by run and predict.")
]
Model = Annotated[Path, typer.Option("--model", "-m", help="Folder of the model that scored them.")]
By = Annotated[
    str, typer.Option("--by", help="Column to group by; cohort is the month of the first purchase.")
]
TableHorizon = Annotated[
    float, typer.Option("--horizon", help="Length of the forecast, in periods of the model.")
]
TableMargin = Annotated[
    float, typer.Option("--margin", help="Share of spend that is profit, in (0, 1].")
]
TableLevel = Annotated[float, typer.Option("--level", help="Level of the intervals, in (0, 1).")]
TableSeed = Annotated[int, typer.Option("--seed", help="Random seed.")]
