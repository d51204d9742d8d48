"""Tables that commands read, print and write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from lifestage.cli.console import sentences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["MAX_PRINTED_ROWS", "answer", "read_pandas", "read_table"]

MAX_PRINTED_ROWS = 60


def read_table(path: Path, stages: list[str] | None = None) -> Any:
    """Open a table of customers, of these activity stages only."""
    from lifestage.data.sources.files import read_orders

    table = read_orders(str(path))
    if not stages:
        return table
    names = ", ".join("'" + stage.replace("'", "''") + "'" for stage in stages)
    return table.filter(f"activity_stage in ({names})")


def read_pandas(path: Path, columns: list[str] | None = None) -> Any:
    """Read these columns of a table, or all, into memory."""
    from lifestage.core.errors import DataError
    from lifestage.data.engines.frames import lazy, to_pandas

    table = lazy(read_table(path))[0]
    names = table.collect_schema().names()
    wanted = columns or names
    missing = [name for name in wanted if name not in names]
    if missing:
        raise DataError(
            f"columns missing in {path}: {', '.join(missing)}; it has {', '.join(names)}"
        )
    return to_pandas(table.select(*wanted))


def answer(make: Callable[[], Any], out: str | None, debug: bool) -> None:
    """Print the table that *make* returns, or write it to *out*."""
    with sentences(debug):
        from lifestage.data.engines.frames import to_pandas
        from lifestage.data.sources.write import check_target, write_table

        if out is not None:
            check_target(out)  # before the work
        table = make()
        if out is not None:
            write_table(table, out)
            typer.echo(f"Written to {out}")
            return
        rows = to_pandas(table)
        first = rows.head(MAX_PRINTED_ROWS)
        typer.echo(first.to_string(index=False, float_format="%.6g"))
        if len(rows) > MAX_PRINTED_ROWS:
            typer.echo(f"… {len(rows):,} rows in all; --out writes them")
