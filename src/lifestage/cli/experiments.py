"""``lifestage lifecycle experiment``, ``sample-size`` and ``readout``: a test with a control group."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.lifecycle import lifecycle
from lifestage.cli.options import Customers, Debug, Out, TableLevel, TableSeed
from lifestage.cli.tables import answer, read_pandas, read_table

__all__ = ["experiment", "readout", "sample_size"]


@lifecycle.command()
def experiment(
    customers: Customers,
    share: Annotated[
        float, typer.Option("--share", help="Of the customers, who get the action.")
    ] = 0.5,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", help="Only these stages of the line.")
    ] = None,
    seed: TableSeed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Draw a treatment and a control group by lot, in equal shares of every stage and level of value.

    [dim]lifestage lifecycle experiment result/customers.parquet --stage drowsy --seed 7 --out test.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import randomize

        return randomize(read_table(customers, stage), share=share, seed=seed)

    answer(make, out, debug)


@lifecycle.command(name="sample-size")
def sample_size(
    customers: Customers,
    uplift: Annotated[
        float, typer.Option("--uplift", help="To be seen, relative: 0.1 is a tenth more buyers.")
    ],
    power: Annotated[float, typer.Option("--power", help="Chance to see it if it is there.")] = 0.8,
    share: Annotated[
        float, typer.Option("--share", help="Of the customers, who get the action.")
    ] = 0.5,
    outcome: Annotated[
        str, typer.Option("--outcome", help="Column of the chance to buy.")
    ] = "p_window",
    out: Out = None,
    debug: Debug = False,
) -> None:
    """How many customers of each stage a test needs.

    [dim]lifestage lifecycle sample-size result/customers.parquet --uplift 0.2[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import sample_size as needed

        return needed(read_table(customers), uplift, power=power, share=share, outcome=outcome)

    answer(make, out, debug)


@lifecycle.command()
def readout(
    assigned: Annotated[Path, typer.Argument(help="What experiment wrote.")],
    outcome: Annotated[
        Path, typer.Argument(help="CSV or Parquet: customer_id and the measures since.")
    ],
    measure: Annotated[
        list[str] | None, typer.Option("--measure", help="Column to compare; purchases.")
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="Column of the assignment to read by.")
    ] = "activity_stage",
    level: TableLevel = 0.9,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """What a finished test has changed, in total and by stage; refused without a control group.

    [dim]lifestage lifecycle readout test.parquet purchases-since.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import analyze_experiment

        test, since, measures = (
            read_pandas(assigned),
            read_pandas(outcome),
            tuple(measure or ("purchases",)),
        )
        kinds = {"customer_id": test["customer_id"].dtype, **dict.fromkeys(measures, float)}
        since = since.astype(
            {name: kind for name, kind in kinds.items() if name in since}
        )  # a CSV is all text
        return analyze_experiment(test, since, measures=measures, by=by, level=level)

    answer(make, out, debug)
