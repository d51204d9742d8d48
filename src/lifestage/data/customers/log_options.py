"""How to read and summarise an order log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifestage.core.errors import ConfigError
from lifestage.core.period import Period

if TYPE_CHECKING:
    from datetime import date

__all__ = ["MAX_DROPPED", "LogOptions"]

MAX_DROPPED = 0.6


@dataclass(frozen=True)
class LogOptions:
    """How to read and summarise an order log.

    The fields are the arguments of :func:`lifestage.summarize` except ``until``.
    """

    customer: str = "customer_id"
    time: str = "date"
    amount: str | None = "amount"
    quantity: str | None = None
    order: str | None = None
    channel: str | None = None
    earliest: str | date | None = None
    period: str | Period = "week"
    tz: str | None = None
    drop_duplicates: bool = False
    drop_zero: bool = False
    stage_window: float | None = None
    resolution: float = 1
    max_dropped: float = MAX_DROPPED

    def __post_init__(self) -> None:
        Period.parse(self.period)
        if not 0 <= self.max_dropped <= 1:
            raise ConfigError(
                f"max_dropped must be a share between 0 and 1; got {self.max_dropped}"
            )
