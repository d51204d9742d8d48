"""The columns of customer tables, scores and staged tables: name, unit and meaning, each said once.

The docstring of ``LTVModel.predict``, the README and the glossary of the report show this table.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OUTPUT_COLUMNS", "OutputColumn", "columns_of", "docstring_list", "markdown_rows"]


class OutputColumn(NamedTuple):
    """A column, what it holds, and the step of the corridor that adds it."""

    name: str
    unit: str
    meaning: str
    step: Literal["summarize", "predict", "assign_stages"]
    optional: bool = False
    """Whether only some tables have it; *meaning* says which."""


OUTPUT_COLUMNS: tuple[OutputColumn, ...] = (
    OutputColumn("customer_id", "id", "The customer, as named in the orders.", "summarize"),
    OutputColumn("frequency", "purchase days", "Purchase days after the first one.", "summarize"),
    OutputColumn("recency", "periods", "From the first to the last purchase.", "summarize"),
    OutputColumn(
        "T", "periods", "From the first purchase to the last day of observation.", "summarize"
    ),
    OutputColumn(
        "monetary_value",
        "money",
        "Mean spend of the purchase days after the first one; 0 without any.",
        "summarize",
    ),
    OutputColumn("orders", "orders", "Orders up to the last day of observation.", "summarize"),
    OutputColumn("revenue", "money", "Net spend up to the last day of observation.", "summarize"),
    OutputColumn("first_purchase", "date", "Day of the first purchase.", "summarize"),
    OutputColumn("last_purchase", "date", "Day of the last purchase.", "summarize"),
    OutputColumn(
        "channel",
        "text",
        "Channel of the first purchase, where a column of channels was named.",
        "summarize",
        optional=True,
    ),
    OutputColumn(
        "days_silent", "days", "From the last purchase to the last day of observation.", "predict"
    ),
    OutputColumn(
        "mean_gap_days",
        "days",
        "Mean time between purchase days; missing for customers who bought once.",
        "predict",
    ),
    OutputColumn(
        "p_alive",
        "probability",
        "The customer has not dropped out. This state cannot be observed; BG/NBD sets it to 1 for"
        " customers who bought once.",
        "predict",
    ),
    OutputColumn(
        "p_purchase",
        "probability",
        "At least one purchase within the horizon. This can be compared with what customers did.",
        "predict",
    ),
    OutputColumn(
        "expected_purchases",
        "purchase days",
        "Expected purchase days within the horizon.",
        "predict",
    ),
    OutputColumn(
        "purchases_low",
        "purchase days",
        "Lower end of the predictive interval of the number of purchase days. A customer who will"
        " probably not buy has the interval 0 to 0 and a positive expectation.",
        "predict",
    ),
    OutputColumn("purchases_high", "purchase days", "Upper end of that interval.", "predict"),
    OutputColumn("expected_spend", "money", "Expected spend per future purchase day.", "predict"),
    OutputColumn(
        "ltv",
        "money",
        "Lifetime value: expected discounted margin within the horizon.",
        "predict",
    ),
    OutputColumn(
        "ltv_low",
        "money",
        "Lower end of the predictive interval of the discounted margin itself.",
        "predict",
    ),
    OutputColumn("ltv_high", "money", "Upper end of that interval.", "predict"),
    OutputColumn(
        "activity_ratio",
        "ratio",
        "`p_window` ÷ `p_window_fresh`, in (0, 1]: 1 just after a purchase, falling with silence."
        " The activity stages are cut from it.",
        "predict",
    ),
    OutputColumn(
        "p_window", "probability", "At least one purchase within the stage window.", "predict"
    ),
    OutputColumn(
        "p_window_fresh",
        "probability",
        "The same, as it stood just after the last purchase.",
        "predict",
    ),
    OutputColumn(
        "value_lost", "money", "LTV just after the last purchase − LTV now, at least 0.", "predict"
    ),
    OutputColumn(
        "next_purchase_p25",
        "date",
        "Lower quartile of the next purchase day, given a purchase within the horizon.",
        "predict",
    ),
    OutputColumn("next_purchase_p50", "date", "Its median.", "predict"),
    OutputColumn("next_purchase_p75", "date", "Its upper quartile.", "predict"),
    OutputColumn(
        "next_purchase_p25_days",
        "days",
        "In place of the date, where the last day of observation is not known: days from it.",
        "predict",
        optional=True,
    ),
    OutputColumn("next_purchase_p50_days", "days", "The same.", "predict", optional=True),
    OutputColumn("next_purchase_p75_days", "days", "The same.", "predict", optional=True),
    OutputColumn(
        "observed_until",
        "date",
        "Last day of observation, from which the horizon counts.",
        "predict",
    ),
    OutputColumn("horizon_days", "days", "Horizon of the row.", "predict"),
    OutputColumn(
        "stage_window_days",
        "days",
        "Stage window: the 80th percentile of the days between purchases in the base that the model"
        " was fitted on.",
        "predict",
    ),
    OutputColumn(
        "high_value_cut",
        "money",
        "Customers whose purchase days × `expected_spend` reach it are of high value; from the base"
        " that the model was fitted on (purchase days alone without a spend model).",
        "predict",
    ),
    OutputColumn(
        "median_gap_days",
        "days",
        "Median over the repeat buyers of the fitted base of their mean gap.",
        "predict",
    ),
    OutputColumn("level", "probability", "Level of the predictive intervals.", "predict"),
    OutputColumn("discount_rate", "per year", "Discount rate, whatever the period.", "predict"),
    OutputColumn("margin", "share", "Share of spend that is profit before marketing.", "predict"),
    OutputColumn(
        "activity_stage",
        "key",
        "`new`, `active`, `drowsy`, `half_asleep`, `asleep`, or `prospect` for a contact without a"
        " purchase; by `activity_ratio`.",
        "assign_stages",
    ),
    OutputColumn(
        "lifecycle_phase",
        "key",
        "`acquire`, `engage`, `grow` or `retain`.",
        "assign_stages",
    ),
    OutputColumn(
        "value_segment",
        "key",
        "`champion`, `loyal`, `recent`, `high_potential`, `need_nurturing`, `cannot_lose`,"
        " `at_risk`, `about_to_lose`, or `prospect`.",
        "assign_stages",
    ),
    OutputColumn(
        "at_risk", "true or false", "A frequent buyer who has gone quiet.", "assign_stages"
    ),
    OutputColumn(
        "cannot_lose",
        "true or false",
        "A repeat buyer of high value who has gone quiet and is probably not lost.",
        "assign_stages",
    ),
    OutputColumn(
        "at_risk_reason", "text", "Why, in a sentence; missing unless at risk.", "assign_stages"
    ),
    OutputColumn(
        "tier",
        "key",
        "`high`, `mid` or `budget`, where `assign_stages` was called with `tiers`.",
        "assign_stages",
        optional=True,
    ),
)
"""All columns, in the order in which a table has them."""


def columns_of(*steps: str) -> tuple[OutputColumn, ...]:
    """Return the columns that these steps add."""
    return tuple(column for column in OUTPUT_COLUMNS if column.step in steps)


def markdown_rows(columns: Sequence[OutputColumn]) -> str:
    """Rows of a Markdown table: name, unit, meaning.

    Examples
    --------
    >>> print(markdown_rows(columns_of("predict")[2:3]).splitlines()[2][:62])
    | `p_alive` | probability | The customer has not dropped out.
    """
    head = "| column | unit | meaning |\n|---|---|---|"
    rows = [f"| `{column.name}` | {column.unit} | {column.meaning} |" for column in columns]
    return "\n".join([head, *rows])


def docstring_list(columns: Sequence[OutputColumn], indent: int = 8, width: int = 100) -> str:
    """Write the columns as the list of a docstring: name, unit and meaning."""
    first, later = " " * indent + "- ", " " * (indent + 2)
    items = []
    for column in columns:
        text = f"``{column.name}`` ({column.unit}): {column.meaning}".replace("`", "``")
        text = text.replace("````", "``")
        items.append(textwrap.fill(text, width, initial_indent=first, subsequent_indent=later))
    return "\n".join(items)
