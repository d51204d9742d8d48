"""Why the LTV of a customer base changed between two runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, T
from lifestage.data.engines.frames import lazy, native, to_pandas
from lifestage.prediction.scores import predict

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel


__all__ = ["ltv_change"]


def ltv_change(
    model_before: LTVModel,
    customers_before: Summary,
    model_after: LTVModel,
    customers_after: Summary,
    *,
    horizon: float = 52,
    discount_rate: float = 0.10,
    margin: float = 1.0,
) -> pd.DataFrame:
    r"""Explain the change of the LTV of the base between two dates, step by step; the steps add up to it exactly.

    From the total before, of the model before:

    1. ``lost``: − LTV of customers whom the new data no longer hold;
    2. ``decay``: what the others would be worth on the new date had they bought nothing since;
    3. ``purchases``: what their purchases since have added to that;
    4. ``new_customers``: LTV of those who came since, still under the model before;
    5. ``refit``: the new model in the place of the old one, for everybody.

    Parameters
    ----------
    model_before, model_after : LTVModel
        With a spend model, in one period.
    customers_before, customers_after : Summary
        At the two dates, with ``until``.
    horizon, discount_rate, margin
        As in ``LTVModel.predict``, the same for both.

    Returns
    -------
    pandas.DataFrame
        ``step`` (``before``, the five, ``after``), ``customers`` it is about, ``ltv`` (money): the
        first plus the five is the last.

    Raises
    ------
    DataError
        If a date is unknown or the second one comes first, or rows stand for several customers.
    ConfigError
        If there is no spend model, or the periods differ.
    """
    import pandas as pd

    if model_before.spend is None or model_after.spend is None:
        raise ConfigError("expected models with a spend model: without one there is no LTV")
    if (
        customers_before.period != customers_after.period
        or model_before.period != model_after.period
    ):
        raise ConfigError("expected both runs in one period")
    if customers_before.until is None or customers_after.until is None:
        raise DataError("expected the last day of observation of both runs; one has no until")
    passed = (customers_after.until - customers_before.until).days / customers_before.period.days
    if passed < 0:
        raise DataError(
            f"expected the later run second; got {customers_before.until} and"
            f" {customers_after.until}"
        )
    if customers_before.weights or customers_after.weights:
        raise DataError(
            "expected one row per customer, to follow each from one date to the other; got weighted"
            " rows"
        )
    terms: dict[str, Any] = {"horizon": horizon, "discount_rate": discount_rate, "margin": margin}
    aged, kind = lazy(customers_before.table)
    silent = replace(
        customers_before,
        table=native(aged.with_columns((nw.col(T) + passed).alias(T)), kind),
        until=customers_after.until,
    )
    values = {
        "then": predict(model_before, customers_before, **terms),
        "silent": predict(model_before, silent, **terms),
        "old": predict(model_before, customers_after, **terms),
        "fresh": predict(model_after, customers_after, **terms),
    }
    frames = {
        name: lazy(scores)[0].select(CUSTOMER, nw.col("ltv").alias(name))
        for name, scores in values.items()
    }
    was = frames["then"].join(frames["silent"], on=CUSTOMER, how="inner")
    now = frames["old"].join(frames["fresh"], on=CUSTOMER, how="inner")
    stayed = was.join(frames["old"], on=CUSTOMER, how="inner")
    gone, came = was.join(now, on=CUSTOMER, how="anti"), now.join(was, on=CUSTOMER, how="anti")

    def sums(frame: nw.LazyFrame[Any], *names: str) -> list[float]:
        row = to_pandas(
            frame.select(nw.len().alias("n"), *(nw.col(name).sum() for name in names))
        ).iloc[0]
        return [float(row[name] or 0.0) for name in ("n", *names)]

    n_before, before = sums(frames["then"], "then")
    n_gone, lost = sums(gone, "then")
    n_stayed, then, quiet, bought = sums(stayed, "then", "silent", "old")
    n_new, new = sums(came, "old")
    n_after, old, after = sums(now, "old", "fresh")
    rows = [
        ("before", n_before, before),
        ("lost", n_gone, 0.0 - lost),
        ("decay", n_stayed, quiet - then),
        ("purchases", n_stayed, bought - quiet),
        ("new_customers", n_new, new),
        ("refit", n_after, after - old),
        ("after", n_after, after),
    ]
    return pd.DataFrame(rows, columns=["step", "customers", "ltv"]).astype({"customers": "int64"})
