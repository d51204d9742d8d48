"""Flags that stand beside the stages, the sentence that explains one, and the list a marketer works through."""

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
"""The reason, cut where N, gap, silence, window, fresh chance and present chance go in."""

UNITS: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        "en": ("day", "1 day", " days", "under 1 %"),
        "zh-Hant": ("天", "1 天", " 天", "不到 1 %"),
        "zh-Hans": ("天", "1 天", " 天", "不到 1 %"),
    }
)
"""Every day, one day, more days, and a chance that would round to nothing."""


def at_risk(limits: Thresholds) -> nw.Expr:
    """A frequent buyer gone quiet: N ≥ 3, .20 ≤ activity_ratio < .70, first purchase at least 7 days ago."""
    r = nw.col("activity_ratio").fill_null(0.0)
    quiet = (r >= limits.asleep) & (r < limits.awake)
    old = days_observed().fill_null(0.0) >= limits.min_days - SLACK_DAYS
    return _flag((orders_made() >= limits.frequent) & quiet & old)


def cannot_lose(limits: Thresholds, high_value: nw.Expr) -> nw.Expr:
    """Of high value, a repeat buyer, activity_ratio < .70 and P(alive) ≥ .10."""
    r, alive = nw.col("activity_ratio").fill_null(0.0), nw.col("p_alive").fill_null(0.0)
    return _flag(high_value & (orders_made() >= 2) & (r < limits.awake) & (alive >= limits.alive))


def reason(lang: str = "en") -> nw.Expr:
    """Why a customer is at risk, in one sentence; null for the others. Needs the column ``at_risk``."""
    words, (every, one, more, under) = WORDS[check_language(lang)], UNITS[lang]

    def days(value: nw.Expr, single: str) -> nw.Expr:
        text = nw.concat_str([_whole(value), nw.lit(more)])
        return nw.when(value.fill_null(0.0) < 1.5).then(nw.lit(single)).otherwise(text)

    def chance(value: nw.Expr) -> nw.Expr:
        text = nw.concat_str([_whole(value * 100.0), nw.lit(" %")])
        return nw.when(value.fill_null(0.0) < 0.005).then(nw.lit(under)).otherwise(text)

    values = [
        _whole(orders_made()),
        days(nw.col("mean_gap_days"), every),
        days(nw.col("days_silent"), one),
        days(nw.col("stage_window_days"), one),
        chance(nw.col("p_window_fresh")),
        chance(nw.col("p_window")),
    ]
    parts = [nw.lit(words[0])]
    for value, word in zip(values, words[1:], strict=True):
        parts += [value, nw.lit(word)]
    return nw.when(nw.col("at_risk")).then(nw.concat_str(parts))


def at_risk_list(staged: Any, top: int | None = None) -> Any:
    """Customers at risk, most value at stake first, in the kind that went in.

    Sorted by ``value_lost``, or by the fall ``p_window_fresh − p_window`` where no money is known;
    ties by customer.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` returned.
    top : int, optional
        Keep that many.

    Raises
    ------
    DataError
        If columns are missing.
    ConfigError
        If *top* is negative.
    """
    if top is not None and top < 0:
        raise ConfigError(f"top must be 0 or more customers; got {top!r}")
    frame = open_frame(staged, (CUSTOMER, "at_risk", "p_window", "p_window_fresh"))
    names = frame.collect_schema().names()
    stake = (
        nw.col("value_lost")
        if "value_lost" in names
        else nw.col("p_window_fresh") - nw.col("p_window")
    )
    chosen = frame.filter(nw.col("at_risk")).with_columns(__stake=stake)
    ordered = chosen.sort("__stake", CUSTOMER, descending=[True, False], nulls_last=True).select(
        *names
    )
    return (ordered if top is None else ordered.head(top)).to_native()


def _flag(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(True)).otherwise(nw.lit(False))


def _whole(value: nw.Expr) -> nw.Expr:
    """Nearest whole number as text, halves up, the same on every engine."""
    return (value.fill_null(0.0) + 0.5).floor().cast(nw.Int64).cast(nw.String)
