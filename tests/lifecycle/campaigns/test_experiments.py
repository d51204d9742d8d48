"""Tests with a control group: the lot, their size against simulated power, and their readout against known effects."""

from __future__ import annotations

import duckdb
import mpmath
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import analyze_experiment, randomize, sample_size


def shop(n: int = 2000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    stage = rng.choice(["active", "drowsy", "asleep"], n, p=[0.2, 0.3, 0.5])
    chance = pd.Series(stage).map({"active": 0.5, "drowsy": 0.25, "asleep": 0.05}).to_numpy()
    names = [("客", "ü", " ", "N")[i % 4] + str(i) for i in range(n)]
    return pd.DataFrame(
        {
            "customer_id": names,
            "activity_stage": stage,
            "p_purchase": chance,
            "ltv": rng.gamma(2, 10, n).round(2),
        }
    )


def test_the_assignment_is_fair_and_the_same_for_every_kind_and_order() -> None:
    base = shop()
    one = randomize(base, share=0.3, seed=5)
    assert (one["group"] == "treatment").mean() == pytest.approx(0.3, abs=0.003)
    by = one.groupby("stratum")["group"].agg(lambda group: (group == "treatment").sum())
    size = one.groupby("stratum").size()
    assert ((by - 0.3 * size).abs() < 1).all()
    assert size.size == 12
    mixed = randomize(base.sample(frac=1, random_state=1), share=0.3, seed=5)
    treated = set(one.loc[one["group"] == "treatment", "customer_id"])
    assert treated == set(mixed.loc[mixed["group"] == "treatment", "customer_id"])
    other = randomize(pl.from_pandas(base), share=0.3, seed=5)
    assert isinstance(other, pl.DataFrame)
    assert treated == set(other.filter(pl.col("group") == "treatment")["customer_id"])
    rel = randomize(duckdb.from_df(base), share=0.3, seed=5).df()
    assert treated == set(rel.loc[rel["group"] == "treatment", "customer_id"])
    again = randomize(base, share=0.3, seed=6)
    assert len(treated & set(again.loc[again["group"] == "treatment", "customer_id"])) < 0.5 * len(
        treated
    )


def test_the_assignment_does_not_depend_on_the_customer() -> None:
    values = []
    for seed in range(200):
        assigned = randomize(shop(200).assign(x=np.arange(200.0)), by=(), seed=seed)
        rank = assigned["customer_id"].str.extract(r"(\d+)")[0].astype(float)
        values.append(
            rank[assigned["group"] == "treatment"].mean()
            - rank[assigned["group"] == "control"].mean()
        )
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(200)
    assert np.std(values) == pytest.approx(np.sqrt(200**2 / 12 * 4 / 200), rel=0.2)


def test_power_is_what_was_asked_for() -> None:
    table = sample_size(shop(), 0.3, power=0.8).set_index("stage")
    rng = np.random.default_rng(1)
    for stage in ("active", "drowsy"):
        n, p = int(table.loc[stage, "treatment"]), table.loc[stage, "baseline"]
        yes, no = rng.binomial(n, 1.3 * p, 20_000), rng.binomial(n, p, 20_000)
        mean = (yes + no) / (2 * n)
        z = (yes - no) / n / np.sqrt(2 * mean * (1 - mean) / n)
        assert (np.abs(z) > stats.norm.ppf(0.975)).mean() == pytest.approx(0.8, abs=0.015)
    row = table.loc["all"]
    assert row["customers"] == 2000
    least = (
        sample_size(shop(), float(table.loc["drowsy", "detectable_uplift"]))
        .set_index("stage")
        .loc["drowsy"]
    )
    assert least["needed"] == pytest.approx(least["customers"], abs=2)
    assert least["enough"]
    high = sample_size(shop().query("activity_stage == 'active'"), 1.5)
    assert high["treatment"].isna().all()
    assert not high["enough"].any()


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 0.1])
def test_intervals_cover_the_truth(effect: float) -> None:
    inside, differences = [], []
    for seed in range(400):
        base, rng = shop(400, seed), np.random.default_rng(seed)
        test = randomize(base, seed=seed, share=0.4)
        probability = test.merge(base[["customer_id", "p_purchase"]])["p_purchase"] + effect * (
            test["group"] == "treatment"
        )
        outcome = test[["customer_id"]].assign(purchases=rng.poisson(probability))
        row = analyze_experiment(
            test, outcome[outcome["purchases"] > 0], by="activity_stage"
        ).set_index(["measure", "group"])
        total = row.loc[("purchases", "all")]
        inside.append(total["low"] <= effect <= total["high"])
        differences.append(total["difference"])
    assert stats.binomtest(int(np.sum(inside)), 400, 0.9).pvalue > 0.01
    assert np.mean(differences) == pytest.approx(effect, abs=4 * np.std(differences) / 20)


def test_readout_by_stage_and_measure() -> None:
    base = shop(600)
    test = randomize(base)
    treated = (test["group"] == "treatment").astype(float)
    outcome = test[["customer_id"]].assign(purchases=treated, revenue=10 * treated + 5)
    table = analyze_experiment(
        test, outcome, measures=("purchases", "revenue"), by="activity_stage"
    )
    assert table["measure"].unique().tolist() == ["bought", "purchases", "revenue"]
    np.testing.assert_allclose(table.loc[table["measure"] == "revenue", "difference"], 10)
    assert table.groupby("measure")["treated"].first().eq(int(treated.sum())).all()


def test_no_uplift_without_a_control_group() -> None:
    test = randomize(shop(100))
    none = test[["customer_id"]].assign(purchases=1)
    with pytest.raises(DataError, match="missing: control"):
        analyze_experiment(test.assign(group="treatment"), none)
    with pytest.raises(DataError, match="missing: treatment"):
        analyze_experiment(test[test["group"] == "control"], none)
    with pytest.raises(DataError, match="0 or more in the outcome; 1 are not"):
        analyze_experiment(test, none.assign(purchases=[-1, *[0] * 99]))
    with pytest.raises(DataError, match="none of them was part of it"):
        analyze_experiment(test, pd.DataFrame({"customer_id": ["x"], "purchases": [1]}))
    with pytest.raises(DataError, match="one row per customer"):
        randomize(pd.concat([shop(10), shop(10)]))
    with pytest.raises(ConfigError, match="share must be between 0 and 1"):
        randomize(shop(10), share=1.0)
    with pytest.raises(ConfigError, match="uplift must be above 0"):
        sample_size(shop(10), 0.0)


def one_stage(base: float, customers: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"customer_id": range(customers), "activity_stage": "active", "p_purchase": base}
    )


def needed_by_mpmath(base: float, raised: float, share: float = 0.5) -> float:
    """Treated customers for a power of 80 % at 5 %: Fleiss's formula in other numbers and other code."""
    with mpmath.workdps(40):
        p0, p1, k = (
            mpmath.mpf(base),
            mpmath.mpf(raised),
            (1 - mpmath.mpf(share)) / mpmath.mpf(share),
        )
        half = [mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(q) - 1) for q in ("0.975", "0.8")]
        middle = (p1 + k * p0) / (1 + k)
        null = mpmath.sqrt((1 + 1 / k) * middle * (1 - middle))
        other = mpmath.sqrt(p1 * (1 - p1) + p0 * (1 - p0) / k)
        return float(((half[0] * null + half[1] * other) / (p1 - p0)) ** 2)


def test_size_as_published() -> None:
    # R, ?power.prop.test: power.prop.test(p1 = .50, p2 = .75, power = .90) needs n = 76.7 in each group
    row = sample_size(one_stage(0.5, 200), 0.5, power=0.9).iloc[0]
    assert (row["treatment"], row["control"], row["enough"]) == (77, 77, True)


@pytest.mark.parametrize("share", [0.5, 0.3])
def test_detectable_uplift_is_finite_and_right_for_every_base_rate(share: float) -> None:
    rates = np.concatenate([np.linspace(0.001, 0.999, 400), [1 / 3, 0.07, 0.58, 1e-4]])
    customers = 600
    staged = pd.concat(
        [one_stage(p, customers).assign(activity_stage=f"{i:03}") for i, p in enumerate(rates)]
    )
    table = sample_size(staged, 0.1, share=share).iloc[:-1]
    treated = customers * share
    reachable = np.array([needed_by_mpmath(p, 1.0, share) <= treated for p in rates])
    assert reachable.mean() > 0.9
    np.testing.assert_array_equal(np.isfinite(table["detectable_uplift"]), reachable)
    for p, uplift in zip(
        rates[reachable], table["detectable_uplift"].to_numpy()[reachable], strict=True
    ):
        assert needed_by_mpmath(p, min(p * (1 + uplift), 1.0), share) == pytest.approx(
            treated, rel=1e-8
        )


def test_the_detectable_uplift_is_seen_by_the_customers_there_are() -> None:
    for base, customers in ((0.2, 1000), (0.07, 333), (1 / 3, 57)):
        staged = one_stage(base, customers)
        for share in (0.5, 0.3, 0.2):
            least = sample_size(staged, 0.1, share=share)["detectable_uplift"].iloc[0]
            row = sample_size(staged, least, share=share).iloc[0]
            assert row["enough"], (base, share)
            assert not sample_size(staged, least * 0.98, share=share)["enough"].iloc[0]


def test_whole_numbers_stay_whole_and_nothing_is_reachable_without_customers() -> None:
    row = sample_size(one_stage(1 / 3, 40), 2.0).iloc[0]  # 1/3 · 3 is 1 but for a rounding error
    assert row["expected"] == 1.0
    assert np.isfinite(row["detectable_uplift"])
    assert np.isinf(sample_size(one_stage(0.999, 40), 0.001)["detectable_uplift"].iloc[0])
    assert np.isinf(sample_size(one_stage(1.0, 40), 0.1)["detectable_uplift"].iloc[0])
    with pytest.raises(ConfigError, match="power must be above alpha"):
        sample_size(one_stage(0.2, 40), 0.1, power=0.05)
