"""Commands of the corridor: demo, run, fit, predict, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.console import progress, sentences
from lifestage.cli.options import (
    CLEANING,
    COLUMNS,
    ENGINE,
    MODEL,
    REPORT,
    RUN,
    SOURCE,
    TERMS,
    AsJson,
    Config,
    Customers,
    Debug,
    Model,
    Orders,
    OutFolder,
    Overrides,
    Quiet,
    To,
    ToTable,
    takes,
)
from lifestage.cli.run_summary import print_summary

__all__ = ["demo", "fit", "predict", "report", "run"]

DEMO = {"until": "1997-09-30", "period": "week", "currency": "$", "title": "CDNOW, 1/10 sample"}


def _show(summary: dict[str, Any], out: Path, quiet: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(summary, indent=1, ensure_ascii=False))
    elif not quiet:
        print_summary(summary, out)


@takes({"lang": REPORT["lang"]})
def demo(
    overrides: Overrides,
    out: OutFolder = Path("lifestage-demo"),
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Run everything on the CDNOW data that ships with the package.

    [dim]lifestage demo --out demo && open demo/report.html[/dim]
    """
    with sentences(debug):
        from lifestage.data.datasets import cdnow
        from lifestage.jobs.config import read_config
        from lifestage.jobs.run import run as run_corridor

        settings = read_config(None, {**overrides, **DEMO})
        with progress(quiet or as_json) as step:
            summary = run_corridor(cdnow(), out, settings, step=step)
        _show(summary, out, quiet, as_json)


@takes(RUN)
def run(
    orders: Orders,
    out: OutFolder,
    overrides: Overrides,
    to: To = None,
    to_table: ToTable = "customers",
    config: Config = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Read orders, fit, predict, assign stages and write the report.

    [dim]lifestage run orders.csv --customer id --time date --amount price --out result[/dim]
    """
    with sentences(debug):
        from lifestage.jobs.config import read_config
        from lifestage.jobs.run import run as run_corridor

        settings = read_config(config, overrides)
        with progress(quiet or as_json) as step:
            summary = run_corridor(orders, out, settings, step=step, to=to, to_table=to_table)
        _show(summary, out, quiet, as_json)


@takes(COLUMNS | SOURCE | CLEANING | ENGINE | MODEL)
def fit(
    orders: Orders,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the model into.")],
    overrides: Overrides,
    config: Config = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Fit a model to orders and save it.

    [dim]lifestage fit orders.parquet --customer id --time date --amount price --out model[/dim]
    """
    with sentences(debug):
        from lifestage.jobs.config import read_config
        from lifestage.jobs.run import fit_orders, summarize_orders

        settings = read_config(config, overrides)
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


ScoresOut = Annotated[
    str,
    typer.Option(
        "--out",
        "-o",
        help="Parquet, CSV or .duckdb file (for you alone if new), or postgresql://host/db.",
    ),
]


@takes(
    COLUMNS
    | {"channel": RUN["channel"]}
    | SOURCE
    | CLEANING
    | ENGINE
    | TERMS
    | {"playbook": REPORT["playbook"]}
)
def predict(
    orders: Orders,
    model: Annotated[Path, typer.Option("--model", "-m", help="Folder of a saved model.")],
    out: ScoresOut,
    overrides: Overrides,
    to_table: ToTable = "customers",
    config: Config = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Score and stage the customers of an order log with a saved model.

    [dim]lifestage predict orders.parquet --model model --customer id --out scored.parquet[/dim]
    """
    with sentences(debug):
        from lifestage.data.sources.write import check_target, write_table
        from lifestage.jobs.config import read_config
        from lifestage.jobs.run import score, summarize_orders
        from lifestage.model import load

        check_target(out)
        fitted = load(model)
        settings = read_config(config, {**overrides, "period": fitted.period})
        with progress(quiet) as step:
            step("Reading orders")
            customers = summarize_orders(orders, settings)
            step("Predicting customers")
            write_table(score(fitted, customers, settings), out, to_table)
        if not quiet:
            typer.echo(f"{customers.customers:,} customers written to {out}")


@takes(REPORT)
def report(
    customers: Customers,
    model: Model,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="HTML file; a new one is readable by you alone.")
    ],
    overrides: Overrides,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the report of staged customers.

    [dim]lifestage report result/customers.parquet --model result/model --out report.html[/dim]
    """
    with sentences(debug):
        from lifestage.data.sources.files import read_orders
        from lifestage.jobs.config import read_config
        from lifestage.model import load
        from lifestage.report import write_report

        settings = read_config(None, overrides)
        with progress(quiet) as step:
            step("Writing the report")
            write_report(
                read_orders(str(customers)),
                load(model),
                out,
                lang=settings.lang,
                currency=settings.currency,
                cac=settings.cac,
                playbook=settings.playbook,
            )
        if not quiet:
            typer.echo(f"Written to {out}")
