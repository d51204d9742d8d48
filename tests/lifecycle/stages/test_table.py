from __future__ import annotations

import pandas as pd
import pytest

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import TAXONOMIES, assign_stages, stage_table
from lifestage.lifecycle.stages.taxonomies import column_of
from tests.lifecycle.tables import KINDS, as_kind, random_scores, scores, to_pandas

COLUMNS = [
    *(
        "taxonomy",
        "stage",
        "label",
        "customers",
        "share",
        "orders",
        "revenue",
        "expected_purchases",
        "ltv",
        "ltv_share",
    ),
    *(
        "mean_activity_ratio",
        "at_risk_customers",
        "at_risk_value",
        "cannot_lose_customers",
        "goal",
        "actions",
    ),
]


def full(prospects: int = 3) -> pd.DataFrame:
    table = random_scores(5, prospects=prospects)
    bought = table["frequency"].notna()
    table["orders"] = (table["frequency"] + 2).where(bought)
    table["revenue"] = (table["frequency"] * 7.5 + 1).where(bought)
    table["expected_purchases"] = (table["activity_ratio"] * 2).where(bought)
    return table


@pytest.mark.parametrize("kind", KINDS)
def test_sums_of_every_stage(kind: str) -> None:
    staged = assign_stages(as_kind(full(), kind))
    table = stage_table(staged)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == COLUMNS
    assert list(zip(table.taxonomy, table.stage, strict=True)) == [
        (name, each.key) for name, stages in TAXONOMIES.items() for each in stages
    ]
    plain = to_pandas(staged)
    risky = plain["at_risk"].astype(bool)
    for _, row in table.iterrows():
        mine = plain[plain[column_of(row.taxonomy)] == row.stage]
        assert row.customers == len(mine) > 0
        assert row.share == pytest.approx(len(mine) / len(plain))
        assert row.orders == mine["orders"].sum()
        for name in ("revenue", "expected_purchases", "ltv"):
            assert row[name] == pytest.approx(mine[name].sum())
        assert row.ltv_share == pytest.approx(mine["ltv"].sum() / plain["ltv"].sum())
        assert row.mean_activity_ratio == pytest.approx(mine["activity_ratio"].mean(), nan_ok=True)
        assert row.at_risk_customers == (risky & plain.index.isin(mine.index)).sum()
        assert row.at_risk_value == pytest.approx(
            mine.loc[risky, "value_lost"].sum() if len(mine) else 0
        )
        assert row.cannot_lose_customers == mine["cannot_lose"].sum()
    totals = table.groupby("taxonomy")[["customers", "at_risk_customers"]].sum()
    assert (totals["customers"] == len(plain)).all()
    assert (totals["at_risk_customers"] == risky.sum()).all()
    assert risky.sum() > 0


def test_empty_stages_stay_and_prospects_go() -> None:
    table = stage_table(assign_stages(scores([{"x": 0, "r": 1.0}])))
    assert "prospect" not in set(table["stage"])
    assert table["customers"].tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert table["mean_activity_ratio"].notna().sum() == 3


def test_without_money_or_orders() -> None:
    staged = assign_stages(
        scores([{"x": 2}, {"x": 0}]).drop(columns=["expected_spend", "ltv", "value_lost"])
    )
    table = stage_table(staged)
    assert table[["revenue", "ltv", "ltv_share", "at_risk_value"]].isna().all(axis=None)
    assert table.groupby("taxonomy")["orders"].sum().tolist() == [4, 4, 4]


@pytest.mark.parametrize("lang", ["en", "zh-Hant", "zh-Hans"])
def test_texts_in_the_language_asked_for(lang: str) -> None:
    table = stage_table(assign_stages(full()), lang)
    for name, stages in TAXONOMIES.items():
        mine = table[table["taxonomy"] == name]
        assert mine["label"].tolist() == [each.labels[lang] for each in stages]
        assert mine["goal"].tolist() == [each.goals[lang] for each in stages]
        assert mine["actions"].tolist() == [each.actions[lang] for each in stages]


def test_the_door() -> None:
    with pytest.raises(ConfigError, match="lang"):
        stage_table(assign_stages(full()), "de")
    with pytest.raises(DataError, match="activity_stage"):
        stage_table(full())
