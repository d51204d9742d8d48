"""How a model is made again: the recipe of a stored model, checked."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lifestage.core.addresses import address_of, local_path
from lifestage.core.errors import ConfigError
from lifestage.jobs.config import RunConfig, checked, read_toml

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from tomlkit.items import Table

__all__ = ["Gates", "Promotion", "Spec", "read_spec", "spec_text"]

SPEC = "spec.toml"
SHOWN = {"period", "purchases", "method", "high_value"}
"""Settings of a run that are written even where they are left at their defaults."""
GATES = "What new data must be like; ratios are of the days since the champion to as many before."
PROMOTION = '"not worse" beyond chance, "better", or "never"; over this horizon, in periods.'


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

    Not worse: neither loss is above that of the champion by more than *tolerance* of it, beyond
    chance.
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
    return _check(read_toml(local_path(folder) / SPEC))


def spec_text(orders: str | None, settings: Mapping[str, Any]) -> str:
    """The text of a ``spec.toml``: these settings of a run, and everything else as it is by default.

    Parameters
    ----------
    orders : str or None
        Where the orders are; None leaves a line to fill in.
    settings : mapping
        Settings of a run, as :class:`lifestage.jobs.config.RunConfig` takes them; those that are
        None are left out.

    Returns
    -------
    str
        TOML that :func:`read_spec` reads back as the same settings.

    Raises
    ------
    ConfigError
        If a setting is unknown or out of range, or cannot be one of every retraining.

    Examples
    --------
    >>> print(spec_text("orders.csv", {"customer": "id"}).splitlines()[1])
    orders = "orders.csv"
    """
    import tomlkit

    if orders is not None:
        address_of(orders)
    given = {name: value for name, value in settings.items() if value is not None}
    spec = _check({"run": given} if orders is None else {"orders": orders, "run": given})

    run = _table("", spec.run.model_dump(mode="json", include=({*given} | SHOWN) - {"thresholds"}))
    run.add(
        "thresholds",
        _table("Where one stage ends and the next begins.", asdict(spec.run.thresholds)),
    )
    text = tomlkit.document()
    text.add(tomlkit.comment("The recipe of this model: every retraining follows it."))
    if orders is None:
        text.add(tomlkit.comment('orders = "orders/*.parquet"'))
    else:
        text.add("orders", tomlkit.item(orders))
    text.add("keep", tomlkit.item(spec.keep))
    text.add("run", run)
    text.add("gates", _table(GATES, spec.gates.model_dump(mode="json")))
    text.add("promotion", _table(PROMOTION, spec.promotion.model_dump(mode="json")))
    return tomlkit.dumps(text)


def _table(remark: str, values: dict[str, Any]) -> Table:
    import tomlkit

    made = tomlkit.table()
    if remark:
        made.add(tomlkit.comment(remark))
    made.update({name: value for name, value in values.items() if value is not None})
    return made


def _check(settings: dict[str, Any]) -> Spec:
    spec = checked(Spec, settings)
    if spec.run.until is not None:
        raise ConfigError(
            "settings: run.until would stand still; give --until, or leave it out for all of"
            " the log"
        )
    return spec
