"""``lifestage lifecycle randomize``, ``sample-size``, ``analyze-experiment``: controlled tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lifestage.cli.lifecycle import lifecycle
from lifestage.cli.options import Customers, Debug, Out, TableLevel, TableSeed
from lifestage.cli.tables import answer, read_pandas, read_table

__all__ = ["analyze_experiment", "randomize", "sample_size"]

Share = Annotated[
    float, typer.Option("--share", help="Share of customers assigned to treatment, in (0, 1).")
]


@lifecycle.command()
def randomize(
    customers: Customers,
    share: Share = 0.5,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", help="Only this activity stage; repeat it.")
    ] = None,
    seed: TableSeed = 0,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Assign customers at random to treatment and control, stratified by stage and value.

    [dim]lifestage lifecycle randomize result/customers.parquet --seed 7 --out test.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import randomize as assign_groups

        return assign_groups(read_table(customers, stage), share=share, seed=seed)

    answer(make, out, debug)


@lifecycle.command()
def sample_size(
    customers: Customers,
    uplift: Annotated[
        float,
        typer.Option("--uplift", help="Relative uplift to detect; 0.1 is 10 % more buyers."),
    ],
    power: Annotated[
        float, typer.Option("--power", help="Probability of detecting it if it is there.")
    ] = 0.8,
    share: Share = 0.5,
    outcome: Annotated[
        str, typer.Option("--outcome", help="Column with the probability of a purchase.")
    ] = "p_window",
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Compute how many customers of each stage a test needs.

    [dim]lifestage lifecycle sample-size result/customers.parquet --uplift 0.2[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import sample_size as required_sizes

        table = read_table(customers)
        return required_sizes(table, uplift, power=power, share=share, outcome=outcome)

    answer(make, out, debug)


@lifecycle.command()
def analyze_experiment(
    assigned: Annotated[Path, typer.Argument(help="The groups, as written by randomize.")],
    outcome: Annotated[
        Path, typer.Argument(help="CSV or Parquet: customer_id and the measures since the test.")
    ],
    measure: Annotated[
        list[str] | None,
        typer.Option("--measure", help="Column to compare; repeat it. purchases if none."),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", help="Column of the groups file to break results down by.")
    ] = "activity_stage",
    level: TableLevel = 0.9,
    out: Out = None,
    debug: Debug = False,
) -> None:
    """Estimate the effect of a finished test, in total and by stage; needs a control group.

    [dim]lifestage lifecycle analyze-experiment test.parquet purchases-since.parquet[/dim]
    """

    def make() -> Any:
        from lifestage.lifecycle import analyze_experiment as estimate_effects

        groups, results = read_pandas(assigned), read_pandas(outcome)
        measures = tuple(measure or ("purchases",))
        # the columns of a CSV file are all text
        kinds = {"customer_id": groups["customer_id"].dtype} | dict.fromkeys(measures, float)
        present = {name: kind for name, kind in kinds.items() if name in results}
        results = results.astype(present)
        return estimate_effects(groups, results, measures=measures, by=by, level=level)

    answer(make, out, debug)
