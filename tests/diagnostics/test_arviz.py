"""The tree that ArviZ reads, and leave-one-out over customers made from distinct rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import arviz as az
import duckdb
import numpy as np
import polars as pl
import pytest
from scipy import special, stats

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.data.customers.compress import compress
from lifestage.diagnostics.arviz import to_arviz
from lifestage.families import bgnbd, gammagamma, mbgnbd
from lifestage.fitting.loo import compare, loo


@pytest.fixture(scope="module")
def fitted(customers: ls.Summary) -> ls.LTVModel:
    return ls.fit(customers, method="laplace", draws=200, seed=1)


@pytest.fixture(scope="module")
def chained(customers: ls.Summary) -> ls.LTVModel:
    return ls.fit(customers, method="nuts", draws=50, chains=2, tune=100, seed=1)


@pytest.fixture(scope="module")
def few(customers: ls.Summary) -> ls.Summary:
    """Customers among whom many are alike."""
    return replace(customers, table=customers.table.head(400))


def test_groups_and_dims(fitted: ls.LTVModel, chained: ls.LTVModel, customers: ls.Summary) -> None:
    tree = fitted.to_arviz(customers)
    of_customers = {"log_likelihood", "constant_data", "observed_data", "posterior_predictive"}
    assert set(tree.children) == {"posterior", "prior", "log_prior"} | of_customers
    assert dict(tree["posterior"].sizes) == {"chain": 1, "draw": 200}
    np.testing.assert_array_equal(
        tree["posterior"]["v"].values[0], fitted.parts["spend"].draws["v"]
    )
    assert tree["posterior"].attrs["purchases_pareto_k"] == fitted.purchases.diagnostics["pareto_k"]
    sampled = chained.to_arviz()
    assert set(sampled.children) == {"posterior", "prior", "log_prior", "sample_stats"}
    assert dict(sampled["posterior"].sizes) == {"chain": 2, "draw": 50}
    np.testing.assert_array_equal(
        sampled["posterior"]["r"].values[1], chained.purchases.draws["r"][50:]
    )
    flags = sampled["sample_stats"]["diverging"].values
    assert flags.shape == (2, 50)
    together = {i for part in chained.parts.values() for i in part.diagnostics["divergent"]}
    assert set(np.flatnonzero(flags).tolist()) == together


def test_log_likelihood_is_that_of_each_customer(
    fitted: ls.LTVModel, customers: ls.Summary
) -> None:
    likelihood = fitted.to_arviz(customers)["log_likelihood"]
    table = customers.table.set_index("customer_id")
    np.testing.assert_array_equal(likelihood["customer"], table.index)
    buyers = table.loc[likelihood["buyer"].to_numpy()]
    assert len(buyers) == ((table["frequency"] > 0) & (table["monetary_value"] > 0)).sum()
    for draw in (0, 137):
        params = {name: values[draw] for name, values in fitted.purchases.draws.items()}
        found = bgnbd.log_likelihood(table["frequency"], table["recency"], table["T"], **params)
        np.testing.assert_allclose(likelihood["purchases"][0, draw], found, rtol=1e-12)
        params = {name: values[draw] for name, values in fitted.parts["spend"].draws.items()}
        found = gammagamma.log_likelihood(buyers["frequency"], buyers["monetary_value"], **params)
        np.testing.assert_allclose(likelihood["spend"][0, draw], found, rtol=1e-12)


def test_arviz_leaves_out_customers(fitted: ls.LTVModel, customers: ls.Summary) -> None:
    """ArviZ on the tree, our result from distinct rows, and importance sampling by hand: about −9,587 on CDNOW."""
    tree = fitted.to_arviz(customers)
    theirs = az.loo(tree, var_name="purchases", reff=1.0)
    assert theirs.n_data_points == 2357
    assert theirs.elpd == pytest.approx(loo(fitted, customers).elpd, rel=1e-10)
    assert theirs.elpd == pytest.approx(-9587, abs=1.0)
    logs = tree["log_likelihood"]["purchases"][0].to_numpy()
    by_hand = -special.logsumexp(-logs, axis=0) + np.log(
        len(logs)
    )  # 1 / mean of 1 / likelihood, not smoothed
    assert theirs.elpd == pytest.approx(by_hand.sum(), abs=0.1)
    alone = replace(fitted, spend=None).to_arviz(customers)
    assert az.loo(alone, reff=1.0).elpd == pytest.approx(theirs.elpd, rel=1e-12)


def test_a_tree_of_a_point_estimate_holds_no_log_likelihood(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    tree = model.to_arviz(customers)
    assert set(tree.children) == {
        "posterior",
        "observed_data",
        "posterior_predictive",
    }  # no prior either


def test_counts_frames_and_engines_give_the_same_tree(fitted: ls.LTVModel, few: ls.Summary) -> None:
    want = fitted.to_arviz(few)["log_likelihood"]
    polars = pl.from_pandas(few.table)
    for other in (few.table, polars, replace(few, table=duckdb.from_df(few.table))):
        np.testing.assert_array_equal(
            fitted.to_arviz(other)["log_likelihood"]["purchases"], want["purchases"]
        )
    rows = fitted.to_arviz(compress(few))["log_likelihood"]
    for part in ("purchases", "spend"):
        assert float(rows[part].sum()) == pytest.approx(float(want[part].sum()), rel=1e-12)
    with pytest.raises(ConfigError, match="expected customers in periods of a "):
        fitted.to_arviz(replace(few, period=ls.Period.parse("day")))


def test_prior_sensitivity_follows_the_prior(customers: ls.Summary) -> None:
    found = {}
    for name, sigma in (("wide", 1.5), ("narrow", 0.05)):
        priors = {"r": f"LogNormal(median=0.5, sigma={sigma})"}
        model = ls.fit(customers, spend=None, method="laplace", draws=400, seed=1, priors=priors)
        tree = model.to_arviz(customers)
        found[name] = az.psense_summary(tree).loc["r"]
        theta = np.log(tree["posterior"]["r"][0].to_numpy())
        rest = np.log(customers.table["T"].mean())  # the other quantities have their default priors
        a, b, alpha = (np.log(tree["posterior"][p][0].to_numpy()) for p in ("a", "b", "alpha"))
        logs = stats.norm.logpdf(theta, np.log(0.5), sigma) + stats.norm.logpdf(
            theta - alpha + rest, 0.0, 2.0
        )
        logs += stats.norm.logpdf(a - b, np.log(0.33), 1.5)
        logs += stats.norm.logpdf(np.logaddexp(a, b), np.log(4.0), 1.5)
        np.testing.assert_allclose(tree["log_prior"]["purchases"][0], logs, rtol=1e-9)
    assert found["wide"]["prior"] < 0.05 < found["narrow"]["prior"]
    assert found["wide"]["diagnosis"] == "✓"


@pytest.mark.parametrize("how", [{}, {"method": "laplace", "draws": 60}])
def test_a_stack_has_a_tree_and_a_prior(customers: ls.Summary, how: dict[str, Any]) -> None:
    model = ls.fit(customers, purchases="stack", **how)
    size = model.size
    tree = model.to_arviz(customers)
    assert dict(tree["posterior"].sizes) == {"chain": 1, "draw": size}
    np.testing.assert_array_equal(
        tree["posterior"]["mbg-nbd: r"][0], model.purchases.draws["mbg/nbd: r"]
    )
    assert set(tree["posterior"]["v"].to_numpy().ravel()) == set(model.parts["spend"].draws["v"])
    if how:
        assert az.loo(tree, var_name="purchases").n_data_points == customers.customers
    else:
        assert "log_likelihood" not in tree.children
        with pytest.raises(ConfigError, match="expected draws"):
            loo(model, customers)
    prior = model.prior_predictive(20_000, seed=1)
    weights = model.purchases.diagnostics["weights"]
    time = float(customers.table["T"].mean())
    for name, module in (("bg/nbd", bgnbd), ("mbg/nbd", mbgnbd)):
        own = prior[prior[f"{name}: r"].notna()]
        assert len(own) / len(prior) == pytest.approx(weights[name], abs=0.02)
        assert np.log(own[f"{name}: r"]).mean() == pytest.approx(np.log(0.5), abs=0.05)
        params = {param: own[f"{name}: {param}"].iloc[0] for param in module.PARAMS}
        assert own["repeat_purchases"].iloc[0] == pytest.approx(
            module.expected_purchases(time, 0, 0, 0, **params)
        )


def test_a_stack_saved_without_units_says_so(customers: ls.Summary) -> None:
    model = ls.fit(customers, purchases="stack")
    old = {name: value for name, value in model.purchases.diagnostics.items() if name != "units"}
    with pytest.raises(ConfigError, match="fit it again"):
        replace(model, purchases=replace(model.purchases, diagnostics=old)).prior_predictive()


def test_the_prior_is_the_one_that_is_described(fitted: ls.LTVModel, customers: ls.Summary) -> None:
    prior = fitted.to_arviz()["prior"]
    tau = customers.table["T"].mean()
    logs = {
        "r": (np.log(prior["r"]), np.log(0.5), 1.5),
        "rate": (np.log(prior["r"] * tau / prior["alpha"]), 0.0, 2.0),
        "odds": (np.log(prior["a"] / prior["b"]), np.log(0.33), 1.5),
        "size": (np.log(prior["a"] + prior["b"]), np.log(4.0), 1.5),
        "q": (np.log(prior["q"]), np.log(4.0), 0.7),
    }
    for name, (values, mean, sd) in logs.items():
        assert float(values.mean()) == pytest.approx(mean, abs=4 * sd / np.sqrt(values.size)), name
        assert float(values.std()) == pytest.approx(sd, rel=0.1), name


def test_arviz_reads_it(chained: ls.LTVModel, few: ls.Summary) -> None:
    import matplotlib.pyplot as plt

    tree = chained.to_arviz(few)
    summary = az.summary(tree)
    assert list(summary.index) == ["r", "alpha", "a", "b", "p", "q", "v"]
    assert float(az.summary(tree, round_to="none")["mean"]["alpha"]) == pytest.approx(
        chained.purchases.estimate["alpha"]
    )
    for plot in (az.plot_trace, az.plot_pair):
        plot(tree, var_names=["r", "alpha"], backend="matplotlib")
    plt.close("all")
    assert az.loo(tree, var_name="purchases").n_data_points == 400


@pytest.mark.parametrize("part", ["purchases", "spend"])
def test_loo_of_rows_is_that_of_customers(fitted: ls.LTVModel, few: ls.Summary, part: str) -> None:
    counts = compress(few)
    assert (counts.weight if part == "purchases" else counts.spend_weight).max() > 1
    theirs = az.loo(fitted.to_arviz(few), var_name=part, reff=1.0, pointwise=True)
    ours = loo(fitted, counts, part)
    assert ours.n_data_points == theirs.n_data_points
    for name in ("elpd", "se", "p", "n_samples", "good_k", "warning"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-10), name
    np.testing.assert_allclose(np.sort(ours.elpd_i.values), np.sort(theirs.elpd_i.values))
    assert "elpd_loo" in str(ours)


def test_models_are_compared(few: ls.Summary) -> None:
    base = ls.fit(few, spend=None, method="laplace", draws=150, seed=1)
    off = replace(
        base.purchases, draws={**base.purchases.draws, "r": 3 * base.purchases.draws["r"]}
    )
    table = compare({"wrong": replace(base, purchases=off), "right": base}, few)
    assert list(table.index) == ["right", "wrong"]
    assert table["elpd"].astype(float).idxmax() == "right"


def test_a_thinned_model_has_one_chain(chained: ls.LTVModel) -> None:
    tree = chained.thin(30).to_arviz()
    assert dict(tree["posterior"].sizes) == {"chain": 1, "draw": 30}
    assert "sample_stats" not in tree.children
    assert chained.thin(1000).purchases.diagnostics["chains"] == 2


def test_what_cannot_be_done_is_said(
    model: ls.LTVModel, fitted: ls.LTVModel, few: ls.Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="expected draws"):
        loo(model, few)
    with pytest.raises(ConfigError, match="part must be one of"):
        loo(replace(fitted, spend=None), few, "spend")
    monkeypatch.setattr("lifestage.diagnostics.arviz.MAX_VALUES", 1000)
    with pytest.raises(
        ConfigError, match=r"got 2,357 × 200.*thin\(draws\).*lifestage\.evaluate\.loo"
    ):
        to_arviz(fitted, few)


def test_replicated_customers_are_those_of_the_model(
    fitted: ls.LTVModel, customers: ls.Summary
) -> None:
    tree = fitted.to_arviz(customers)
    observed, again = tree["observed_data"], tree["posterior_predictive"]
    assert dict(again.sizes) == {
        "chain": 1,
        "draw": 200,
        "sampled_customer": 1000,
        "sampled_buyer": 946,
    }
    assert (
        observed["repeat_purchases"].dtype == again["repeat_purchases"].dtype == np.dtype("int64")
    )
    repeat_rate = float((observed["repeat_purchases"] > 0).mean())
    assert repeat_rate == pytest.approx(
        946 / 2357, abs=0.05
    )  # the sample is one of customers, not of rows
    fresh = customers.table["T"].to_numpy()
    params = fitted.purchases.estimate
    expected = float(bgnbd.p_purchase(fresh, 0, 0, 0, **params).mean())
    assert float((again["repeat_purchases"] > 0).mean()) == pytest.approx(expected, abs=0.015)
    medians = again["mean_spend"].median("sampled_buyer")
    assert float(observed["mean_spend"].median()) == pytest.approx(float(medians.mean()), rel=0.2)
    same = fitted.to_arviz(customers)["posterior_predictive"]["repeat_purchases"]
    np.testing.assert_array_equal(again["repeat_purchases"], same)


def test_arviz_draws_the_predictive_check(fitted: ls.LTVModel, customers: ls.Summary) -> None:
    import matplotlib.pyplot as plt

    tree = fitted.to_arviz(customers)
    az.plot_ppc_rootogram(tree, var_names=["repeat_purchases"])
    az.plot_ppc_dist(tree)
    az.plot_ppc_dist(tree, var_names=["mean_spend"])
    plt.close("all")
