"""Flags beside the stages, the sentence that explains one, and the list of customers at risk."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER
from lifestage.lifecycle.frames import days_observed, open_frame, orders_made
from lifestage.lifecycle.stages.taxonomies import check_language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.lifecycle.stages.thresholds import Thresholds

__all__ = ["at_risk", "at_risk_list", "cannot_lose", "reason"]

SLACK_DAYS = 1e-6
"""Whole days that went through weeks or months and back count as whole."""

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": (
            "bought ",
            " times about every ",
            "; silent for ",
            "; chance of buying within ",
            " fell from ",
            " to ",
            "",
        ),
        "zh-Hant": (
            "買過 ",
            " 次，約每 ",
            "買一次；已沉默 ",
            "；",
            "內購買的機率由 ",
            " 降至 ",
            "",
        ),
        "zh-Hans": (
            "买过 ",
            " 次，约每 ",
            "买一次；已沉默 ",
            "；",
            "内购买的概率由 ",
            " 降至 ",
            "",
        ),
    }
)
"""The reason, cut where N, gap, silence, window, fresh and present probability go in."""

UNITS: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        "en": ("day", "1 day", " days", "under 1 %"),
        "zh-Hant": ("天", "1 天", " 天", "不到 1 %"),
        "zh-Hans": ("天", "1 天", " 天", "不到 1 %"),
    }
)
"""Every day, one day, more days, and a probability that would round to nothing."""


def at_risk(limits: Thresholds) -> nw.Expr:
    """Whether a frequent buyer has gone quiet: N ≥ 3, .20 ≤ R < .70, and T of 7 days or more."""
    r = nw.col("activity_ratio").fill_null(0.0)
    quiet = (r >= limits.asleep) & (r < limits.awake)
    old = days_observed().fill_null(0.0) >= limits.min_days - SLACK_DAYS
    return _flag((orders_made() >= limits.frequent) & quiet & old)


def cannot_lose(limits: Thresholds, high_value: nw.Expr) -> nw.Expr:
    """Whether a repeat buyer of high value is about to leave: R < .70 and P(alive) ≥ .10."""
    r, alive = nw.col("activity_ratio").fill_null(0.0), nw.col("p_alive").fill_null(0.0)
    return _flag(high_value & (orders_made() >= 2) & (r < limits.awake) & (alive >= limits.alive))


def reason(lang: str = "en") -> nw.Expr:
    """Say why a customer is at risk; null for the others. Needs the column ``at_risk``."""
    words, (every, one, more, under) = WORDS[check_language(lang)], UNITS[lang]
    values = [
        _whole(orders_made()),
        _days(nw.col("mean_gap_days"), every, more),
        _days(nw.col("days_silent"), one, more),
        _days(nw.col("stage_window_days"), one, more),
        _percent(nw.col("p_window_fresh"), under),
        _percent(nw.col("p_window"), under),
    ]
    parts = [nw.lit(words[0])]
    for value, word in zip(values, words[1:], strict=True):
        parts += [value, nw.lit(word)]
    return nw.when(nw.col("at_risk")).then(nw.concat_str(parts))


def _days(value: nw.Expr, one: str, more: str) -> nw.Expr:
    text = nw.concat_str([_whole(value), nw.lit(more)])
    return nw.when(value.fill_null(0.0) < 1.5).then(nw.lit(one)).otherwise(text)


def _percent(value: nw.Expr, under: str) -> nw.Expr:
    text = nw.concat_str([_whole(value * 100.0), nw.lit(" %")])
    return nw.when(value.fill_null(0.0) < 0.005).then(nw.lit(under)).otherwise(text)


def at_risk_list(staged: Any, top: int | None = None) -> Any:
    """List the customers at risk, the most value at stake first.

    They are sorted by ``value_lost``, or by ``p_window_fresh − p_window`` in a table without money;
    ties by customer.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` returned.
    top : int, optional
        Keep that many; all if left out.

    Returns
    -------
    frame
        The rows of *staged* that are ``at_risk``, with all columns, in the kind that went in.

    Raises
    ------
    DataError
        If columns are missing.
    ConfigError
        If *top* is negative.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> staged = ls.assign_stages(ls.fit(customers).predict(customers))
    >>> at_risk_list(staged, top=2)["customer_id"].tolist()
    [2332, 1310]
    """
    if top is not None and top < 0:
        raise ConfigError(f"top must be 0 or more customers; got {top!r}")
    frame = open_frame(staged, (CUSTOMER, "at_risk", "p_window", "p_window_fresh"))
    names = frame.collect_schema().names()
    stake = nw.col("p_window_fresh") - nw.col("p_window")
    if "value_lost" in names:
        stake = nw.col("value_lost")
    chosen = frame.filter(nw.col("at_risk")).with_columns(_stake=stake)
    ordered = chosen.sort("_stake", CUSTOMER, descending=[True, False], nulls_last=True)
    ordered = ordered.select(*names)
    return (ordered if top is None else ordered.head(top)).to_native()


def _flag(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(True)).otherwise(nw.lit(False))


def _whole(value: nw.Expr) -> nw.Expr:
    """Nearest whole number as text, halves up, the same on every engine."""
    return (value.fill_null(0.0) + 0.5).floor().cast(nw.Int64).cast(nw.String)
