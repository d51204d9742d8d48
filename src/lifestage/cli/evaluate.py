"""``lifestage backtest`` and ``drift``: how good forecasts were, and whether they still are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.options import (
    COLUMNS,
    Config,
    Debug,
    Orders,
    Out,
    Overrides,
    TableLevel,
    TableSeed,
    Until,
    takes,
)
from lifestage.cli.tables import answer

__all__ = ["backtest", "drift"]

LOG_SETTINGS = ("customer", "time", "amount", "quantity", "earliest", "tz", "max_dropped")
"""Settings of a run that say how the log is read."""

DRIFTED = 3
"""Exit code where a model has drifted."""

Horizon = Annotated[
    float | None,
    typer.Option(
        "--horizon", help="Length of the forecasts, in periods; at most half a year by default."
    ),
]
Origins = Annotated[
    int | None,
    typer.Option("--origins", help="Number of origins, a horizon apart; at most 3 by default."),
]
Origin = Annotated[
    list[str] | None, typer.Option("--origin", help="Forecast from this day (ISO date); repeat it.")
]
Family = Annotated[
    list[str] | None,
    typer.Option(
        "--family", help="A family, auto or stack; repeat it. bg/nbd and mbg/nbd if none."
    ),
]
Recalibrate = Annotated[
    bool, typer.Option("--recalibrate", help="Also evaluate recalibrated probabilities.")
]
SignalLevel = Annotated[
    float, typer.Option("--level", help="1 − the probability of a false alarm.")
]


@takes(COLUMNS)
def backtest(
    orders: Orders,
    overrides: Overrides,
    config: Config = None,
    horizon: Horizon = None,
    origins: Origins = None,
    origin: Origin = None,
    family: Family = None,
    recalibrate: Recalibrate = False,
    level: TableLevel = 0.9,
    seed: TableSeed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Forecast from past dates and compare with what customers did and with simple baselines.

    [dim]lifestage backtest orders.csv --customer id --time date --amount price --horizon 26[/dim]
    """

    def make() -> Any:
        from lifestage.data.sources.files import read_orders
        from lifestage.evaluate import backtest as run_backtest
        from lifestage.jobs.config import read_config

        settings = read_config(config, overrides)
        names = (*LOG_SETTINGS, "period", "stage_window")
        result = run_backtest(
            read_orders(orders, table=settings.table, query=settings.query),
            horizon=horizon,
            origins=origin or origins,
            families=family or ("bg/nbd", "mbg/nbd"),
            recalibrate=recalibrate,
            level=level,
            seed=seed,
            **{name: getattr(settings, name) for name in names},
        )
        typer.echo(str(result))
        return result.table

    answer(make, out, debug)


@takes(COLUMNS)
def drift(
    model: Annotated[Path, typer.Argument(help="Folder of the model.")],
    orders: Orders,
    overrides: Overrides,
    config: Config = None,
    until: Until = None,
    level: SignalLevel = 0.95,
    seed: TableSeed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Compare a model's forecasts with what its customers did since; exit code 3 if it drifted.

    [dim]lifestage drift result/model orders.csv --customer id --time date --amount price[/dim]
    """
    signals: list[Any] = []

    def make() -> Any:
        from lifestage.data.sources.files import read_orders
        from lifestage.evaluate import drift as measure_drift
        from lifestage.jobs.config import read_config
        from lifestage.model import load

        settings = read_config(config, overrides)
        log = {name: getattr(settings, name) for name in LOG_SETTINGS}
        source = read_orders(orders, table=settings.table, query=settings.query)
        result = measure_drift(load(model), source, until=until, level=level, seed=seed, **log)
        signals.extend(result.signals)
        typer.echo(str(result))
        return result.table

    answer(make, out, debug)
    if signals:
        raise typer.Exit(DRIFTED)
