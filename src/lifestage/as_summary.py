"""Customers as a model takes them: a Summary, or a ready-made table that is made one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.data.compress import compress
from lifestage.errors import ConfigError
from lifestage.tables import Counts, Summary

if TYPE_CHECKING:
    from lifestage.model import LTVModel

__all__ = ["as_summary", "counts_of"]


def as_summary(model: LTVModel, customers: Summary | Any) -> Summary:
    """Make a Summary of a ready-made table, under the period and the stage window of a model.

    Raises
    ------
    ConfigError
        If a Summary is in another period than the model.
    DataError
        If it is no table of customers.
    """
    if not isinstance(customers, Summary):
        window = model.data.stage_window
        customers = Summary.from_frame(customers, period=model.period, until=model.data.until, stage_window=window)
    if customers.period != model.period:
        raise ConfigError(f"expected customers in periods of a {model.period}; got {customers.period}")
    return customers


def counts_of(model: LTVModel, customers: Counts | Summary | Any) -> Counts:
    """Return the distinct histories of customers in any form: Counts as they are, a Summary, or a table."""
    return customers if isinstance(customers, Counts) else compress(as_summary(model, customers))
