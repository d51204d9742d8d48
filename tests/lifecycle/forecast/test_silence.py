"""Dates of the next stages against scoring again on those days."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.lifecycle import stage_entry_dates

LEVELS = {"drowsy_on": 0.70, "half_asleep_on": 0.45, "asleep_on": 0.20}
UNTIL = pd.Timestamp("1997-09-30")


@pytest.mark.parametrize(("family", "method"), [("bg/nbd", "mle"), ("mbg/nbd", "laplace")])
def test_scored_again_on_the_day_the_stage_is_entered(
    customers: ls.Summary, family: str, method: str
) -> None:
    model = ls.fit(customers, purchases=family, method=method, draws=10)
    dated = stage_entry_dates(model, ls.assign_stages(model.predict(customers)))
    for name, level in LEVELS.items():
        ahead = dated[dated[name] > UNTIL].head(100)
        assert len(ahead) > 50
        for day, below in ((0, True), (-1, False)):
            silent = ahead[["customer_id", "frequency", "recency", "monetary_value"]].assign(
                T=ahead["T"] + ((ahead[name] - UNTIL).dt.days + day) / 7
            )
            later = ls.Summary.from_frame(
                silent, period="week", stage_window=customers.stage_window
            )
            assert ((model.predict(later)["activity_ratio"] < level) == below).all()


def test_dates_agree_with_the_stages_of_today(model: ls.LTVModel, customers: ls.Summary) -> None:
    dated = stage_entry_dates(model, ls.assign_stages(model.predict(customers)))
    asleep, drowsy = dated["asleep_on"] <= UNTIL, dated["drowsy_on"] <= UNTIL
    assert (asleep == (dated["activity_stage"] == "asleep")).all()
    assert (~drowsy == dated["activity_stage"].isin(["new", "active"])).all()
    assert (dated["review_on"].isna() == asleep).all()
    ahead = (
        dated[["drowsy_on", "half_asleep_on", "asleep_on"]]
        .where(dated[list(LEVELS)] > UNTIL)
        .min(axis=1)
    )
    assert (ahead.dropna() == dated["review_on"].dropna()).all()
    known = dated.dropna(subset=list(LEVELS))
    assert (known["drowsy_on"] <= known["half_asleep_on"]).all()
    assert (known["half_asleep_on"] <= known["asleep_on"]).all()


def test_engines_agree_and_contacts_have_no_date(model: ls.LTVModel, customers: ls.Summary) -> None:
    staged = ls.assign_stages(
        model.predict(customers), contacts=pd.DataFrame({"customer_id": [999_999]})
    )
    dated = stage_entry_dates(model, staged)
    assert dated.loc[dated["customer_id"] == 999_999, list(LEVELS)].isna().all(axis=None)
    other = stage_entry_dates(model, duckdb.connect().from_df(staged)).df()
    both = dated.merge(other, on="customer_id", suffixes=("", "_other"))
    for name in LEVELS:
        assert (
            both[name].astype("datetime64[s]") == both[f"{name}_other"].astype("datetime64[s]")
        )[:-1].all()


def test_a_day_is_needed(customers: ls.Summary) -> None:
    bare = ls.Summary.from_frame(
        customers.table[["frequency", "recency", "T", "monetary_value"]], period="week"
    )
    lone = ls.fit(bare)
    with pytest.raises(ConfigError, match="expected until="):
        stage_entry_dates(lone, lone.predict(bare))
