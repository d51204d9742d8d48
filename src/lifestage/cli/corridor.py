"""Commands of the corridor: demo, run, fit, predict, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.console import print_summary, progress, sentences
from lifestage.cli.options import (
    Amount,
    AsJson,
    Backtest,
    Cac,
    Channel,
    Config,
    Currency,
    Customer,
    Debug,
    Discount,
    Draws,
    Earliest,
    Horizon,
    Lang,
    Level,
    Margin,
    Memory,
    Method,
    Order,
    Orders,
    PeriodName,
    Playbook,
    Purchases,
    Quantity,
    Query,
    Quiet,
    Seed,
    Table,
    Temp,
    Threads,
    Time,
    To,
    ToTable,
    Tz,
    Until,
)

__all__ = ["demo", "fit", "predict", "report", "run"]

DEMO = {"until": "1997-09-30", "period": "week", "currency": "$", "title": "CDNOW, 1/10 sample"}


def _settings(config: Path | None, options: dict[str, Any]) -> Any:
    """Settings of a file, and over them the options of a command that are settings and were given."""
    from lifestage.jobs.config import RunConfig, read_config

    return read_config(
        config, {name: value for name, value in options.items() if name in RunConfig.model_fields}
    )


def _run(
    orders: Any,
    out: Path,
    config: Any,
    quiet: bool,
    as_json: bool,
    to: str | None = None,
    table: str = "",
) -> None:
    from lifestage.jobs.run import run as run_corridor

    with progress(quiet or as_json) as step:
        summary = run_corridor(orders, out, config, step=step, to=to, to_table=table)
    if as_json:
        typer.echo(json.dumps(summary, indent=1, ensure_ascii=False))
    elif not quiet:
        print_summary(summary, out)


def demo(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder to write into; others cannot read a new one."),
    ] = Path("lifestage-demo"),
    lang: Lang = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Run everything on the CDNOW data that ships with the package.

    [dim]lifestage demo --out demo && open demo/report.html[/dim]
    """
    with sentences(debug):
        from lifestage.data.datasets import cdnow

        _run(cdnow(), out, _settings(None, {"lang": lang, **DEMO}), quiet, as_json)


def run(
    orders: Orders,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder to write into; others cannot read a new one."),
    ],
    to: To = None,
    to_table: ToTable = "customers",
    customer: Customer = None,
    time: Time = None,
    amount: Amount = None,
    quantity: Quantity = None,
    order: Order = None,
    channel: Channel = None,
    table: Table = None,
    query: Query = None,
    until: Until = None,
    earliest: Earliest = None,
    tz: Tz = None,
    period: PeriodName = None,
    horizon: Horizon = None,
    purchases: Purchases = None,
    method: Method = None,
    draws: Draws = None,
    seed: Seed = None,
    backtest: Backtest = None,
    discount_rate: Discount = None,
    margin: Margin = None,
    level: Level = None,
    cac: Cac = None,
    currency: Currency = None,
    lang: Lang = None,
    playbook: Playbook = None,
    memory_limit: Memory = None,
    temp_directory: Temp = None,
    threads: Threads = None,
    config: Config = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Read orders, fit, predict, assign stages and write the report.

    [dim]lifestage run orders.csv --customer id --time date --amount price --quantity pieces --out result[/dim]
    """
    given = locals()
    with sentences(debug):
        settings = _settings(config, given)
        _run(orders, out, settings, quiet, as_json, to, to_table)


def fit(
    orders: Orders,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the model into.")],
    customer: Customer = None,
    time: Time = None,
    amount: Amount = None,
    quantity: Quantity = None,
    table: Table = None,
    query: Query = None,
    until: Until = None,
    earliest: Earliest = None,
    tz: Tz = None,
    period: PeriodName = None,
    purchases: Purchases = None,
    method: Method = None,
    draws: Draws = None,
    seed: Seed = None,
    memory_limit: Memory = None,
    temp_directory: Temp = None,
    threads: Threads = None,
    config: Config = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Fit a model to orders and save it.

    [dim]lifestage fit orders.parquet --customer id --time date --amount price --out model[/dim]
    """
    given = locals()
    with sentences(debug):
        from lifestage.jobs.run import fit_orders, summarize_orders

        settings = _settings(config, given)
        with progress(quiet or as_json) as step:
            step("Reading orders")
            customers = summarize_orders(orders, settings)
            step("Fitting the models")
            model = fit_orders(customers, settings)
            model.save(out)
        if as_json:
            typer.echo(model.params.to_json(orient="records", indent=1))
        elif not quiet:
            typer.echo(model.params.to_string(index=False, float_format="%.6g"))
            typer.echo(model.status)


def predict(
    orders: Orders,
    model: Annotated[Path, typer.Option("--model", "-m", help="Folder of a saved model.")],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            help="Parquet, CSV or .duckdb file (for you alone if new), or postgresql://host/db.",
        ),
    ],
    to_table: ToTable = "customers",
    customer: Customer = None,
    time: Time = None,
    amount: Amount = None,
    quantity: Quantity = None,
    channel: Channel = None,
    table: Table = None,
    query: Query = None,
    until: Until = None,
    earliest: Earliest = None,
    tz: Tz = None,
    horizon: Horizon = None,
    discount_rate: Discount = None,
    margin: Margin = None,
    level: Level = None,
    playbook: Playbook = None,
    memory_limit: Memory = None,
    temp_directory: Temp = None,
    threads: Threads = None,
    config: Config = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Score and stage the customers of an order log with a saved model.

    [dim]lifestage predict orders.parquet --model model --customer id --amount price --out scored.parquet[/dim]
    """
    given = locals()
    with sentences(debug):
        from lifestage.data.sources.write import check_target, write_table
        from lifestage.jobs.run import score, summarize_orders
        from lifestage.model import load

        check_target(out)
        fitted = load(model)
        settings = _settings(config, {**given, "period": fitted.period})
        with progress(quiet) as step:
            step("Reading orders")
            customers = summarize_orders(orders, settings)
            step("Predicting customers")
            write_table(score(fitted, customers, settings), out, to_table)
        if not quiet:
            typer.echo(f"{customers.customers:,} customers written to {out}")


def report(
    customers: Annotated[
        Path, typer.Argument(help="Staged customers (Parquet), as run and predict write them.")
    ],
    model: Annotated[
        Path, typer.Option("--model", "-m", help="Folder of the model that scored them.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="HTML file to write; others cannot read a new one.")
    ],
    cac: Cac = None,
    currency: Currency = None,
    lang: Lang = None,
    playbook: Playbook = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the report of customers that were staged before.

    [dim]lifestage report result/customers.parquet --model result/model --lang zh-Hant --out report.html[/dim]
    """
    given = locals()
    with sentences(debug):
        from lifestage.data.sources.files import read_orders
        from lifestage.model import load
        from lifestage.report import write_report

        settings = _settings(None, given)
        with progress(quiet) as step:
            step("Writing the report")
            write_report(
                read_orders(str(customers)), load(model), out, lang=settings.lang, currency=settings.currency,
                cac=settings.cac, playbook=settings.playbook,
            )  # fmt: skip
        if not quiet:
            typer.echo(f"Written to {out}")
