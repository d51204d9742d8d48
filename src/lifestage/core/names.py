"""Names of the columns of customer tables and scores."""

from __future__ import annotations

__all__ = [
    "CUSTOMER",
    "FREQUENCY",
    "HIGH_VALUE_CUT",
    "KEYS",
    "LAST_DAY",
    "MEDIAN_GAP",
    "MONETARY",
    "NEXT_PURCHASE",
    "RECENCY",
    "SUMMARY_COLUMNS",
    "TERMS",
    "T",
]

NEXT_PURCHASE = ("next_purchase_p25", "next_purchase_p50", "next_purchase_p75")

CUSTOMER = "customer_id"

FREQUENCY = "frequency"

RECENCY = "recency"

T = "T"

MONETARY = "monetary_value"

LAST_DAY = "observed_until"
"""Column of a scores table that names the last day of observation, where one is known."""

KEYS = (FREQUENCY, RECENCY, T)
"""What the purchase likelihood sees of a customer; equal keys mean equal purchase predictions."""

SUMMARY_COLUMNS = (CUSTOMER, *KEYS, MONETARY)
"""Columns that every customer table has; the rest (orders, revenue, dates, channel) is optional."""

HIGH_VALUE_CUT, MEDIAN_GAP = "high_value_cut", "median_gap_days"

TERMS = (
    "horizon_days",
    "stage_window_days",
    HIGH_VALUE_CUT,
    MEDIAN_GAP,
    "level",
    "discount_rate",
    "margin",
)
"""Columns of a scores table that name the terms under which its numbers hold."""
