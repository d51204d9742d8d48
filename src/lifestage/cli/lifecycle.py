"""``lifestage lifecycle …``: what happens next, what it is worth and what to do, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.options import (
    By,
    Customers,
    Debug,
    Model,
    Out,
    Settings,
    TableHorizon,
    TableLevel,
    TableMargin,
    TableOrders,
    TableSeed,
)
from lifestage.cli.tables import answer, read_pandas, read_table

__all__ = ["lifecycle"]

lifecycle = typer.Typer(
    name="lifecycle",
    help="What happens next, what it is worth and what to do: tables from the customers of a run.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@lifecycle.command()
def forecast(
    customers: Customers,
    model: Model,
    horizon: TableHorizon = 52,
    points: Annotated[int, typer.Option("--points", help="Points in time over the horizon.")] = 4,
    scenarios: Annotated[int, typer.Option("--scenarios", help="Futures to simulate.")] = 200,
    transitions: Annotated[
        bool, typer.Option("--transitions", help="Who moves where, in place of counts.")
    ] = False,
    level: TableLevel = 0.9,
    seed: TableSeed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Customers and revenue of every stage over the horizon, with intervals.

    [dim]lifestage lifecycle forecast result/customers.parquet --model result/model --horizon 26[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import stage_forecast
        from lifestage.model import load

        found = stage_forecast(
            load(model),
            read_table(customers),
            horizon=horizon,
            points=points,
            scenarios=scenarios,
            level=level,
            seed=seed,
        )
        return found.transitions if transitions else found.stages

    answer(make, out, debug)


@lifecycle.command()
def silence(customers: Customers, model: Model, out: Out = None, debug: Debug = False) -> None:
    """The dates on which each customer becomes drowsy, half asleep and asleep if nothing more is bought.

    [dim]lifestage lifecycle silence result/customers.parquet --model result/model --out dates.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import stage_entry_dates
        from lifestage.model import load

        return stage_entry_dates(load(model), read_table(customers))

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
        bool, typer.Option("--customers", help="List who moved, in place of counts.")
    ] = False,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Who went from which stage to which between two runs.

    [dim]lifestage lifecycle migration last/customers.parquet this/customers.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import moved_customers, stage_migration

        first, second = (read_pandas(path, ["customer_id", column]) for path in (before, after))
        return (moved_customers if customers else stage_migration)(first, second, column=column)

    answer(make, out, debug)


@lifecycle.command()
def groups(
    customers: Customers,
    model: Model,
    by: By = "cohort",
    horizon: TableHorizon = 52,
    margin: TableMargin = 1.0,
    quantile: Annotated[
        float, typer.Option("--quantile", help="Of the worth of a group; .1 is careful.")
    ] = 0.1,
    cac: Annotated[
        float | None, typer.Option("--cac", help="Cost of acquiring a customer, money.")
    ] = None,
    level: TableLevel = 0.9,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """What a customer of each channel or cohort is worth, and the most that one may cost.

    [dim]lifestage lifecycle groups result/customers.parquet --model result/model --by channel --margin 0.3[/dim]
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
    cost: Annotated[float, typer.Option("--cost", help="Of one contact, money.")],
    uplift: Annotated[
        float, typer.Option("--uplift", help="ASSUMED share won of those who would not buy.")
    ],
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Whom to contact under a budget: the greatest expected net gain first.

    [dim]lifestage lifecycle budget result/customers.parquet --budget 500 --cost 1.2 --uplift 0.05 --out list.csv[/dim]
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
    """Why the LTV of the base has changed between two runs, in steps that add up.

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
            buyers = table.loc[
                table["frequency"].notna(), [name for name in SUMMARY_COLUMNS if name in table]
            ]
            return model, Summary.from_frame(
                buyers, period=model.period, until=data.until, stage_window=data.stage_window
            )

        return ltv_change(*opened(before), *opened(after), horizon=horizon, margin=margin)

    answer(make, out, debug)


@lifecycle.command()
def schedule(
    orders: TableOrders,
    config: Settings = None,
    day: Annotated[
        list[float] | None, typer.Option("--day", help="Days after a purchase; 3, 7, 15.")
    ] = None,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """The share of buyers who are back by some days after a purchase, observed and by the model.

    [dim]lifestage lifecycle schedule orders.csv --config shop.toml --day 7 --day 30[/dim]
    """

    def make() -> Any:
        from lifestage.jobs.config import read_config
        from lifestage.jobs.run import fit_orders, summarize_orders
        from lifestage.lifecycle import repurchase_curve

        settings = read_config(config, {})
        customers = summarize_orders(orders, settings)
        return repurchase_curve(customers, fit_orders(customers, settings), days=day or (3, 7, 15))

    answer(make, out, debug)


@lifecycle.command()
def thresholds(
    orders: TableOrders,
    config: Settings = None,
    splits: Annotated[int, typer.Option("--splits", help="Days to cut the log at.")] = 3,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Bands of R that fit the base, beside the current ones; nothing is applied.

    [dim]lifestage lifecycle thresholds orders.csv --config shop.toml[/dim]
    """

    def make() -> Any:
        from lifestage.data.sources.files import read_orders
        from lifestage.jobs.config import read_config
        from lifestage.lifecycle import suggest_thresholds

        known = read_config(config, {})
        names = (
            "customer",
            "time",
            "amount",
            "quantity",
            "earliest",
            "period",
            "tz",
            "stage_window",
            "max_dropped",
        )
        columns = {name: getattr(known, name) for name in names}
        log = read_orders(orders, table=known.table, query=known.query)
        return suggest_thresholds(log, splits=splits, purchases=known.purchases, **columns).table

    answer(make, out, debug)
