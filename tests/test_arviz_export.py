"""The tree that ArviZ reads, and leave-one-out over customers made from distinct rows."""

from __future__ import annotations

from dataclasses import replace

import arviz as az
import numpy as np
import pytest

import lifestage as ls
from lifestage.arviz_export import compare, loo, to_arviz
from lifestage.data.compress import compress
from lifestage.errors import ConfigError
from lifestage.families import bgnbd


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
    assert set(tree.children) == {"posterior", "prior", "log_likelihood", "observed_data", "posterior_predictive"}
    assert dict(tree["posterior"].sizes) == {"chain": 1, "draw": 200}
    np.testing.assert_array_equal(tree["posterior"]["v"].values[0], fitted.parts["spend"].draws["v"])
    assert tree["posterior"].attrs["purchases_pareto_k"] == fitted.purchases.diagnostics["pareto_k"]
    sampled = chained.to_arviz()
    assert set(sampled.children) == {"posterior", "prior", "sample_stats"}
    assert dict(sampled["posterior"].sizes) == {"chain": 2, "draw": 50}
    np.testing.assert_array_equal(sampled["posterior"]["r"].values[1], chained.purchases.draws["r"][50:])
    flags = sampled["sample_stats"]["diverging"].values
    assert flags.shape == (2, 50)
    together = {i for part in chained.parts.values() for i in part.diagnostics["divergent"]}
    assert set(np.flatnonzero(flags).tolist()) == together


def test_log_likelihood_times_weight_is_that_of_the_base(model: ls.LTVModel, customers: ls.Summary) -> None:
    tree = model.to_arviz(customers)
    likelihood, data = tree["log_likelihood"], tree["observed_data"]
    purchases = float((likelihood["purchases"] * data["weight"]).sum())
    assert purchases == pytest.approx(model.log_likelihood("purchases"), rel=1e-10)
    spend = float((likelihood["spend"] * data["spend_weight"]).sum())
    assert spend == pytest.approx(model.log_likelihood("spend"), rel=1e-10)
    assert float(data["weight"].sum()) == customers.customers
    assert "prior" not in tree.children  # maximum likelihood has none


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
    assert az.loo(tree, var_name="purchases").n_data_points == compress(few).x.size


@pytest.mark.parametrize("part", ["purchases", "spend"])
def test_loo_is_that_of_rows_repeated_by_their_weights(fitted: ls.LTVModel, few: ls.Summary, part: str) -> None:
    tree, counts = fitted.to_arviz(few), compress(few)
    row, weight = {"purchases": ("row", counts.weight), "spend": ("spend_row", counts.spend_weight)}[part]
    assert weight.max() > 1
    repeated = tree["log_likelihood"].to_dataset().isel({row: np.repeat(np.arange(weight.size), weight.astype(int))})
    tree["log_likelihood"] = repeated
    theirs, ours = az.loo(tree, var_name=part, reff=1.0, pointwise=True), loo(fitted, counts, part)
    assert ours.n_data_points == theirs.n_data_points == weight.sum()
    for name in ("elpd", "se", "p", "n_samples", "good_k", "warning"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-10), name
    np.testing.assert_allclose(np.sort(ours.elpd_i.values), np.sort(theirs.elpd_i.values))
    assert "elpd_loo" in str(ours)


def test_models_are_compared(few: ls.Summary) -> None:
    base = ls.fit(few, spend=None, method="laplace", draws=150, seed=1)
    off = replace(base.purchases, draws={**base.purchases.draws, "r": 3 * base.purchases.draws["r"]})
    table = compare({"wrong": replace(base, purchases=off), "right": base}, few)
    assert list(table.index) == ["right", "wrong"]
    assert table["elpd"].astype(float).idxmax() == "right"


def test_a_thinned_model_has_one_chain(chained: ls.LTVModel) -> None:
    tree = chained.thinned(30).to_arviz()
    assert dict(tree["posterior"].sizes) == {"chain": 1, "draw": 30}
    assert "sample_stats" not in tree.children
    assert chained.thinned(1000).purchases.diagnostics["chains"] == 2


def test_what_cannot_be_done_is_said(
    model: ls.LTVModel, fitted: ls.LTVModel, few: ls.Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="expected draws"):
        loo(model, few)
    with pytest.raises(ConfigError, match="part must be one of"):
        loo(replace(fitted, spend=None), few, "spend")
    monkeypatch.setattr("lifestage.arviz_export.MOST_VALUES", 1000)
    with pytest.raises(ConfigError, match=r"thinned\(draws\)"):
        to_arviz(fitted, few)


def test_replicated_customers_are_those_of_the_model(fitted: ls.LTVModel, customers: ls.Summary) -> None:
    tree = fitted.to_arviz(customers)
    observed, again = tree["observed_data"], tree["posterior_predictive"]
    assert dict(again.sizes) == {"chain": 1, "draw": 200, "customer": 1000, "buyer": 946}
    assert observed["repeat_purchases"].dtype == again["repeat_purchases"].dtype == np.dtype("int64")
    repeat_rate = float((observed["repeat_purchases"] > 0).mean())
    assert repeat_rate == pytest.approx(946 / 2357, abs=0.05)  # the sample is one of customers, not of rows
    fresh = customers.table["T"].to_numpy()
    params = fitted.purchases.estimate
    expected = float(bgnbd.p_purchase(fresh, 0, 0, 0, **params).mean())
    assert float((again["repeat_purchases"] > 0).mean()) == pytest.approx(expected, abs=0.015)
    medians = again["mean_spend"].median("buyer")
    assert float(observed["mean_spend"].median()) == pytest.approx(float(medians.mean()), rel=0.2)
    same = fitted.to_arviz(customers)["posterior_predictive"]["repeat_purchases"]
    np.testing.assert_array_equal(again["repeat_purchases"], same)


def test_arviz_draws_the_predictive_check(fitted: ls.LTVModel, customers: ls.Summary) -> None:
    import matplotlib.pyplot as plt

    tree = fitted.to_arviz(customers)
    az.plot_ppc_rootogram(tree, var_names=["repeat_purchases"])
    az.plot_ppc_dist(tree, var_names=["mean_spend"])
    plt.close("all")
