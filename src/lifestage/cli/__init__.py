"""The command line: ``lifestage --help`` teaches it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lifestage.cli import experiments  # noqa: F401 - adds its commands
from lifestage.cli.console import RootGroup, terminable
from lifestage.cli.corridor import demo, fit, predict, report, run
from lifestage.cli.evaluate import backtest, drift
from lifestage.cli.lifecycle import lifecycle
from lifestage.cli.models import models, retrain

__all__ = ["app", "main"]

app = typer.Typer(
    cls=RootGroup,
    name="lifestage",
    help=(
        "Predictive customer lifetime value: from an order log to LTV with intervals, life-cycle"
        " stages and a report."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)

for command in (demo, run, fit, predict, report, backtest, drift, retrain):
    app.command()(command)
app.add_typer(lifecycle)
app.add_typer(models)


def _version(show: bool) -> None:
    if show:
        from lifestage import __version__

        typer.echo(f"lifestage {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the console script."""
    with terminable():
        sys.exit(app())
