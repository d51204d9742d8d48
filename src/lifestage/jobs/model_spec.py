"""Model specifications: how a stored model is retrained, read from its ``spec.toml``."""

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

__all__ = ["DataChecks", "ModelSpec", "Promotion", "read_spec", "spec_text"]

SPEC_FILE = "spec.toml"

ALWAYS_WRITTEN = {"period", "purchases", "method", "high_value"}
"""Settings of a run that are written even where they have their default."""

CHECKS_REMARK = (
    "Limits for new data; ratios compare the days since the champion with as many days before."
)
PROMOTION_REMARK = (
    '"not worse" beyond sampling error, "better", or "never"; over this horizon, in periods.'
)


class DataChecks(BaseModel):
    """Limits for new data; ratios compare the days since the champion with as many days before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_new_days: int = Field(default=1, ge=0)
    max_missing_ids: float = Field(default=0.5, ge=0, le=1)
    max_gap_days: int = Field(default=14, ge=1)
    volume: tuple[float, float] = (0.33, 3.0)
    spend: tuple[float, float] = (0.5, 2.0)


class Promotion(BaseModel):
    """When a challenger replaces the champion, by their losses on the same forecasts.

    Not worse: neither loss exceeds the champion's by more than *tolerance* of it, beyond sampling
    error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Literal["not worse", "better", "never"] = "not worse"
    horizon: float = Field(default=13, gt=0)
    level: float = Field(default=0.9, gt=0, lt=1)
    tolerance: float = Field(default=0.01, ge=0)


class ModelSpec(BaseModel):
    """The specification of a model: orders, run, data checks, promotion, versions to keep."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: str | None = None
    keep: int = Field(default=12, ge=2)
    run: RunConfig = Field(default_factory=RunConfig)
    data_checks: DataChecks = Field(default_factory=DataChecks)
    promotion: Promotion = Field(default_factory=Promotion)


def read_spec(folder: str | os.PathLike[str]) -> ModelSpec:
    """Read ``spec.toml`` of a model.

    Raises
    ------
    ConfigError
        If it is not there, or a setting is unknown or out of range.
    """
    return _check(read_toml(local_path(folder) / SPEC_FILE))


def spec_text(orders: str | None, settings: Mapping[str, Any]) -> str:
    """Write the text of a ``spec.toml``: these settings of a run, and defaults for the rest.

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
    chosen = {name: value for name, value in settings.items() if value is not None}
    content: dict[str, Any] = {"run": chosen}
    if orders is not None:
        content["orders"] = orders
    spec = _check(content)

    written = ({*chosen} | ALWAYS_WRITTEN) - {"thresholds"}
    run = _table("", spec.run.model_dump(mode="json", include=written))
    thresholds = asdict(spec.run.thresholds)
    run.add("thresholds", _table("Where one stage ends and the next begins.", thresholds))
    text = tomlkit.document()
    text.add(tomlkit.comment("The specification of this model, used by every retraining."))
    if orders is None:
        text.add(tomlkit.comment('orders = "orders/*.parquet"'))
    else:
        text.add("orders", tomlkit.item(orders))
    text.add("keep", tomlkit.item(spec.keep))
    text.add("run", run)
    text.add("data_checks", _table(CHECKS_REMARK, spec.data_checks.model_dump(mode="json")))
    text.add("promotion", _table(PROMOTION_REMARK, spec.promotion.model_dump(mode="json")))
    return tomlkit.dumps(text)


def _table(remark: str, values: Mapping[str, Any]) -> Table:
    import tomlkit

    table = tomlkit.table()
    if remark:
        table.add(tomlkit.comment(remark))
    table.update({name: value for name, value in values.items() if value is not None})
    return table


def _check(settings: dict[str, Any]) -> ModelSpec:
    spec = checked(ModelSpec, settings)
    if spec.run.until is not None:
        raise ConfigError(
            "settings: run.until would train every version on the same days; give --until, or leave"
            " it out for the whole log"
        )
    return spec
