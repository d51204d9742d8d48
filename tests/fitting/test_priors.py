"""Priors that users give: the laws against scipy, the change of variables, what they do to a fit, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.families import SPEND, bgnbd, gammagamma, mbgnbd, pareto_nbd
from lifestage.fitting.prior_distributions import DISTRIBUTIONS, draw, prior_density, prior_text
from lifestage.fitting.priors import check_prior_names, choose_priors, log_prior, sample_prior

LAW = {
    "Beta(alpha=2, beta=3)": stats.beta(2, 3),
    "Exponential(lam=0.5)": stats.expon(scale=2),
    "Gamma(alpha=2, beta=4)": stats.gamma(2, scale=0.25),
    "HalfCauchy(beta=3)": stats.halfcauchy(scale=3),
    "HalfNormal(sigma=2)": stats.halfnorm(scale=2),
    "InverseGamma(alpha=3, beta=2)": stats.invgamma(3, scale=2),
    "LogNormal(mu=1, sigma=0.5)": stats.lognorm(0.5, scale=np.e),
    "Pareto(alpha=1, m=1)": stats.pareto(1, scale=1),
    "Uniform(lower=1, upper=4)": stats.uniform(1, 3),
    "Weibull(alpha=2, beta=10)": stats.weibull_min(2, scale=10),
}
SCALE = {"time": 30.0, "money": 35.0}
GIVEN = {
    "alpha": "Gamma(2, 0.2)",
    "dropout": "Beta(1, 3)",
    "size": "Pareto(1, 1)",
    "q": "HalfCauchy(4)",
    "v": "LogNormal(median=20, sigma=1)",
}
MODULES = {"bg/nbd": bgnbd, "mbg/nbd": mbgnbd, "pareto/nbd": pareto_nbd}


def test_every_law_is_tested() -> None:
    assert {text.split("(")[0] for text in LAW} == set(DISTRIBUTIONS)


@pytest.mark.parametrize("text", LAW)
def test_a_law_is_that_of_scipy_on_the_scale_of_logarithms(text: str) -> None:
    law, density = LAW[text], prior_density(prior_text(text, "r"))
    x = law.ppf(np.linspace(0.03, 0.97, 21))
    found = np.array([density(u) for u in np.log(x)])
    np.testing.assert_allclose(found[:, 0], law.logpdf(x) + np.log(x), rtol=1e-9, atol=1e-9)
    step = 1e-6
    ahead, behind = (np.array([density(u + s)[0] for u in np.log(x)]) for s in (step, -step))
    np.testing.assert_allclose(found[:, 1], (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "law"), [("Beta(2, 3)", stats.beta(2, 3)), ("Uniform(0, 1)", stats.uniform())]
)
def test_a_share_has_a_density_of_its_log_odds(text: str, law: stats.rv_continuous) -> None:
    density = prior_density(prior_text(text, "dropout", share=True), share=True)
    d = np.linspace(0.01, 0.99, 25)
    found = np.array([density(u) for u in np.log(d / (1 - d))])
    np.testing.assert_allclose(found[:, 0], law.logpdf(d) + np.log(d) + np.log1p(-d), rtol=1e-10)
    assert quad(lambda u: np.exp(density(u)[0]), -25, 25)[0] == pytest.approx(1, abs=1e-6)
    assert np.isfinite(density(60.0)).all()
    assert np.isfinite(density(-60.0)).all()


@pytest.mark.parametrize("text", LAW)
def test_draws_follow_the_law(text: str) -> None:
    z = np.random.default_rng(1).standard_normal(2000)
    assert stats.kstest(np.exp(draw(prior_text(text, "r"), z)), LAW[text].cdf).pvalue > 0.01


def test_beyond_an_edge_the_density_falls_steeply_but_does_not_end() -> None:
    density = prior_density("Pareto(alpha=1, m=1)")
    inside, outside = density(0.0), density(-0.05)
    assert outside[0] == pytest.approx(inside[0] - 12.5)
    assert outside[1] > 0


@pytest.mark.parametrize("given", [{}, GIVEN, {"a": "Gamma(2, 2)", "b": "HalfNormal(4)"}])
@pytest.mark.parametrize("name", ["bg/nbd", "mbg/nbd", "pareto/nbd", "gamma-gamma"])
def test_the_joint_density_is_a_density_and_its_gradient_is_exact(
    name: str, given: dict[str, str]
) -> None:
    """Self-normalised importance sampling from the prior itself must agree with its density: E[q/p] = 1."""
    module = (MODULES | SPEND)[name]
    unit = SCALE["money" if name in SPEND else "time"]
    units = np.array([unit ** module.UNITS[param] for param in module.PARAMS])
    chosen = choose_priors(module, given)
    density = log_prior(module, chosen, units)
    theta = sample_prior(module, 4000, 3, chosen, units)
    center, spread = theta.mean(axis=0), np.cov(theta.T) * 0.3
    other = stats.multivariate_normal(center, spread)
    at = other.rvs(4000, random_state=4)
    ratio = np.exp([density(row)[0] for row in theta] - other.logpdf(theta))
    assert np.mean(1 / ratio) == pytest.approx(
        1, abs=0.08
    )  # the other density integrates to 1 under the prior
    for row in at[:5]:
        value, gradient = density(row)
        numeric = [
            (density(row + h)[0] - density(row - h)[0]) / 2e-6 for h in 1e-6 * np.eye(row.size)
        ]
        np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-5)
        assert np.isfinite(value)


def test_a_tight_prior_holds_its_quantity_and_leaves_the_rest(customers: ls.Summary) -> None:
    laws = {"dropout": "Beta(alpha=4000, beta=36000)", "v": "LogNormal(median=40, sigma=0.01)"}
    model = ls.fit(customers, method="laplace", draws=2000, priors=laws)
    draws = model.purchases.draws
    assert float(np.mean(draws["a"] / (draws["a"] + draws["b"]))) == pytest.approx(0.1, abs=0.01)
    assert model.spend is not None
    assert model.spend.estimate["v"] == pytest.approx(40, rel=0.01)
    assert model.purchases.priors["dropout"] == "Beta(alpha=4000, beta=36000)"
    assert model.purchases.priors["r"] == bgnbd.PRIORS.defaults["r"]


def test_a_prior_in_periods_fits_the_same_in_days(cdnow: object) -> None:
    fits = {}
    for period, median in {"week": 10, "day": 70}.items():
        base = ls.summarize(cdnow, until="1997-09-30", period=period)
        laws = {"alpha": f"LogNormal(median={median}, sigma=0.1)"}
        fits[period] = ls.fit(base, spend=None, method="map", priors=laws).purchases.estimate
    assert fits["day"]["alpha"] == pytest.approx(7 * fits["week"]["alpha"], rel=1e-6)
    assert fits["week"]["alpha"] > 5.5  # 4.4 without that prior
    assert fits["day"]["r"] == pytest.approx(fits["week"]["r"], rel=1e-6)


def test_the_chosen_priors_are_kept_and_drawn_from(customers: ls.Summary, tmp_path: object) -> None:
    model = ls.fit(
        customers, method="map", priors={"dropout": "Uniform(0.2, 0.3)", "alpha": "Gamma(200, 50)"}
    )
    again = ls.load(model.save(f"{tmp_path}/model"))
    assert dict(again.purchases.priors) == dict(model.purchases.priors)
    prior = again.prior_predictive(draws=500, seed=2)
    assert prior["dropout"].between(0.2, 0.3).all()
    assert prior["alpha"].mean() == pytest.approx(4, abs=0.1)


def test_objects_of_other_packages_are_read() -> None:
    class Gamma:
        param_names, params = ("alpha", "beta"), (2.0, np.float64(4))

    class Prior:
        distribution, parameters = "Weibull", {"alpha": 2, "beta": 10}

    assert prior_text(Gamma(), "r") == "Gamma(alpha=2, beta=4)"
    assert prior_text(Prior(), "r") == "Weibull(alpha=2, beta=10)"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"x": "Gamma(1, 1)"}, "got one of x"),
        ({"a": "Gamma(1, 1)"}, "both a and b"),
        ({"alpha": "Gamma(1, 1)", "rate": "Gamma(1, 1)"}, "both of rate"),
        ({"dropout": "Beta(1, 1)", "a": "Gamma(1, 1)", "b": "Gamma(1, 1)"}, "both of odds"),
        ({"r": "Normal(0, 1)"}, "such as Beta"),
        ({"r": "Gamma(1)"}, "expected Gamma"),
        ({"r": "Gamma(1, 0)"}, "positive parameters"),
        ({"r": "HalfNormal(-1)"}, "positive parameters"),
        ({"r": "Gamma(1, 1, 1)"}, "such as Beta"),
        ({"r": "__import__('os')"}, "such as Beta"),
        ({"r": 3}, "got 3"),
        ({"r": "Uniform(-1, 1)"}, "within"),
        ({"dropout": "Gamma(1, 1)"}, "within"),
    ],
)
def test_wrong_priors_are_refused(given: dict[str, object], told: str) -> None:
    def choose() -> None:
        check_prior_names(given, [bgnbd, gammagamma])
        choose_priors(bgnbd, given)

    with pytest.raises(ConfigError, match=told):
        choose()


def test_the_defaults_of_pareto_nbd_are_free_of_units() -> None:
    """r, s ~ LogNormal(0.5, 1.5); r·τ/α and s·τ/β ~ LogNormal(1, 2), τ the mean time observed."""
    theta = sample_prior(pareto_nbd, 40_000, 5)
    r, alpha, s, beta = theta.T
    for shape, scale in ((r, alpha), (s, beta)):
        assert shape.mean() == pytest.approx(np.log(0.5), abs=0.03)
        assert shape.std() == pytest.approx(1.5, rel=0.02)
        assert (shape - scale).mean() == pytest.approx(0.0, abs=0.04)
        assert (shape - scale).std() == pytest.approx(2.0, rel=0.02)


def test_parameters_of_pareto_nbd_carry_priors_in_periods() -> None:
    chosen = choose_priors(
        pareto_nbd, {"alpha": "LogNormal(median=10, sigma=0.1)", "beta": "Gamma(400, 40)"}
    )
    assert list(chosen) == ["r", "alpha", "s", "beta"]
    units = np.array([1.0, 30.0, 1.0, 30.0])
    params = units * np.exp(sample_prior(pareto_nbd, 4000, 1, chosen, units))
    assert np.median(params[:, 1]) == pytest.approx(10, rel=0.01)
    assert np.median(params[:, 3]) == pytest.approx(10, rel=0.01)


def test_maximum_likelihood_has_no_priors(customers: ls.Summary) -> None:
    with pytest.raises(ConfigError, match="maximum likelihood"):
        ls.fit(customers, priors={"r": "Gamma(1, 1)"})
