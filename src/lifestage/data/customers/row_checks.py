"""Check a ready-made customer table: possible histories, and one row per customer."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, MONETARY, RECENCY, T
from lifestage.data.engines.frames import to_pandas

__all__ = ["check_ids", "check_rows"]

MAX_LISTED_ROWS = 5
"""Rows or ids that an error lists."""

ROUNDING = 1e-9
"""Periods by which recency may exceed T by rounding."""


def check_ids(table: nw.LazyFrame[Any]) -> None:
    """Refuse customers without an id, or on several rows."""
    customer = nw.col(CUSTOMER)
    missing = customer.is_null()
    if table.collect_schema()[CUSTOMER].is_float():
        missing = missing | customer.is_nan()
    terms = {
        "rows": nw.len(),
        "ids": customer.n_unique(),
        "missing": missing.cast(nw.Int64).sum(),
    }
    try:
        count = to_pandas(table.select(**terms)).iloc[0]
    except TypeError as error:  # values of pandas that cannot be compared, such as lists
        raise DataError(f"expected numbers or text in {CUSTOMER}: {error}") from error
    if count["missing"]:
        raise DataError(
            f"expected a {CUSTOMER} in every row; got {int(count['missing']):,} rows without one"
        )
    if count["ids"] < count["rows"]:
        twice = table.group_by(CUSTOMER).agg(nw.len().alias("n")).filter(nw.col("n") > 1)
        ids = to_pandas(twice.sort(CUSTOMER).head(MAX_LISTED_ROWS))[CUSTOMER].tolist()
        raise DataError(
            f"expected one row per {CUSTOMER} (without such a column the index of a pandas table is"
            f" it); got {int(count['rows'] - count['ids']):,} rows too many, of"
            f" {', '.join(map(repr, ids))} and so on: keep one row of each, or drop what is no id"
        )


def check_rows(table: nw.LazyFrame[Any], weights: str | None) -> None:
    """Refuse rows that no customer can have, naming the first ones."""
    numbers = [FREQUENCY, RECENCY, T]
    if MONETARY in table.collect_schema().names():
        numbers.append(MONETARY)
    x, t_x, t_obs = nw.col(FREQUENCY), nw.col(RECENCY), nw.col(T)
    columns = [nw.col(name) for name in numbers]
    not_finite = [~column.is_finite() | column.is_null() for column in columns]
    unknown = nw.any_horizontal(*not_finite, ignore_nulls=False)
    negative = nw.any_horizontal(*(column < 0 for column in columns), ignore_nulls=False)
    named = ", ".join(numbers)
    tests = {
        f"finite numbers in {named}": unknown,
        f"no negative number in {named}": negative,
        "whole numbers of repeat purchases in frequency": x != x.round(0),
        "recency no greater than T": t_x > t_obs + ROUNDING,
        "recency 0 where frequency is 0": (x == 0) & (t_x > 0),
        "recency above 0 where frequency is": (x > 0) & (t_x == 0),
    }
    listed = [CUSTOMER, *numbers]
    if weights is not None:
        n = nw.col(weights)
        tests[f"whole numbers of customers, at least 1, in {weights}"] = (
            (n < 1) | (n != n.round(0)) | ~n.is_finite() | n.is_null()
        )
        listed.append(weights)
    for expected, bad in tests.items():
        wrong = table.filter(bad)
        rows = to_pandas(wrong.select(*listed).head(MAX_LISTED_ROWS))
        if len(rows):
            total = int(to_pandas(wrong.select(nw.len().alias("n")))["n"].iloc[0])
            raise DataError(
                f"expected {expected}; got {total:,} other rows, the first:"
                f" {rows.to_dict('records')}"
            )
    if not int(to_pandas(table.select(nw.len().alias("n")))["n"].iloc[0]):
        raise DataError("expected customers; the table has no rows")
