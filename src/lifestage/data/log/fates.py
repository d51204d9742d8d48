"""The fate of each order line: used, left out for one reason, or part of a day without purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.names import CUSTOMER
from lifestage.data.engines.fixed_point import in_money

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CODES",
    "DAY",
    "KEYS",
    "NOT_POSITIVE",
    "PURCHASE",
    "ZERO",
    "nonpositive_days",
    "reason_code",
    "without_refused_days",
]

UNREADABLE = (
    "malformed_line",
    "missing_id",
    "missing_time",
    "unparseable_time",
    "implausible_time",
    "missing_amount",
    "non_finite_amount",
    "missing_quantity",
    "non_finite_quantity",
)
"""Reasons to leave out a line that follow from the line itself; the first that holds counts."""

CODES = {reason: code for code, reason in enumerate(UNREADABLE, 1)}
"""Reason → its number in a scan; 0 is a line that can be read."""

PURCHASE, NOT_POSITIVE, ZERO = "purchase", "day_net_not_positive", "zero_value_day"
"""What the lines of a customer on one day amount to."""

NETTED_SHARE = 1e-9
"""Share of the gross of a day below which its net is zero but for rounding."""

DAY = "day"
KEYS = (CUSTOMER, DAY)


def reason_code(columns: Mapping[str, str], *, malformed: bool) -> nw.Expr:
    """0 for a line that can be read, else the code of its reason.

    Whether the day of a line is plausible depends on the whole log and is decided later.

    Parameters
    ----------
    columns : mapping
        Role → column of the log.
    malformed : bool
        Whether the log is a file with lines of other columns.
    """
    tests = {"malformed_line": nw.col("malformed")} if malformed else {}
    tests |= {"missing_id": nw.col("no_id"), "missing_time": nw.col("no_time")}
    tests["unparseable_time"] = nw.col(DAY).is_null()
    for role in ("amount", "quantity"):
        if role in columns:
            tests[f"missing_{role}"] = nw.col(f"no_{role}")
            tests[f"non_finite_{role}"] = nw.col(role).is_null()
    code: nw.Expr = nw.lit(0)
    for reason in reversed(tests):
        code = nw.when(tests[reason]).then(nw.lit(CODES[reason])).otherwise(code)
    return code


def nonpositive_days(
    lines: nw.LazyFrame[Any], drop_zero: bool, unit: float | None
) -> nw.LazyFrame[Any]:
    """Days of a customer with a line that is not above zero, and their fate."""
    keys = lines.filter(nw.col("money") <= 0).select(*KEYS).unique()
    paid = nw.col("net") > NETTED_SHARE * nw.col("gross")
    unpaid = (
        nw.when(nw.col("gross") == 0)
        .then(nw.lit(ZERO if drop_zero else PURCHASE))
        .otherwise(nw.lit(NOT_POSITIVE))
    )
    return (
        lines.join(keys, on=list(KEYS), how="semi")
        .with_columns(nw.col("money").abs().alias("gross"))
        .group_by(*KEYS)
        .agg(
            nw.len().cast(nw.Int64).alias("lines"),
            nw.col("money").sum().alias("net"),
            nw.col("gross").sum(),
        )
        .with_columns(in_money("net", unit).alias("net"), in_money("gross", unit).alias("gross"))
        .with_columns(nw.when(paid).then(nw.lit(PURCHASE)).otherwise(unpaid).alias("fate"))
    )


def without_refused_days(
    lines: nw.LazyFrame[Any], nonpositive: nw.LazyFrame[Any]
) -> nw.LazyFrame[Any]:
    """Lines of days that are purchases."""
    refused = nonpositive.filter(nw.col("fate") != PURCHASE).select(*KEYS)
    return lines.join(refused, on=list(KEYS), how="anti")
