"""An order log that is read once and summarised per customer at any number of days."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lifestage.core.dates import as_number, parse_day
from lifestage.core.steps import step
from lifestage.data.customers.from_log import summary_of_log
from lifestage.data.customers.log_options import LogOptions
from lifestage.data.customers.splits import NO_STAGES
from lifestage.data.log.lines import Log, read_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from lifestage.data.customers.summary import Summary

__all__ = ["LogOptions", "OrderLog", "order_log"]


@dataclass(frozen=True, eq=False)
class OrderLog:
    """An order log that was read once, to be summarised at any number of days.

    Attributes
    ----------
    log : Log
        The lines in their engine; see :class:`lifestage.data.log.lines.Log`.
    options : LogOptions
    """

    log: Log
    options: LogOptions

    def summary(self, until: date | None = None, *, stage_window: float | None = None) -> Summary:
        """Summarise the log up to *until*, as :func:`lifestage.summarize` does.

        None stands for the last day of the log. *stage_window* overrides the option, for summaries
        without stages.
        """
        options = self.options
        if stage_window is not None:
            options = replace(options, stage_window=stage_window)
        with step(__name__, "Summarising orders"):
            return summary_of_log(self.log, options, until)

    @cached_property
    def whole(self) -> Summary:
        """Summary of the whole log without stages, made once: a backtest comes back to it."""
        return self.summary(**NO_STAGES)

    def at(self, day: date) -> Summary:
        """Summarise the log up to a past day, without stages."""
        return self.whole if as_number(day) == self.log.last else self.summary(day, **NO_STAGES)


@contextmanager
def order_log(orders: Any, options: LogOptions) -> Iterator[OrderLog]:
    """Read an order log; what the engine stores for it is released at the end."""
    earliest = None
    if options.earliest is not None:
        earliest = as_number(parse_day(options.earliest, "earliest"))
    roles = ("customer", "time", "amount", "quantity", "order", "channel")
    with step(__name__, "Reading orders"):
        log = read_log(
            orders,
            {role: getattr(options, role) for role in roles},
            tz=options.tz,
            earliest=earliest,
            drop_duplicates=options.drop_duplicates,
            drop_zero=options.drop_zero,
        )
    try:
        yield OrderLog(log, options)
    finally:
        log.close()
