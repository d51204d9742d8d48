"""Steps that explain the change of the LTV of a customer base between two runs."""

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
    r"""Explain the change of the total LTV between two dates in steps that add up to it exactly.

    From the total before, under the model before:

    1. ``lost``: minus the LTV of customers whom the new data no longer hold;
    2. ``decay``: the change for the other customers had nobody bought since;
    3. ``purchases``: what their purchases since have added to that;
    4. ``new_customers``: the LTV of customers acquired since, still under the model before;
    5. ``refit``: the new model in place of the old one, for all customers.

    Parameters
    ----------
    model_before, model_after : LTVModel
        With a spend model, in one period.
    customers_before, customers_after : Summary
        At the two dates, with ``until``.
    horizon : float
        Periods of the models.
    discount_rate : float
        Per year.
    margin : float
        Share of revenue that is earned.

    Returns
    -------
    pandas.DataFrame
        One row per step: ``step`` (``before``, the five, ``after``), ``customers`` it is about,
        ``ltv`` (money). The first row plus the five steps is the last row.

    Raises
    ------
    DataError
        If a date is unknown or the later one comes first, or rows stand for several customers.
    ConfigError
        If there is no spend model, or the periods differ.

    Examples
    --------
    >>> import lifestage as ls
    >>> orders = ls.datasets.cdnow()
    >>> then = ls.summarize(orders, until="1997-06-30", period="week")
    >>> now = ls.summarize(orders, until="1997-09-30", period="week")
    >>> table = ltv_change(ls.fit(then), then, ls.fit(now), now)
    >>> table["step"].tolist()
    ['before', 'lost', 'decay', 'purchases', 'new_customers', 'refit', 'after']
    >>> abs(table["ltv"][:-1].sum() - table["ltv"].iloc[-1]) < 1e-6
    np.True_
    """
    import pandas as pd

    passed = _periods_between(model_before, customers_before, model_after, customers_after)
    terms: dict[str, Any] = {
        "horizon": horizon,
        "discount_rate": discount_rate,
        "margin": margin,
    }
    table, kind = lazy(customers_before.table)
    silent = replace(
        customers_before,
        table=native(table.with_columns((nw.col(T) + passed).alias(T)), kind),
        until=customers_after.until,
    )
    then = _ltv(predict(model_before, customers_before, **terms), "then")
    was = then.join(_ltv(predict(model_before, silent, **terms), "silent"), on=CUSTOMER)
    old = _ltv(predict(model_before, customers_after, **terms), "old")
    now = old.join(_ltv(predict(model_after, customers_after, **terms), "fresh"), on=CUSTOMER)
    stayed = was.join(old, on=CUSTOMER)
    gone = was.join(now, on=CUSTOMER, how="anti")
    came = now.join(was, on=CUSTOMER, how="anti")
    n_before, before = _sums(then, "then")
    n_gone, lost = _sums(gone, "then")
    n_stayed, at_start, quiet, bought = _sums(stayed, "then", "silent", "old")
    n_new, new = _sums(came, "old")
    n_after, unrefitted, after = _sums(now, "old", "fresh")
    rows = [
        ("before", n_before, before),
        ("lost", n_gone, 0.0 - lost),
        ("decay", n_stayed, quiet - at_start),
        ("purchases", n_stayed, bought - quiet),
        ("new_customers", n_new, new),
        ("refit", n_after, after - unrefitted),
        ("after", n_after, after),
    ]
    return pd.DataFrame(rows, columns=["step", "customers", "ltv"]).astype({"customers": "int64"})


def _periods_between(
    model_before: LTVModel,
    customers_before: Summary,
    model_after: LTVModel,
    customers_after: Summary,
) -> float:
    """Check that two runs can be compared, and return the periods between them."""
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
    return passed


def _ltv(scores: Any, name: str) -> nw.LazyFrame[Any]:
    return lazy(scores)[0].select(CUSTOMER, nw.col("ltv").alias(name))


def _sums(frame: nw.LazyFrame[Any], *names: str) -> list[float]:
    """How many customers there are, and the sum of each column."""
    sums = frame.select(nw.len().alias("customers"), nw.col(*names).sum())
    row = to_pandas(sums).iloc[0]
    return [float(row[name] or 0.0) for name in ("customers", *names)]
