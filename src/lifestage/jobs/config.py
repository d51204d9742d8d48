"""Settings of a run, checked: from a TOML file, the command line, or both."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)

from lifestage.core.addresses import local_path, refuse_passwords
from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError
from lifestage.core.period import Period
from lifestage.families import AUTO, FAMILIES, STACK
from lifestage.fitting.stage_facts import HIGH_VALUE, check_share
from lifestage.lifecycle.stages.thresholds import Thresholds

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["RunConfig", "checked", "read_config", "read_toml"]


def _parse_day(day: Any, info: ValidationInfo) -> date | None:
    return None if day is None else parse_day(day, info.field_name or "a day")


def _check_percents(share: float) -> float:
    check_share(share)
    return share


def _check_period(period: str | Period) -> str | Period:
    Period.parse(period)
    return period


def _check_purchases(name: str) -> str:
    names = (*FAMILIES, AUTO, STACK)
    if name not in names:
        raise ConfigError(f"expected one of {', '.join(names)}")
    return name


Day = Annotated[date | None, BeforeValidator(_parse_day)]


class RunConfig(BaseModel):
    """Settings of a run: columns of the log, its cleaning, the model, the forecast, the report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer: str = "customer_id"
    time: str = "date"
    amount: str | None = "amount"
    quantity: str | None = None
    order: str | None = None
    channel: str | None = None
    table: str | None = None
    query: str | None = None
    until: Day = None
    earliest: Day = None
    tz: str | None = None
    drop_duplicates: bool = False
    drop_zero: bool = False
    max_dropped: float = Field(default=0.6, ge=0, le=1)
    stage_window: float | None = Field(default=None, gt=0)
    resolution: float = Field(default=1, gt=0)

    period: Annotated[str | Period, AfterValidator(_check_period)] = "week"
    purchases: Annotated[str, AfterValidator(_check_purchases)] = "bg/nbd"
    spend: Literal["gamma-gamma"] | None = "gamma-gamma"
    method: Literal["mle", "map", "laplace", "nuts"] = "mle"
    draws: int = Field(default=1000, ge=2)
    seed: int = Field(default=0, ge=0)
    priors: dict[str, str] | None = None
    calibrate: bool = False
    backtest: int | None = Field(default=None, ge=0)

    horizon: float = Field(default=52, gt=0)
    discount_rate: float = Field(default=0.10, ge=0, le=1)
    margin: float = Field(default=1.0, gt=0, le=1)
    level: float = Field(default=0.9, gt=0, lt=1)

    memory_limit: str | None = None
    temp_directory: Path | None = None
    threads: int | None = Field(default=None, ge=1)

    high_value: Annotated[float, AfterValidator(_check_percents)] = HIGH_VALUE
    line_rule: Literal["activity_ratio", "nes"] = "activity_ratio"
    thresholds: Thresholds = Field(default_factory=Thresholds)
    playbook: Path | None = None
    cac: float | None = Field(default=None, ge=0)
    currency: str = ""
    title: str | None = None
    lang: Literal["en", "zh-Hant", "zh-Hans"] = "en"


def read_config(path: str | os.PathLike[str] | None, overrides: Mapping[str, Any]) -> RunConfig:
    """Read a TOML file of settings, or none; *overrides* that are not None take precedence.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a setting is unknown or out of range.
    """
    settings = {} if path is None else read_toml(path)
    settings |= {name: value for name, value in overrides.items() if value is not None}
    return checked(RunConfig, settings)


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    file = local_path(path)
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"expected a TOML file of settings in {path}; {error}") from error


def checked[T: BaseModel](model: type[T], settings: dict[str, Any]) -> T:
    """Make a record of settings; an error says in one sentence what is wrong with them.

    Raises
    ------
    ConfigError
        If a setting is unknown or out of range, or holds a password.
    """
    refuse_passwords(settings)  # before a message repeats them
    try:
        return model(**settings)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            name, message = ".".join(map(str, problem["loc"])), problem["msg"]
            text = f"{message[:1].lower()}{message[1:]} (got {problem['input']!r})"
            problems.append(f"{name}: {text}")
        raise ConfigError(f"settings: {'; '.join(problems)}") from error
