"""``lifestage backtest`` and ``drift``: forecasts put to the test on the past, and watched at work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.options import Debug, Out, Settings, TableLevel, TableOrders, TableSeed
from lifestage.cli.tables import answer

__all__ = ["backtest", "drift"]


COLUMNS = ("customer", "time", "amount", "quantity", "earliest", "tz", "max_dropped")
"""Settings of a run that say how the log is read."""

SIGNAL = 3
"""Exit code where a model has drifted."""


def backtest(
    orders: TableOrders,
    config: Settings = None,
    horizon: Annotated[
        float | None,
        typer.Option(
            "--horizon", help="How far to forecast, in periods; up to half a year if left out."
        ),
    ] = None,
    origins: Annotated[
        int | None,
        typer.Option("--origins", help="Days to stand at, a horizon apart; up to 3 if left out."),
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="These days (ISO dates) instead.")
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option("--family", help="bg/nbd, mbg/nbd, auto or stack; the first two if none."),
    ] = None,
    recalibrate: Annotated[
        bool, typer.Option("--recalibrate", help="Judge corrected chances too.")
    ] = False,
    customer: Annotated[
        str | None, typer.Option("--customer", "-c", help="Column of customer ids.")
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", "-t", help="Column of order dates or times.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", "-a", help="Column of money a line.")
    ] = None,
    quantity: Annotated[
        str | None, typer.Option("--quantity", help="Column that multiplies the amount.")
    ] = None,
    level: TableLevel = 0.9,
    seed: TableSeed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Stand at days of the past, forecast, compare with what came, and with forecasts that need no model.

    [dim]lifestage backtest orders.csv --customer id --time date --amount price --horizon 26[/dim]
    """
    given = {"customer": customer, "time": time, "amount": amount, "quantity": quantity}

    def make() -> Any:
        from lifestage.data.sources.files import read_orders
        from lifestage.evaluate import backtest as test
        from lifestage.jobs.config import read_config

        known = read_config(config, given)
        columns = {name: getattr(known, name) for name in (*COLUMNS, "period", "stage_window")}
        found = test(
            read_orders(orders, table=known.table, query=known.query),
            horizon=horizon,
            origins=origin or origins,
            families=family or ("bg/nbd", "mbg/nbd"),
            recalibrate=recalibrate,
            level=level,
            seed=seed,
            **columns,
        )
        typer.echo(str(found))
        return found.table

    answer(make, out, debug)


def drift(
    model: Annotated[Path, typer.Argument(help="Folder of the model.")],
    orders: TableOrders,
    config: Settings = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Last day to look at (ISO date).")
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", "-c", help="Column of customer ids.")
    ] = None,
    time: Annotated[
        str | None, typer.Option("--time", "-t", help="Column of order dates or times.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option("--amount", "-a", help="Column of money a line.")
    ] = None,
    quantity: Annotated[
        str | None, typer.Option("--quantity", help="Column that multiplies the amount.")
    ] = None,
    level: Annotated[
        float, typer.Option("--level", help="One minus the chance of a false alarm.")
    ] = 0.95,
    seed: TableSeed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Hold a model against what its customers did since; exit code 3 where it has drifted.

    [dim]lifestage drift result/model orders.csv --customer id --time date --amount price[/dim]
    """
    given = {"customer": customer, "time": time, "amount": amount, "quantity": quantity}
    signals: list[Any] = []

    def make() -> Any:
        from lifestage.data.sources.files import read_orders
        from lifestage.evaluate import drift as watch
        from lifestage.jobs.config import read_config
        from lifestage.model import load

        known = read_config(config, given)
        columns = {name: getattr(known, name) for name in COLUMNS}
        source = read_orders(orders, table=known.table, query=known.query)
        found = watch(load(model), source, until=until, level=level, seed=seed, **columns)
        signals.extend(found.signals)
        typer.echo(str(found))
        return found.table

    answer(make, out, debug)
    if signals:
        raise typer.Exit(SIGNAL)
