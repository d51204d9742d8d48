"""How a model is made again: the recipe of a stored model, checked."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lifestage.config import RunConfig, checked, read_toml
from lifestage.errors import ConfigError
from lifestage.lifecycle.thresholds import Thresholds

__all__ = ["Gates", "Promotion", "Spec", "read_spec", "spec_text"]

SPEC = "spec.toml"


class Gates(BaseModel):
    """What new data must be like; ratios are of the days since the champion to as many before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_new_days: int = Field(default=1, ge=0)
    max_missing_ids: float = Field(default=0.5, ge=0, le=1)
    max_gap_days: int = Field(default=14, ge=1)
    volume: tuple[float, float] = (0.33, 3.0)
    spend: tuple[float, float] = (0.5, 2.0)


class Promotion(BaseModel):
    """When a challenger takes the place of the champion, by their losses on the same forecasts.

    Not worse: neither loss is above that of the champion by more than *tolerance* of it, beyond chance.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Literal["not worse", "better", "never"] = "not worse"
    horizon: float = Field(default=13, gt=0)
    level: float = Field(default=0.9, gt=0, lt=1)
    tolerance: float = Field(default=0.01, ge=0)


class Spec(BaseModel):
    """The recipe of a model: where its orders are, how it is made and judged, and how many versions are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: str | None = None
    keep: int = Field(default=12, ge=2)
    run: RunConfig = Field(default_factory=RunConfig)
    gates: Gates = Field(default_factory=Gates)
    promotion: Promotion = Field(default_factory=Promotion)


def read_spec(folder: str | os.PathLike[str]) -> Spec:
    """Read ``spec.toml`` of a model.

    Raises
    ------
    ConfigError
        If it is not there, or a setting is unknown or out of range.
    """
    spec = checked(Spec, read_toml(Path(folder) / SPEC))
    if spec.run.until is not None:
        raise ConfigError("settings: run.until would stand still; give --until, or leave it out for all of the log")
    return spec


def spec_text(orders: str | None, settings: dict[str, Any]) -> str:
    """The text of a ``spec.toml``: these settings of a run, and everything else as it is by default.

    Raises
    ------
    ConfigError
        If a setting is unknown or out of range.

    Examples
    --------
    >>> print(spec_text("orders.csv", {"customer": "id"}).splitlines()[1])
    orders = "orders.csv"
    """
    checked(RunConfig, settings)
    lines = ["# The recipe of this model: every retraining follows it."]
    lines += ['# orders = "orders/*.parquet"' if orders is None else f"orders = {_toml(orders)}"]
    lines += ["keep = 12", "", "[run]"]
    lines += [f"{name} = {_toml(value)}" for name, value in settings.items() if value is not None]
    lines += ["", "# Where one stage ends and the next begins.", "[run.thresholds]"]
    lines += [f"{name} = {_toml(value)}" for name, value in asdict(Thresholds()).items()]
    lines += [
        "",
        "# What new data must be like; ratios are of the days since the champion to as many before.",
        "[gates]",
    ]
    lines += [f"{name} = {_toml(value)}" for name, value in Gates().model_dump().items()]
    lines += ["", '# "not worse" beyond chance, "better", or "never"; over this horizon, in periods.', "[promotion]"]
    lines += [f"{name} = {_toml(value)}" for name, value in Promotion().model_dump().items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else str(value)
