"""Tables that commands read and write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from lifestage.cli.console import sentences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SHOWN", "answer", "read_pandas", "read_table"]

SHOWN = 60
"""Rows that are printed."""


def read_table(path: Path, stages: list[str] | None = None) -> Any:
    from lifestage.data.sources.files import read_orders

    table = read_orders(str(path))
    if not stages:
        return table
    names = ", ".join("'" + stage.replace("'", "''") + "'" for stage in stages)
    return table.filter(f"activity_stage in ({names})")


def read_pandas(path: Path, columns: list[str] | None = None) -> Any:
    from lifestage.core.errors import DataError
    from lifestage.data.engines.frames import lazy, to_pandas

    table = lazy(read_table(path))[0]
    names = table.collect_schema().names()
    if missing := [name for name in columns or () if name not in names]:
        raise DataError(
            f"columns missing in {path}: {', '.join(missing)}; it has {', '.join(names)}"
        )
    return to_pandas(table.select(*(columns or names)))


def answer(make: Callable[[], Any], out: str | None, debug: bool) -> None:
    """Print a table, or write it where it was asked for."""
    with sentences(debug):
        from lifestage.data.engines.frames import to_pandas
        from lifestage.data.sources.write import check_target, write_table

        if out is not None:
            check_target(out)
        table = make()
        if out is None:
            shown = to_pandas(table)
            typer.echo(shown.head(SHOWN).to_string(index=False, float_format="%.6g"))
            if len(shown) > SHOWN:
                typer.echo(f"… {len(shown):,} rows in all; --out writes them")
        else:
            write_table(table, out)
            typer.echo(f"Written to {out}")
