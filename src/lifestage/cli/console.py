"""What the command line says: progress, the final table, and errors in one sentence."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from lifestage.core.addresses import refuse_password_options
from lifestage.core.errors import LifestageError
from lifestage.core.steps import quietly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Door", "print_summary", "progress", "sentences", "terminable"]


@contextmanager
def terminable() -> Iterator[None]:
    """Clean up before the process ends by a request of the system, as it does by Ctrl-C; the exit code is 128 + signal.

    A signal that interrupts an engine comes back as an error of that engine: the exit code tells
    what it was.
    """
    received: list[int] = []

    def stop(number: int, _: object) -> None:
        received.append(number)
        raise SystemExit(128 + number)

    numbers = [
        getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")
    ]  # the second: a terminal was closed
    caught = [
        each for each in numbers if each is not None and signal.getsignal(each) == signal.SIG_DFL
    ]
    for number in caught:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, signal.SIG_DFL)
        if received:
            raise SystemExit(128 + received[0]) from None


@contextmanager
def sentences(debug: bool) -> Iterator[None]:
    """Turn an error into one sentence on standard error and exit code 1; *debug* shows where it arose."""
    try:
        yield
    except LifestageError as error:
        if debug:
            raise
        typer.secho(f"Error: {error}", err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from None
    except OSError as error:
        if debug:
            raise
        typer.secho(
            f"Error: {error.strerror or error}: {error.filename}", err=True, fg=typer.colors.RED
        )
        raise typer.Exit(1) from None


@contextmanager
def progress(silent: bool) -> Iterator[Callable[[str], None]]:
    """Show the step under way on standard error, when someone is there to see it."""
    from rich.console import Console

    console = Console(stderr=True, quiet=silent)
    with quietly(), console.status("Starting") as status:

        def step(name: str) -> None:
            status.update(f"{name} …")
            if not console.is_terminal and not silent:
                console.print(f"{name} …")

        yield step


def print_summary(summary: dict[str, Any], out: Path) -> None:
    """The final table: what was read, how the fit went, what is expected, and where the files are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from lifestage.report.words.translator import voice

    console, say = Console(), voice("en", summary.get("currency") or "")
    quality, data, totals, terms = (
        summary["quality"],
        summary["data"],
        summary["totals"],
        summary["terms"],
    )

    def money(value: float | None) -> str:
        return escape(say.money(value))

    def interval(name: str, show: Callable[[float], str]) -> str:
        low, high = summary["intervals"][name]
        return (
            f"{show(totals[name])}   [dim]{say.percent(terms['level'])} interval {show(low)} –"
            f" {show(high)}[/dim]"
        )

    table = Table(show_header=False, box=None, pad_edge=False)
    if quality:
        dropped = sum(quality["dropped"].values())
        read, used = quality["rows_read"], quality["rows_used"]
        table.add_row(
            "Order lines",
            f"{say.integer(read)} read, {say.integer(used)} used, {say.integer(dropped)} dropped",
        )
        for reason, count in sorted(quality["dropped"].items(), key=lambda item: -item[1]):
            table.add_row("", f"[dim]{say.integer(count)} {reason.replace('_', ' ')}[/dim]")
    repeaters = f"{say.integer(data['repeaters'])} of them bought again"
    table.add_row(
        "Customers",
        f"{say.integer(data['customers'])}, {repeaters}, observed until {data['until']}",
    )
    horizon = f"in the next {say.periods(terms['horizon'], data['period'])}"
    table.add_row(f"Purchases {horizon}", interval("expected_purchases", say.integer))
    if totals.get("ltv") is not None:
        table.add_row(f"Revenue {horizon}", interval("expected_revenue", money))
        table.add_row("LTV (discounted margin)", interval("ltv", money))
    risk = summary["at_risk"]
    at_stake = (
        f", {money(risk['value_lost'])} at stake" if risk.get("value_lost") is not None else ""
    )
    table.add_row("At risk", f"{say.customers(risk['customers'])}{at_stake}")
    line = summary["stages"]["line"].items()
    table.add_row(
        "Stages",
        ", ".join(f"{key.replace('_', ' ')} {say.integer(count)}" for key, count in line if count),
    )
    realised = [row for row in summary["outlook"]["realised"] if row["taxonomy"] == "line"]
    if realised:
        shares = ", ".join(
            f"{row['stage'].replace('_', ' ')} {say.percent(row['repurchased'])}"
            for row in realised
        )
        table.add_row(f"Bought within {say.days(realised[0]['window_days'])} after", shares)
    test = (summary["trust"] or {}).get("backtest")
    if test:
        said = "; ".join(f"{escape(name)}: {grade}" for name, grade in test["grades"].items())
        ahead = f"Tested {say.periods(round(test['horizon']), data['period'])} ahead"
        table.add_row(ahead, f"{said} than the best forecast that needs no model")
    console.print(table)
    notes = [note["text"] for note in (quality or {}).get("notes", [])]
    for name, part in summary["fit"].items():
        if not part["converged"]:
            notes.append(f"The fit of {name} did not converge.")
        notes += [note["text"] for note in part["notes"]]
    for text in notes:
        console.print(f"[yellow]•[/yellow] {escape(text)}")
    files = "report.html, customers.parquet, stages.csv, summary.json, model/"
    console.print(f"Written to [bold]{escape(str(out))}[/bold]: {files}")


class Door(TyperGroup):
    """Refuses an address with a password before anything is done, or repeated in an error."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with sentences(debug=False):
            refuse_password_options(args)
        return super().parse_args(ctx, args)
