"""The card of a model: what it was made of, what it says, and how far it can be trusted, in Markdown."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["markdown_table", "model_card"]

VERSIONED = ("lifestage", "numpy", "scipy", "numba", "pandas", "duckdb")


def model_card(
    model: LTVModel, *, backtest: str = "", thresholds: str = "", data_hash: str = ""
) -> str:
    """Write the card of a model.

    Parameters
    ----------
    model : LTVModel
    backtest, thresholds : str
        Markdown for the sections of these names; left out where empty.
    data_hash : str
        Of the customer table that the model was fitted on.

    Examples
    --------
    >>> import lifestage as ls
    >>> model = ls.fit(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> model_card(model).splitlines()[0]
    '# bg/nbd + gamma-gamma'
    """
    data = model.data
    facts = {
        "observed": f"{_first(model)} to {data.until}",
        "customers": f"{data.customers:,}, {data.repeaters:,} of them repeat buyers",
        "orders": f"{data.orders:,}",
        "unit of time": str(data.period),
        "stage window": f"{data.stage_window:g} days",
    }
    if data.quality is not None:
        facts["order lines"] = f"{data.quality.rows_read:,} read, {data.quality.rows_used:,} used"
        facts |= {
            f"dropped: {name.replace('_', ' ')}": f"{n:,}"
            for name, n in data.quality.dropped.items()
        }
    if data_hash:
        facts["hash of the customers"] = data_hash
    parts = [
        "# " + " + ".join(part.family for part in model.parts.values()),
        "## Data",
        _list(facts),
    ]
    if data.quality is not None and data.quality.notes:
        parts.append("\n".join(f"- {note.text}" for note in data.quality.notes))
    parts += ["## Parameters", markdown_table(model.params)]
    for name, part in model.parts.items():
        known = {
            key: part.diagnostics.get(key)
            for key in ("log_likelihood", "aic", "bic", "pareto_k", "r_hat")
        }
        said = {"method": part.method, "status": str(part.status)}
        said |= {key: f"{value:,.4f}" for key, value in known.items() if isinstance(value, float)}
        parts += [f"## {name.capitalize()}", _list(said)]
    if model.calibration is not None:
        parts += ["## Recalibration", str(model.calibration)]
    parts += [
        each
        for title, text in (("Backtest", backtest), ("Thresholds", thresholds))
        if text
        for each in (f"## {title}", text)
    ]
    parts += [
        "## Made with",
        _list(
            {"python": platform.python_version(), **{name: _version(name) for name in VERSIONED}}
        ),
    ]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: pd.DataFrame) -> str:
    """A table as Markdown, numbers to five digits."""
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * table.shape[1]]
    rows = zip(*(table[name] for name in table.columns), strict=True)
    return "\n".join(
        [*lines, *("| " + " | ".join(_cell(value) for value in row) + " |" for row in rows)]
    )


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.5g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _list(facts: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _first(model: LTVModel) -> str:
    calendar = model.data.calendar
    return "?" if calendar is None or not len(calendar) else str(min(calendar["day"]))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "–"
