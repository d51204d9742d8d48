"""The model card: data, parameters, fit and validation of a model, in Markdown."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["markdown_table", "model_card"]

DIAGNOSTICS = ("log_likelihood", "aic", "bic", "pareto_k", "r_hat")
VERSIONED = ("lifestage", "numpy", "scipy", "numba", "pandas", "duckdb")


def model_card(
    model: LTVModel, *, backtest: str = "", thresholds: str = "", data_hash: str = ""
) -> str:
    """Write the model card.

    Parameters
    ----------
    model : LTVModel
    backtest, thresholds : str
        Markdown for the sections of these names; left out where empty.
    data_hash : str
        Hash of the customer table that the model was fitted on.

    Returns
    -------
    str
        Markdown.

    Examples
    --------
    >>> import lifestage as ls
    >>> model = ls.fit(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> model_card(model).splitlines()[0]
    '# bg/nbd + gamma-gamma'
    """
    data = model.data
    families = [part.family for part in model.parts.values()]
    parts = ["# " + " + ".join(families), "## Data", _list(_data_facts(model, data_hash))]
    if data.quality is not None and data.quality.notes:
        parts.append("\n".join(f"- {note.text}" for note in data.quality.notes))
    parts += ["## Parameters", markdown_table(model.params)]
    for name, part in model.parts.items():
        facts = {"method": part.method, "status": str(part.status)}
        for key in DIAGNOSTICS:
            value = part.diagnostics.get(key)
            if isinstance(value, float):
                facts[key] = f"{value:,.4f}"
        parts += [f"## {name.capitalize()}", _list(facts)]
    if model.calibration is not None:
        parts += ["## Recalibration", str(model.calibration)]
    if backtest:
        parts += ["## Backtest", backtest]
    if thresholds:
        parts += ["## Thresholds", thresholds]
    versions = {"python": platform.python_version()}
    versions |= {name: _version(name) for name in VERSIONED}
    parts += ["## Made with", _list(versions)]
    return "\n\n".join(parts) + "\n"


def _data_facts(model: LTVModel, data_hash: str) -> dict[str, str]:
    data = model.data
    facts = {
        "observed": f"{_first_day(model)} to {data.until}",
        "customers": f"{data.customers:,}, {data.repeaters:,} of them repeat buyers",
        "orders": f"{data.orders:,}",
        "unit of time": str(data.period),
        "stage window": f"{data.stage_window:g} days",
    }
    if data.quality is not None:
        facts["order lines"] = f"{data.quality.rows_read:,} read, {data.quality.rows_used:,} used"
        for reason, count in data.quality.dropped.items():
            facts[f"dropped: {reason.replace('_', ' ')}"] = f"{count:,}"
    if data_hash:
        facts["hash of the customers"] = data_hash
    return facts


def markdown_table(table: pd.DataFrame) -> str:
    """Write a table as Markdown, numbers to five digits."""
    head = "| " + " | ".join(map(str, table.columns)) + " |\n|" + "---|" * table.shape[1]
    columns = [map(_cell, table[name]) for name in table.columns]
    rows = ["| " + " | ".join(cells) + " |" for cells in zip(*columns, strict=True)]
    return "\n".join([head, *rows])


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.5g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _list(facts: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _first_day(model: LTVModel) -> str:
    calendar = model.data.calendar
    return "?" if calendar is None or not len(calendar) else str(min(calendar["day"]))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "–"
