"""``lifestage lifecycle …``: forecasts, value and campaigns, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.evaluate import LOG_SETTINGS
from lifestage.cli.options import (
    By,
    Config,
    Customers,
    Debug,
    Model,
    Orders,
    Out,
    TableHorizon,
    TableLevel,
    TableMargin,
    TableSeed,
)
from lifestage.cli.tables import answer, read_pandas, read_table

__all__ = ["lifecycle"]

lifecycle = typer.Typer(
    name="lifecycle",
    help="Forecasts, value and campaigns: tables from the customers of a run.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@lifecycle.command()
def forecast(
    customers: Customers,
    model: Model,
    horizon: TableHorizon = 52,
    points: Annotated[int, typer.Option("--points", help="Points in time over the horizon.")] = 4,
    scenarios: Annotated[int, typer.Option("--scenarios", help="Number of simulations.")] = 200,
    transitions: Annotated[
        bool, typer.Option("--transitions", help="Transitions between stages in place of counts.")
    ] = False,
    level: TableLevel = 0.9,
    seed: TableSeed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Forecast customers and revenue of every stage over the horizon, with intervals.

    [dim]lifestage lifecycle forecast result/customers.parquet -m result/model --horizon 26[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import stage_forecast
        from lifestage.model import load

        forecast = stage_forecast(
            load(model),
            read_table(customers),
            horizon=horizon,
            points=points,
            scenarios=scenarios,
            level=level,
            seed=seed,
        )
        return forecast.transitions if transitions else forecast.stages

    answer(make, out, debug)


@lifecycle.command()
def stage_entry_dates(
    customers: Customers, model: Model, out: Out = None, debug: Debug = False
) -> None:
    """List the dates on which each customer becomes drowsy, half asleep and asleep.

    [dim]lifestage lifecycle stage-entry-dates result/customers.parquet --model result/model[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import stage_entry_dates as entry_dates
        from lifestage.model import load

        return entry_dates(load(model), read_table(customers))

    answer(make, out, debug)


@lifecycle.command()
def migration(
    before: Annotated[Path, typer.Argument(help="Staged customers (Parquet) of the earlier run.")],
    after: Annotated[Path, typer.Argument(help="Those of the later run.")],
    column: Annotated[
        str,
        typer.Option("--column", help="activity_stage, lifecycle_phase, value_segment or tier."),
    ] = "activity_stage",
    customers: Annotated[
        bool, typer.Option("--customers", help="List the customers who moved in place of counts.")
    ] = False,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Count customers by their stages in two runs: who moved from which to which.

    [dim]lifestage lifecycle migration last/customers.parquet this/customers.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import moved_customers, stage_migration

        columns = ["customer_id", column]
        first, second = read_pandas(before, columns), read_pandas(after, columns)
        table_of = moved_customers if customers else stage_migration
        return table_of(first, second, column=column)

    answer(make, out, debug)


@lifecycle.command()
def groups(
    customers: Customers,
    model: Model,
    by: By = "cohort",
    horizon: TableHorizon = 52,
    margin: TableMargin = 1.0,
    quantile: Annotated[
        float, typer.Option("--quantile", help="Quantile of a group's mean value; 0.1 is cautious.")
    ] = 0.1,
    cac: Annotated[
        float | None, typer.Option("--cac", help="Cost of acquiring a customer, money.")
    ] = None,
    level: TableLevel = 0.9,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Show value per customer of each channel or cohort, and what acquiring one may cost.

    [dim]lifestage lifecycle groups result/customers.parquet --model result/model --by channel[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import acquisition_limits
        from lifestage.model import load

        return acquisition_limits(
            load(model),
            read_table(customers),
            by,
            quantile=quantile,
            cac=cac,
            horizon=horizon,
            margin=margin,
            level=level,
        )

    answer(make, out, debug)


@lifecycle.command()
def budget(
    customers: Customers,
    amount: Annotated[float, typer.Option("--budget", help="Money to spend.")],
    cost: Annotated[float, typer.Option("--cost", help="Cost of one contact, money.")],
    uplift: Annotated[
        float,
        typer.Option("--uplift", help="ASSUMED share of non-buyers who would buy if contacted."),
    ],
    out: Out = None,
    debug: Debug = False,
) -> None:
    """List customers to contact within a budget, greatest expected net gain first.

    [dim]lifestage lifecycle budget result/customers.parquet --budget 99 --cost 1 --uplift .05[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import allocate_budget

        return allocate_budget(read_table(customers), amount, cost, uplift)

    answer(make, out, debug)


@lifecycle.command()
def change(
    before: Annotated[Path, typer.Argument(help="Folder of the earlier run.")],
    after: Annotated[Path, typer.Argument(help="Folder of the later run.")],
    horizon: TableHorizon = 52,
    margin: TableMargin = 1.0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Explain the change of the LTV of the base between two runs, in steps that add up.

    [dim]lifestage lifecycle change last-month this-month[/dim]
    """

    def make() -> Any:
        from lifestage.core.names import SUMMARY_COLUMNS
        from lifestage.data.customers.summary import Summary
        from lifestage.lifecycle import ltv_change
        from lifestage.model import load

        def opened(folder: Path) -> tuple[Any, Any]:
            model = load(folder / "model")
            table, data = read_pandas(folder / "customers.parquet"), model.data
            columns = [name for name in SUMMARY_COLUMNS if name in table]
            buyers = table.loc[table["frequency"].notna(), columns]
            customers = Summary.from_frame(
                buyers, period=model.period, until=data.until, stage_window=data.stage_window
            )
            return model, customers

        return ltv_change(*opened(before), *opened(after), horizon=horizon, margin=margin)

    answer(make, out, debug)


@lifecycle.command()
def repurchase_curve(
    orders: Orders,
    config: Config = None,
    day: Annotated[
        list[float] | None,
        typer.Option("--day", help="Days after a purchase; repeat it. 3, 7 and 15 if none."),
    ] = None,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Show how many buy again within some days of a purchase, observed and predicted.

    [dim]lifestage lifecycle repurchase-curve orders.csv --config shop.toml --day 7 --day 30[/dim]
    """

    def make() -> Any:
        from lifestage.jobs.config import read_config
        from lifestage.jobs.run import fit_orders, summarize_orders
        from lifestage.lifecycle import repurchase_curve as curve

        settings = read_config(config, {})
        customers = summarize_orders(orders, settings)
        return curve(customers, fit_orders(customers, settings), days=day or (3, 7, 15))

    answer(make, out, debug)


@lifecycle.command()
def thresholds(
    orders: Orders,
    config: Config = None,
    splits: Annotated[
        int, typer.Option("--splits", help="Number of past days to split the log at.")
    ] = 3,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Suggest stage thresholds for these customers beside the current ones; nothing is changed.

    [dim]lifestage lifecycle thresholds orders.csv --config shop.toml[/dim]
    """

    def make() -> Any:
        from lifestage.data.sources.files import read_orders
        from lifestage.jobs.config import read_config
        from lifestage.lifecycle import suggest_thresholds

        settings = read_config(config, {})
        names = (*LOG_SETTINGS, "period", "stage_window")
        options = {name: getattr(settings, name) for name in names}
        log = read_orders(orders, table=settings.table, query=settings.query)
        suggested = suggest_thresholds(log, splits=splits, purchases=settings.purchases, **options)
        return suggested.table

    answer(make, out, debug)
