"""Value by channel and cohort, and what customers at risk are expected to buy, as plain rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.names import CUSTOMER, FREQUENCY, KEYS, MONETARY
from lifestage.core.plain import records
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.lifecycle.campaigns.acquisition import acquisition_limits
from lifestage.lifecycle.metrics.groups import COHORT, MAX_GROUPS, group_column, group_totals
from lifestage.report.facts.sample import sample_buyers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["at_risk_facts", "group_facts"]

WEIGHT = "__stands_for"
"""Column of how many customers one of a sample represents."""

TERMS = ("horizon", "discount_rate", "margin", "level")


def at_risk_facts(
    model: LTVModel, staged: Any, terms: Mapping[str, float], size: int
) -> dict[str, Any] | None:
    """What customers at risk are expected to buy and to be worth, from about *size* of them."""
    table, _ = lazy(staged)
    names = table.collect_schema().names()
    columns = [name for name in (CUSTOMER, *KEYS, MONETARY, "revenue") if name in names]
    at_risk = table.filter(nw.col("at_risk")).select(*columns, "at_risk").to_native()
    sample, count = sample_buyers(at_risk, size)
    if not count:
        return None
    sample = sample.assign(**{WEIGHT: count / len(sample)})
    group, *_ = records(
        group_totals(
            model,
            sample,
            "at_risk",
            **_values(terms),
            weight=WEIGHT,
        )
    )
    return group


def _values(terms: Mapping[str, float]) -> dict[str, float]:
    return {name: terms[name] for name in TERMS}


def group_facts(
    model: LTVModel, staged: Any, sample: Any, terms: Mapping[str, float], cac: float | None
) -> list[dict[str, Any]]:
    """Value by channel and by cohort, as far as they are known and few.

    Means are those of all customers in *staged*, intervals are computed from the *sample*.
    """
    names = lazy(staged)[0].collect_schema().names()
    if model.spend is None or "revenue" not in names:
        return []
    quantile, groups = (1 - terms["level"]) / 2, []
    for by, column in (("channel", "channel"), (COHORT, "first_purchase")):
        if column not in names:
            continue
        sums = _sums(staged, by, column)
        if 1 < len(sums) <= MAX_GROUPS:
            rows = _group_rows(model, sample, by, sums, terms, cac)
            groups.append({"by": by, "quantile": quantile, "rows": rows})
    return groups


def _sums(staged: Any, by: str, column: str) -> pd.DataFrame:
    """Customers, revenue and LTV of each group, of all customers."""
    buyers = lazy(staged)[0].filter(~nw.col(FREQUENCY).is_null())
    sums = buyers.group_by(column).agg(
        nw.len().alias("customers"), nw.col("revenue").sum(), nw.col("ltv").sum()
    )
    named: pd.DataFrame = group_column(nw.from_native(to_pandas(sums)), by).to_native()
    return named.groupby("_group")[["customers", "revenue", "ltv"]].sum()


def _group_rows(
    model: LTVModel,
    sample: Any,
    by: str,
    sums: pd.DataFrame,
    terms: Mapping[str, float],
    cac: float | None,
) -> list[dict[str, Any]]:
    part = to_pandas(group_column(nw.from_native(sample), by))
    weight = sums["customers"] / part["_group"].value_counts()
    part = part.assign(**{WEIGHT: part["_group"].map(weight)})
    limits = acquisition_limits(
        model,
        part,
        by,
        quantile=(1 - terms["level"]) / 2,
        cac=cac,
        weight=WEIGHT,
        **_values(terms),
    )
    sums.loc["total"] = sums.sum()
    return records(_of_all(limits, sums, terms))


def _of_all(
    table: pd.DataFrame,
    sums: pd.DataFrame,
    terms: Mapping[str, float],
) -> pd.DataFrame:
    """Means of all customers of each group, with the relative spread of the LTV in the sample."""
    groups = [*sorted(sums.index.drop("total")), "total"]
    table = table.set_index("group").reindex(groups).reset_index(names="group")
    exact = sums.loc[table["group"]].reset_index(drop=True)
    people, ltv = exact["customers"], exact["ltv"] / exact["customers"]
    past, growth = terms["margin"] * exact["revenue"] / people, ltv / table["ltv"]
    out = table.assign(
        customers=people.astype(int),
        past_margin=past,
        ltv=ltv,
        worth=past + ltv,
    )
    for name in ("worth_low", "worth_high", "max_cac"):
        out[name] = past + (table[name] - table["past_margin"]) * growth
    if "cac" in out:
        out["cac"] = out["cac"].bfill()
        for end in ("", "_low", "_high"):
            out[f"ltv_to_cac{end}"] = out[f"worth{end}"] / out["cac"].where(out["cac"] > 0)
        out["pays"] = out["cac"] <= out["max_cac"]
    return out
