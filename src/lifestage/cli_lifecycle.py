"""``lifestage lifecycle …``: what happens next, what it is worth and what to do, as tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.console import sentences

__all__ = ["lifecycle"]

lifecycle = typer.Typer(
    name="lifecycle",
    help="What happens next, what it is worth and what to do: tables from the customers of a run.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Customers = Annotated[Path, typer.Argument(help="Staged customers (Parquet), as run and predict write them.")]
Model = Annotated[Path, typer.Option("--model", "-m", help="Folder of the model that scored them.")]
Out = Annotated[str | None, typer.Option("--out", "-o", help="CSV, Parquet or .duckdb file; printed if left out.")]
By = Annotated[str, typer.Option("--by", help="Column to group by; cohort is the month of the first purchase.")]
Horizon = Annotated[float, typer.Option("--horizon", help="How far to look, in periods of the model.")]
Level = Annotated[float, typer.Option("--level", help="Coverage of the intervals, in (0, 1).")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the lot.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

SHOWN = 60
"""Rows that are printed."""


@lifecycle.command()
def forecast(
    customers: Customers,
    model: Model,
    horizon: Horizon = 52,
    points: Annotated[int, typer.Option("--points", help="Points in time over the horizon.")] = 4,
    scenarios: Annotated[int, typer.Option("--scenarios", help="Futures to simulate.")] = 200,
    transitions: Annotated[bool, typer.Option("--transitions", help="Who moves where, in place of counts.")] = False,
    level: Level = 0.9,
    seed: Seed = 0,
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
            load(model), _read(customers), horizon=horizon, points=points, scenarios=scenarios, level=level, seed=seed
        )
        return found.transitions if transitions else found.stages

    _answer(make, out, debug)


@lifecycle.command()
def silence(customers: Customers, model: Model, out: Out = None, debug: Debug = False) -> None:
    """The dates on which each customer becomes drowsy, half asleep and asleep if nothing more is bought.

    [dim]lifestage lifecycle silence result/customers.parquet --model result/model --out dates.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import silent_dates
        from lifestage.model import load

        return silent_dates(load(model), _read(customers))

    _answer(make, out, debug)


@lifecycle.command()
def migration(
    before: Annotated[Path, typer.Argument(help="Staged customers (Parquet) of the earlier run.")],
    after: Annotated[Path, typer.Argument(help="Those of the later run.")],
    column: Annotated[str, typer.Option("--column", help="stage_line, stage_phase, stage_segment or tier.")] = (
        "stage_line"
    ),
    customers: Annotated[bool, typer.Option("--customers", help="List who moved, in place of counts.")] = False,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Who went from which stage to which between two runs.

    [dim]lifestage lifecycle migration last/customers.parquet this/customers.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import moved_customers, stage_migration

        first, second = (_pandas(path, ["customer_id", column]) for path in (before, after))
        return (moved_customers if customers else stage_migration)(first, second, column=column)

    _answer(make, out, debug)


@lifecycle.command()
def groups(
    customers: Customers,
    model: Model,
    by: By = "cohort",
    horizon: Horizon = 52,
    margin: Annotated[float, typer.Option("--margin", help="Share of spend that is profit, in (0, 1].")] = 1.0,
    quantile: Annotated[float, typer.Option("--quantile", help="Of the worth of a group; .1 is careful.")] = 0.1,
    cac: Annotated[float | None, typer.Option("--cac", help="Cost of acquiring a customer, money.")] = None,
    level: Level = 0.9,
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
            load(model), _read(customers), by, quantile=quantile, cac=cac, horizon=horizon, margin=margin, level=level
        )

    _answer(make, out, debug)


@lifecycle.command()
def budget(
    customers: Customers,
    amount: Annotated[float, typer.Option("--budget", help="Money to spend.")],
    cost: Annotated[float, typer.Option("--cost", help="Of one contact, money.")],
    uplift: Annotated[float, typer.Option("--uplift", help="ASSUMED share won of those who would not buy.")],
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Whom to contact under a budget: the greatest expected net gain first.

    [dim]lifestage lifecycle budget result/customers.parquet --budget 500 --cost 1.2 --uplift 0.05 --out list.csv[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import allocate_budget

        return allocate_budget(_read(customers), amount, cost, uplift)

    _answer(make, out, debug)


@lifecycle.command()
def experiment(
    customers: Customers,
    share: Annotated[float, typer.Option("--share", help="Of the customers, who get the action.")] = 0.5,
    stage: Annotated[list[str] | None, typer.Option("--stage", help="Only these stages of the line.")] = None,
    seed: Seed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Draw a treatment and a control group by lot, in equal shares of every stage and level of value.

    [dim]lifestage lifecycle experiment result/customers.parquet --stage drowsy --seed 7 --out test.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import assign_experiment

        return assign_experiment(_read(customers, stage), share=share, seed=seed)

    _answer(make, out, debug)


@lifecycle.command(name="sample-size")
def sample_size(
    customers: Customers,
    uplift: Annotated[float, typer.Option("--uplift", help="To be seen, relative: 0.1 is a tenth more buyers.")],
    power: Annotated[float, typer.Option("--power", help="Chance to see it if it is there.")] = 0.8,
    share: Annotated[float, typer.Option("--share", help="Of the customers, who get the action.")] = 0.5,
    outcome: Annotated[str, typer.Option("--outcome", help="Column of the chance to buy.")] = "p_window",
    out: Out = None,
    debug: Debug = False,
) -> None:
    """How many customers of each stage a test needs.

    [dim]lifestage lifecycle sample-size result/customers.parquet --uplift 0.2[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import sample_size as needed

        return needed(_read(customers), uplift, power=power, share=share, outcome=outcome)

    _answer(make, out, debug)


@lifecycle.command()
def readout(
    assigned: Annotated[Path, typer.Argument(help="What experiment wrote.")],
    outcome: Annotated[Path, typer.Argument(help="CSV or Parquet: customer_id and the measures since.")],
    measure: Annotated[list[str] | None, typer.Option("--measure", help="Column to compare; purchases.")] = None,
    by: Annotated[str, typer.Option("--by", help="Column of the assignment to read by.")] = "stage_line",
    level: Level = 0.9,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """What a finished test has changed, in total and by stage; refused without a control group.

    [dim]lifestage lifecycle readout test.parquet purchases-since.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import read_experiment

        test, since, measures = _pandas(assigned), _pandas(outcome), tuple(measure or ("purchases",))
        kinds = {"customer_id": test["customer_id"].dtype, **dict.fromkeys(measures, float)}
        since = since.astype({name: kind for name, kind in kinds.items() if name in since})  # a CSV is all text
        return read_experiment(test, since, measures=measures, by=by, level=level)

    _answer(make, out, debug)


def _read(path: Path, stages: list[str] | None = None) -> Any:
    from lifestage.data.sources import read_orders

    table = read_orders(str(path))
    if not stages:
        return table
    names = ", ".join("'" + stage.replace("'", "''") + "'" for stage in stages)
    return table.filter(f"stage_line in ({names})")


def _pandas(path: Path, columns: list[str] | None = None) -> Any:
    from lifestage.data.engine import lazy, to_pandas
    from lifestage.errors import DataError

    table = lazy(_read(path))[0]
    names = table.collect_schema().names()
    if missing := [name for name in columns or () if name not in names]:
        raise DataError(f"columns missing in {path}: {', '.join(missing)}; it has {', '.join(names)}")
    return to_pandas(table.select(*(columns or names)))


def _answer(make: Callable[[], Any], out: str | None, debug: bool) -> None:
    """Print a table, or write it where it was asked for."""
    with sentences(debug):
        from lifestage.data.engine import to_pandas
        from lifestage.pipeline import write_table

        table = make()
        if out is None:
            shown = to_pandas(table)
            typer.echo(shown.head(SHOWN).to_string(index=False, float_format="%.6g"))
            if len(shown) > SHOWN:
                typer.echo(f"… {len(shown):,} rows in all; --out writes them")
        else:
            write_table(table, out)
            typer.echo(f"Written to {out}")
