"""How the command line behaves: progress, errors in one sentence, signals, refused passwords."""

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

__all__ = ["RootGroup", "progress", "sentences", "terminable"]


@contextmanager
def terminable() -> Iterator[None]:
    """Clean up when the system asks the process to end, as Ctrl-C does; exit code 128 + signal.

    A signal that interrupts an engine comes back as an error of that engine, so the exit code is
    set from the signal and not from the error.
    """
    received: list[int] = []

    def stop(number: int, _: object) -> None:
        received.append(number)
        raise SystemExit(128 + number)

    replaced = []
    for name in ("SIGTERM", "SIGHUP"):  # the second: a terminal was closed
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, stop)
            replaced.append(number)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)
        if received:
            raise SystemExit(128 + received[0]) from None


@contextmanager
def sentences(debug: bool) -> Iterator[None]:
    """Turn an error into one sentence on standard error and exit code 1, unless *debug*."""
    try:
        yield
    except (LifestageError, OSError) as error:
        if debug:
            raise
        sentence = str(error)
        if isinstance(error, OSError):
            sentence = f"{error.strerror or error}: {error.filename}"
        typer.secho(f"Error: {sentence}", err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from None


@contextmanager
def progress(silent: bool) -> Iterator[Callable[[str], None]]:
    """Show the current step on standard error; *silent* shows nothing."""
    from rich.console import Console

    console = Console(stderr=True, quiet=silent)
    with quietly(), console.status("Starting") as status:

        def step(name: str) -> None:
            status.update(f"{name} …")
            if not console.is_terminal and not silent:
                console.print(f"{name} …")

        yield step


class RootGroup(TyperGroup):
    """Refuses an address with a password before an error message could repeat it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Check the arguments before they are parsed."""
        with sentences(debug=False):
            refuse_password_options(args)
        return super().parse_args(ctx, args)
