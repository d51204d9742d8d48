"""The Pareto/NBD: accuracy against stored mpmath values, identities, derivatives, a fit, simulation, lifetimes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifetimes import ParetoNBDFitter
from scipy.optimize import minimize
from scipy.stats import nbinom

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.families import pareto_nbd
from tests.reference import cdnow
from tests.reference import make_pareto_points as make_points

if TYPE_CHECKING:
    from lifestage.fitting.posterior import Posterior

REFERENCE = json.loads((Path(cdnow.__file__).parent / "golden.json").read_text())
GOLDEN = REFERENCE["cdnow"]
CDNOW = GOLDEN["pareto/nbd"]["params"]
FORECASTS = REFERENCE["forecast benchmarks, CDNOW sample, 39-week holdout"]

TOLERANCE = 1e-9
UNDERFLOW = 1e-290
"""Below this a double is too near its smallest value to hold nine digits; the result must then be tiny as well."""

NEAR_ZERO = 1e-40
"""The log-likelihood is compared relative to its size, or to this where the exact value is zero."""

QUANTITIES = (
    "log_likelihood",
    "p_alive",
    "p_purchase",
    "expected_alive",
    "expected_purchases",
    "discounted_alive",
    "residual_alive",
    "count_survival",
    "count_pmf",
)


# Accuracy ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def points() -> pd.DataFrame:
    return pd.read_parquet(make_points.STORED)


def results(points: pd.DataFrame) -> dict[str, np.ndarray]:
    """What the package says at the points, in their order."""
    p = {name: points[name].to_numpy() for name in make_points.ARGUMENTS}
    params = {name: p[name] for name in pareto_nbd.PARAMS}
    past, future = (p["x"], p["t_x"], p["T"]), (p["t"], p["x"], p["T"])
    alive = p["x"], p["T"], p["T"]  # for certain: the last purchase was just now
    discounted, residual = np.empty(len(points)), np.empty(len(points))
    for i, rate in enumerate(p["rate"].tolist()):  # one rate a call
        one = {name: values[i] for name, values in params.items()}
        discounted[i] = pareto_nbd.alive_purchases(*(v[i] for v in future), **one, rate=rate)
        residual[i] = pareto_nbd.residual_purchases(*(v[i] for v in alive), **one, rate=rate)
    return {
        "log_likelihood": pareto_nbd.log_likelihood(*past, **params),
        "p_alive": pareto_nbd.p_alive(*past, **params),
        "p_purchase": pareto_nbd.p_purchase(p["t"], *past, **params),
        "expected_alive": pareto_nbd.alive_purchases(*future, **params),
        "expected_purchases": pareto_nbd.expected_purchases(p["t"], *past, **params),
        "discounted_alive": discounted,
        "residual_alive": residual,
        "count_survival": pareto_nbd.count_survival(p["n"], *future, **params),
        "count_pmf": pareto_nbd.purchase_pmf(p["n"], p["t"], *alive, **params),
    }


@pytest.fixture(scope="module")
def computed(points: pd.DataFrame) -> dict[str, np.ndarray]:
    return results(points)


def error(quantity: str, got: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Relative error, with the two stated floors; infinite where the result is no finite number."""
    if quantity == "log_likelihood":
        scale = np.maximum(np.abs(exact), NEAR_ZERO)
    else:
        scale = np.where(exact < UNDERFLOW, UNDERFLOW / TOLERANCE, exact)
    return np.where(np.isfinite(got), np.abs(got - exact) / scale, np.inf)


def test_the_points_cover_the_domain(points: pd.DataFrame) -> None:
    assert len(points) >= 480
    for column, edges in make_points.EDGES.items():
        for edge in edges:
            assert (points[column] == edge).sum() >= 4, (column, edge)
    assert (points["alpha"] == points["beta"]).sum() >= 50
    assert ((points["t_x"] == points["T"]) & (points["x"] > 0)).sum() >= 10
    assert ((points["x"] == 0) & (points["T"] == 0)).sum() >= 3
    assert points["p_alive"].between(1e-12, 1 - 1e-12).mean() > 0.2
    assert points["count_survival"].between(1e-12, 1 - 1e-12).mean() > 0.2


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_nine_digits_everywhere(
    points: pd.DataFrame, computed: dict[str, np.ndarray], quantity: str
) -> None:
    off = error(quantity, computed[quantity], points[quantity].to_numpy())
    worst = int(np.argmax(off))
    assert off[worst] <= TOLERANCE, (
        f"{(off > TOLERANCE).sum()} points, worst {off[worst]:.2e}: {points.iloc[worst].to_dict()}"
    )


def test_exact_derivatives(points: pd.DataFrame) -> None:
    """In the logarithms of the parameters, relative to the largest element."""
    some = points[points["by_r"].notna()]
    assert len(some) >= 48
    for _, point in some.iterrows():
        params = point[list(pareto_nbd.PARAMS)].to_numpy(float)
        rows = pareto_nbd.rows(
            *(point[[name]].to_numpy(float) for name in ("x", "t_x", "T")), np.ones(1)
        )
        value, gradient, hessian = pareto_nbd.log_likelihood_with_hessian(params, rows)
        gradient *= params
        hessian = hessian * np.outer(params, params) + np.diag(gradient)
        exact = point[[f"by_{name}" for name in pareto_nbd.PARAMS]].to_numpy(float)
        curved = point[make_points.TRIANGLE].to_numpy(float)
        assert value == pytest.approx(point["log_likelihood"], rel=TOLERANCE, abs=1e-11)
        np.testing.assert_allclose(
            gradient, exact, rtol=1e-8, atol=1e-11 * max(1.0, np.abs(exact).max())
        )
        np.testing.assert_allclose(
            hessian[np.triu_indices(4)],
            curved,
            rtol=1e-7,
            atol=1e-10 * max(1.0, np.abs(curved).max()),
        )
        np.testing.assert_array_equal(hessian, hessian.T)


def test_results_are_possible_numbers(
    points: pd.DataFrame, computed: dict[str, np.ndarray]
) -> None:
    for quantity in QUANTITIES:
        assert np.isfinite(computed[quantity]).all(), quantity
    for quantity in QUANTITIES[1:]:
        assert (computed[quantity] >= 0).all(), quantity
    for quantity in ("p_alive", "p_purchase", "count_survival", "count_pmf"):
        assert (computed[quantity] <= 1).all(), quantity
    assert (computed["p_purchase"] <= computed["p_alive"]).all()
    endless = (points["r"] + points["x"]) * points["t"] / (points["alpha"] + points["T"])
    assert (computed["expected_alive"] <= endless * (1 + 1e-12)).all()
    assert (computed["discounted_alive"] <= computed["expected_alive"] * (1 + 1e-9)).all()
    assert (computed["discounted_alive"] <= computed["residual_alive"] * (1 + 1e-9)).all()
    assert (computed["count_pmf"] <= computed["count_survival"] * (1 + 1e-9)).all()


@pytest.mark.slow
def test_stored_values_are_what_the_oracle_says(points: pd.DataFrame) -> None:
    drawn = make_points.draw(make_points.POINTS, make_points.SEED)
    some = np.random.default_rng(7).choice(
        np.arange(make_points.WITH_DERIVATIVES, len(drawn)), 20, replace=False
    )
    fresh = pd.DataFrame(
        [make_points.evaluate(drawn.iloc[i].to_dict(), derivatives=False) for i in some]
    )
    pd.testing.assert_frame_equal(
        fresh, points.iloc[some].reset_index(drop=True), rtol=1e-14, atol=0
    )


# Published values -------------------------------------------------------------------------------------------------


def history(frame: pd.DataFrame) -> tuple[np.ndarray, ...]:
    return tuple(frame[name].to_numpy(float) for name in ("x", "t_x", "T"))


@pytest.fixture(scope="module")
def fitted(customers: ls.Summary) -> Posterior:
    """Maximum likelihood on CDNOW, as a user asks for it."""
    return ls.fit(customers, "pareto/nbd", spend=None).purchases


def test_likelihood_of_cdnow() -> None:
    total = pareto_nbd.log_likelihood(*history(cdnow.customers()), **CDNOW).sum()
    assert total == pytest.approx(GOLDEN["pareto/nbd"]["log_likelihood"], abs=0.002)


def test_a_fit_of_cdnow_lands_on_the_published_values(fitted: Posterior) -> None:
    assert fitted.status.converged
    assert fitted.diagnostics["log_likelihood"] == pytest.approx(
        GOLDEN["pareto/nbd"]["log_likelihood"], abs=0.002
    )
    # the likelihood is flat: estimates of different programs differ in the fourth digit
    assert fitted.estimate == pytest.approx(CDNOW, rel=5e-4)


def test_scipy_finds_the_same_maximum(fitted: Posterior) -> None:
    rows = pareto_nbd.rows(*history(cdnow.customers()), np.ones(len(cdnow.customers())))

    def density(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = pareto_nbd.total_log_likelihood(np.exp(theta), rows)
        return -value, -gradient * np.exp(theta)

    start = np.log([1.0, 5.0, 1.0, 5.0])
    found = minimize(density, start, jac=True, method="BFGS", options={"gtol": 1e-4})
    assert -found.fun == pytest.approx(fitted.diagnostics["log_likelihood"], abs=1e-6)
    assert np.exp(found.x) == pytest.approx(list(fitted.estimate.values()), rel=1e-3)


def test_published_expectations(fitted: Posterior) -> None:
    """They stand on all digits of the estimates, so these are of the fit."""
    params = fitted.estimate
    year = pareto_nbd.expected_purchases(52, 0, 0, 0, **params)
    assert year == pytest.approx(GOLDEN["pareto/nbd E[X(52)] of a new customer"], abs=5e-5)
    case = GOLDEN["pareto/nbd customer 1516"]
    data = case["x"], case["t_x"], case["T"]
    expected = pareto_nbd.expected_purchases(case["t"], *data, **params)
    assert expected == pytest.approx(case["expected"], abs=5e-4)
    assert pareto_nbd.p_alive(*data, **params) == pytest.approx(case["p_alive"], abs=5e-5)


def test_holdout_means_by_frequency(fitted: Posterior) -> None:
    base = cdnow.customers()
    expected = pareto_nbd.expected_purchases(39, *history(base), **fitted.estimate)
    means = pd.Series(expected).groupby(np.minimum(base["x"].to_numpy(), 7)).mean().to_numpy()
    published = GOLDEN["pareto/nbd holdout mean by calibration x=0..6,7+"]
    # published to three decimals, of estimates with other last digits
    assert means == pytest.approx(np.array(published), abs=8e-4)
    error = expected - base["holdout"].to_numpy()
    mae, rmse, bias, _, _ = FORECASTS["pareto/nbd"]
    assert np.abs(error).mean() == pytest.approx(mae, abs=5e-4)
    assert np.sqrt((error**2).mean()) == pytest.approx(rmse, abs=5e-4)
    assert error.sum() / base["holdout"].sum() == pytest.approx(bias, abs=5e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "map"},
        {"method": "laplace", "draws": 100},
        pytest.param(
            {"method": "nuts", "draws": 300, "chains": 2, "tune": 300}, marks=pytest.mark.slow
        ),
    ],
    ids=lambda options: options["method"],
)
def test_every_method_fits(
    customers: ls.Summary, fitted: Posterior, options: dict[str, Any]
) -> None:
    part = ls.fit(customers, "pareto/nbd", spend=None, **options).purchases
    assert part.status.converged
    assert part.diagnostics["log_likelihood"] == pytest.approx(-9594.976, abs=0.01)
    for name in ("r", "alpha"):  # which the data determine well
        assert part.estimate[name] == pytest.approx(fitted.estimate[name], rel=0.06)
    data = history(cdnow.customers())
    expected = pareto_nbd.expected_purchases(39, *data, **part.columns()).mean(axis=0)
    assert expected.sum() == pytest.approx(1665.5, rel=0.02)


def test_many_purchases_stay_finite() -> None:
    case = GOLDEN["pareto/nbd rows that overflow in naive likelihoods"]
    params = case["params"]
    x, t_x, T = np.array(case["x, t_x, T"]).T
    exact = np.array(case["log_likelihood by mpmath"])
    assert pareto_nbd.log_likelihood(x, t_x, T, **params) == pytest.approx(exact, rel=1e-12)
    value, gradient, hessian = pareto_nbd.log_likelihood_with_hessian(
        np.array(list(params.values())), pareto_nbd.rows(x, t_x, T, np.ones(4))
    )
    assert value == pytest.approx(exact.sum(), rel=1e-12)
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()
    for t in (1.0, 52.0, 5200.0):
        assert np.isfinite(pareto_nbd.expected_purchases(t, x, t_x, T, **params)).all()


# Totals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 1e-3, 50.0])
def test_the_total_is_the_sum_over_customers_with_its_differences(scale: float) -> None:
    base = cdnow.customers()
    params = scale * np.array([0.55, 10.6, 0.6, 11.7])
    distinct = base.groupby(["x", "t_x", "T"], as_index=False).size()
    rows = pareto_nbd.rows(*history(distinct), distinct["size"].to_numpy())
    value, gradient, hessian = pareto_nbd.log_likelihood_with_hessian(params, rows)
    named = dict(zip(pareto_nbd.PARAMS, params, strict=True))
    assert value == pytest.approx(
        pareto_nbd.log_likelihood(*history(base), **named).sum(), rel=1e-12
    )
    moves = np.diag(1e-5 * params)
    up, down = (
        [pareto_nbd.total_log_likelihood(params + sign * move, rows) for move in moves]
        for sign in (1, -1)
    )
    for i in range(4):
        step = 2 * moves[i, i]
        slope, curve = (up[i][0] - down[i][0]) / step, (up[i][1] - down[i][1]) / step
        assert gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-3 / scale)
        np.testing.assert_allclose(hessian[i], curve, rtol=1e-5, atol=1e-3 / scale**2)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("whole_days", [True, False])
def test_a_base_is_its_customers_one_by_one(seed: int, whole_days: bool) -> None:
    """Integrals that customers share give what each of them gives alone, whatever the parameters."""
    rng = np.random.default_rng(seed)
    params = np.exp(rng.uniform(np.log([1e-3, 1e-3, 1e-3, 1e-3]), np.log([1e3, 1e4, 1e3, 1e4])))
    T = rng.uniform(1.0, 400.0, 150)
    x = np.minimum(rng.geometric(0.2, 150) - 1.0, 40.0)
    t_x = np.where(x > 0, T * rng.random(150), 0.0)
    if whole_days:
        T, t_x = np.floor(T), np.floor(t_x)
    weight = rng.integers(1, 4, 150).astype(float)
    columns = np.stack([x, t_x, T, weight], axis=1)
    value, gradient, hessian = pareto_nbd.log_likelihood_with_hessian(
        params, pareto_nbd.rows(*columns.T)
    )
    alone = [
        pareto_nbd.log_likelihood_with_hessian(params, pareto_nbd.rows(*row[:, None]))
        for row in columns
    ]
    scale = np.outer(params, params)
    assert value == pytest.approx(sum(each[0] for each in alone), rel=1e-12)
    for got, parts, unit in (
        (gradient, [e[1] for e in alone], params),
        (hessian, [e[2] for e in alone], scale),
    ):
        largest = np.abs(parts).sum(axis=0) * unit
        np.testing.assert_allclose(
            got * unit, np.sum(parts, axis=0) * unit, rtol=1e-9, atol=1e-11 * largest.max()
        )


def test_notes_on_what_is_not_identified() -> None:
    T = np.linspace(10.0, 40.0, 200)
    nobody = pareto_nbd.rows(np.zeros(200), np.zeros(200), T, np.ones(200))
    few = pareto_nbd.rows(
        np.r_[np.ones(10), np.zeros(190)], np.r_[np.ones(10), np.zeros(190)], T, np.ones(200)
    )
    many = pareto_nbd.rows(*history(cdnow.customers()), np.ones(2357))
    params = np.array(list(CDNOW.values()))
    assert [note.code for note in pareto_nbd.identified(params, nobody)] == ["no_repeaters"]
    assert [note.code for note in pareto_nbd.identified(params, few)] == ["few_repeaters"]
    assert pareto_nbd.identified(params, many) == []
    patient = params * [1.0, 1.0, 1e-4, 1.0]
    (note,) = pareto_nbd.identified(patient, many)
    assert note.code == "dropout_not_identified"
    lost = -np.expm1(-patient[2] * np.log1p(cdnow.customers()["T"] / patient[3])).mean()
    assert note.values["dropout"] == pytest.approx(lost, rel=1e-12)


# Identities -------------------------------------------------------------------------------------------------------


def _log_uniform(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(np.log(low), np.log(high)).map(lambda v: float(np.clip(np.exp(v), low, high)))


@st.composite
def customers(
    draw: st.DrawFn, largest: float = 1e3, most: int = 10_000
) -> tuple[dict[str, float], tuple[float, ...]]:
    """Parameters by name, and the data (t, x, t_x, T)."""
    params = {
        "r": draw(_log_uniform(1 / largest, largest)),
        "alpha": draw(_log_uniform(1 / largest, 10 * largest)),
        "s": draw(st.one_of(st.just(1.0), _log_uniform(1 / largest, largest))),
    }
    params["beta"] = draw(
        st.one_of(st.just(params["alpha"]), _log_uniform(1 / largest, 10 * largest))
    )
    x = draw(st.one_of(st.integers(0, min(5, most)), st.integers(0, most)))
    T = draw(_log_uniform(1e-2, 1e4))
    t_x = T * draw(st.floats(0.01, 1.0)) if x else 0.0
    return params, (draw(_log_uniform(1e-3, 1e4)), float(x), t_x, T)


ordinary = customers(largest=20.0, most=30)
"""Moderate arguments, for identities that need a sum over the number of purchases."""

some = settings(max_examples=40, deadline=None)


@given(customers())
@some
def test_monotone_and_concave_in_the_horizon(drawn: tuple) -> None:
    params, (t, *data) = drawn
    horizons = t * np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    for function in (pareto_nbd.p_purchase, pareto_nbd.expected_purchases):
        values = function(horizons, *data, **params)
        assert values[0] == 0
        steps = np.diff(values)
        assert (steps >= -1e-11 * values[-1]).all()
        assert (np.diff(steps) <= 1e-10 * values[-1]).all()
    alive = pareto_nbd.p_alive_at(horizons, *data, **params)
    assert alive[0] == pareto_nbd.p_alive(*data, **params)
    assert (np.diff(alive) <= 0).all()


@given(customers(), st.floats(0.05, 0.95))
@some
def test_expectations_add_up(drawn: tuple, part: float) -> None:
    """What is expected by t is expected by a day before it, and from then on of those who live on to that day."""
    params, (t, x, t_x, T) = drawn
    first = part * t
    alive = pareto_nbd.p_alive(x, t_x, T, **params)
    at = pareto_nbd.p_alive_at(first, x, t_x, T, **params)
    # the rate of a customer observed no longer keeps its law; only α, not x, would move with T
    rate = (params["alpha"] + T + first) / (params["alpha"] + T)
    rest = rate * pareto_nbd.alive_purchases(t - first, x, T + first, **params)
    whole = pareto_nbd.expected_purchases(t, x, t_x, T, **params)
    parts = alive * pareto_nbd.alive_purchases(first, x, T, **params) + at * rest
    assert parts == pytest.approx(whole, rel=1e-10, abs=UNDERFLOW)


@given(customers())
@some
def test_silence_lowers_p_alive(drawn: tuple) -> None:
    params, (_, x, t_x, T) = drawn
    later = T * np.array([1.0, 1.01, 1.5, 4.0])
    alive = pareto_nbd.p_alive(x, t_x, later, **params)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (np.diff(alive) <= 0).all()
    assert alive[-1] < alive[0] or alive[0] in (0.0, 1.0)


@given(customers(), st.sampled_from([7.0, 1 / 30.4375]))
@some
def test_time_unit_does_not_matter(drawn: tuple, unit: float) -> None:
    params, (t, x, t_x, T) = drawn
    scaled = {name: value * unit ** pareto_nbd.UNITS[name] for name, value in params.items()}
    data, again = (x, t_x, T), (x, unit * t_x, unit * T)
    close = {"rel": 1e-9, "abs": UNDERFLOW}
    assert pareto_nbd.p_alive(*again, **scaled) == pytest.approx(
        pareto_nbd.p_alive(*data, **params), **close
    )
    for function in (pareto_nbd.p_purchase, pareto_nbd.expected_purchases):
        assert function(unit * t, *again, **scaled) == pytest.approx(
            function(t, *data, **params), **close
        )
    wait = pareto_nbd.next_purchase_quantile(0.3, t, x, T, **params)
    assert pareto_nbd.next_purchase_quantile(0.3, unit * t, x, unit * T, **scaled) == pytest.approx(
        unit * wait
    )
    # a density of x purchase times in weeks is 7^x times the density in days
    assert pareto_nbd.log_likelihood(*again, **scaled) + x * np.log(unit) == pytest.approx(
        pareto_nbd.log_likelihood(*data, **params), rel=1e-9, abs=1e-9
    )


@given(ordinary)
@settings(max_examples=20, deadline=None)
def test_counts_sum_to_one_and_to_their_mean(drawn: tuple) -> None:
    params, (t, x, t_x, T) = drawn
    # a horizon short enough that 2,000 purchases leave out nothing
    t = min(t, 20.0 * (params["alpha"] + T) / (params["r"] + x), 4.0 * (params["alpha"] + T))
    n = np.arange(2001)
    pmf = pareto_nbd.purchase_pmf(n, t, x, t_x, T, **params)
    sf = pareto_nbd.purchase_sf(n, t, x, t_x, T, **params)
    assert ((pmf >= 0) & (pmf <= 1)).all()
    assert pmf.sum() == pytest.approx(1, abs=1e-10)
    assert sf[0] == 1
    assert sf[1] == pytest.approx(pareto_nbd.p_purchase(t, x, t_x, T, **params), rel=1e-13)
    assert (np.diff(sf) <= 1e-11 * sf[:-1]).all()
    assert -np.diff(sf) == pytest.approx(pmf[:-1], abs=1e-10)
    mean = pareto_nbd.expected_purchases(t, x, t_x, T, **params)
    assert n @ pmf == pytest.approx(mean, rel=1e-8, abs=1e-12)
    assert sf[1:].sum() == pytest.approx(mean, rel=1e-8, abs=1e-12)


@given(customers(), _log_uniform(1e-6, 1e-2))
@some
def test_discounting(drawn: tuple, rate: float) -> None:
    params, (t, *data) = drawn
    plain = pareto_nbd.expected_purchases(t, *data, **params)
    assert pareto_nbd.discounted_purchases(t, *data, **params, rate=0.0) == plain
    tiny = pareto_nbd.discounted_purchases(t, *data, **params, rate=1e-14 / t)
    assert tiny == pytest.approx(plain, rel=1e-9, abs=UNDERFLOW)  # closed form and integral meet
    discounted = pareto_nbd.discounted_purchases(t, *data, **params, rate=rate)
    assert plain * np.exp(-rate * t) * (1 - 1e-9) <= discounted <= plain * (1 + 1e-9)
    assert pareto_nbd.discounted_purchases(t, *data, **params, rate=2 * rate) <= discounted * (
        1 + 1e-9
    )
    endless = pareto_nbd.residual_purchases(*data, **params, rate=rate)
    assert discounted <= endless * (1 + 1e-9)
    long = pareto_nbd.discounted_purchases(60.0 / rate, *data, **params, rate=rate)
    assert long == pytest.approx(endless, rel=1e-9, abs=UNDERFLOW)


def test_without_a_horizon_a_rate_is_needed() -> None:
    with pytest.raises(ConfigError, match="rate above 0"):
        pareto_nbd.residual_purchases(2, 30.0, 38.0, **CDNOW, rate=0.0)


@given(customers(), st.floats(1e-6, 1 - 1e-6))
@some
def test_quantiles_of_the_wait(drawn: tuple, share: float) -> None:
    params, (t, x, _, T) = drawn
    wait = pareto_nbd.next_purchase_quantile(share, t, x, T, **params)
    assert 0 < wait < t
    within = pareto_nbd.count_survival(1, t, x, T, **params)
    assert pareto_nbd.count_survival(1, wait, x, T, **params) == pytest.approx(
        share * within, rel=1e-9
    )
    assert pareto_nbd.next_purchase_quantile(0.0, t, x, T, **params) == 0
    assert pareto_nbd.next_purchase_quantile(1.0, t, x, T, **params) == t


@given(customers())
@some
def test_hardly_any_dropout_is_a_negative_binomial(drawn: tuple) -> None:
    params, (t, x, _, T) = drawn
    params = params | {"s": 1e-18}
    endless = (params["r"] + x) * t / (params["alpha"] + T)
    assert pareto_nbd.expected_purchases(t, x, T, T, **params) == pytest.approx(endless, rel=1e-9)
    n = np.array([1.0, 2.0, 7.0])
    poisson_gamma = nbinom.sf(n - 1, params["r"] + x, 1 / (1 + t / (params["alpha"] + T)))
    got = pareto_nbd.count_survival(n, t, x, T, **params)
    assert got == pytest.approx(poisson_gamma, rel=1e-8, abs=UNDERFLOW)


def test_everything_broadcasts() -> None:
    x, t_x, T = np.array([0, 2, 5]), np.array([0, 3.0, 8.0]), np.array([9.0, 9.0, 9.0])
    draws = {
        "r": np.array([[0.2], [0.9]]),
        "alpha": np.array([[4.0], [6.0]]),
        "s": np.array([[0.8], [1.0]]),
    }
    draws["beta"] = np.array([5.0, 6.0, 7.0])  # a value per row
    calls: dict[str, tuple[Any, ...]] = {
        "log_likelihood": (x, t_x, T),
        "p_alive": (x, t_x, T),
        "p_alive_at": (4.0, x, t_x, T),
        "p_purchase": (4.0, x, t_x, T),
        "expected_purchases": (4.0, x, t_x, T),
        "count_survival": (2, 4.0, x, T),
        "purchase_sf": (2, 4.0, x, t_x, T),
        "purchase_pmf": (2, 4.0, x, t_x, T),
        "next_purchase_quantile": (0.5, 4.0, x, T),
    }
    for name, data in calls.items():
        function = getattr(pareto_nbd, name)
        together = function(*data, **draws)
        assert together.shape == (2, 3)
        for i, j in np.ndindex(2, 3):
            one = {k: float(np.broadcast_to(v, (2, 3))[i, j]) for k, v in draws.items()}
            alone = function(*(v[j] if isinstance(v, np.ndarray) else v for v in data), **one)
            assert together[i, j] == pytest.approx(alone, rel=1e-14), name
            assert np.ndim(alone) == 0
    future = pareto_nbd.simulate_future(np.random.default_rng(1), [1.0, 4.0], x, t_x, T, **draws)
    assert {values.shape for values in future.values()} == {(2, 3, 2)}


# Simulation -------------------------------------------------------------------------------------------------------

SIZE = 40_000
SPLIT, END = 30.0, 56.0
WORLDS = {"few": CDNOW, "s is one": {"r": 0.9, "alpha": 5.0, "s": 1.0, "beta": 20.0}}
world_of = pytest.mark.parametrize("params", WORLDS.values(), ids=WORLDS.keys())


def agree(observed: np.ndarray, expected: np.ndarray) -> None:
    """The mean of *observed* is the mean of *expected*, given per customer, within 4 standard errors."""
    difference = np.asarray(observed, float) - expected
    slack = 4 * difference.std() / np.sqrt(difference.size) + 5 / difference.size
    assert abs(difference.mean()) <= slack, (difference.mean(), slack)


def groups(values: np.ndarray) -> list[np.ndarray]:
    """Everybody, and indices of customers in groups of rising *values*."""
    index = np.searchsorted(np.unique(np.quantile(values, [0.25, 0.5, 0.75])), values, side="right")
    return [
        np.arange(values.size),
        *(np.flatnonzero(index == i) for i in range(4) if (index == i).sum() > 500),
    ]


@world_of
def test_the_future_given_the_past(params: dict[str, float]) -> None:
    world = pareto_nbd.simulate_customers(np.random.default_rng(13), np.full(SIZE, END), **params)
    early = world["time"] <= SPLIT
    x = np.bincount(world["customer"][early], minlength=SIZE).astype(float)
    t_x = np.zeros(SIZE)
    np.maximum.at(t_x, world["customer"][early], world["time"][early])
    later = np.bincount(world["customer"][~early], minlength=SIZE)
    data, horizon = (x, t_x, np.full(SIZE, SPLIT)), END - SPLIT
    times = np.array([7.0, horizon])
    carried = pareto_nbd.simulate_future(np.random.default_rng(14), times, *data, **params)
    expected = pareto_nbd.expected_purchases(times[:, None], *data, **params)
    alive = pareto_nbd.p_alive_at(times[:, None], *data, **params)
    exactly = [pareto_nbd.purchase_pmf(n, times[:, None], *data, **params) for n in (0, 2)]
    some = pareto_nbd.p_purchase(horizon, *data, **params)
    three = pareto_nbd.purchase_sf(3, horizon, *data, **params)
    for rows in groups(some):
        agree(later[rows], expected[1, rows])
        agree(later[rows] > 0, some[rows])
        agree(later[rows] >= 3, three[rows])
        agree(world["alive"][rows], alive[1, rows])
        for i in range(2):
            more = carried["x"][rows, i] - x[rows]
            agree(more, expected[i, rows])
            agree(more == 0, exactly[0][i, rows])
            agree(more == 2, exactly[1][i, rows])
            agree(carried["alive"][rows, i], alive[i, rows])
        # the last purchase by the end is as in the world that went on by itself
        agree(carried["t_x"][rows, 1] - world["t_x"][rows], np.zeros(rows.size))
    bought = np.diff(carried["x"], axis=1)[:, 0] > 0
    assert (carried["t_x"][bought, 1] > SPLIT + 7.0).all()
    assert (carried["t_x"][~bought, 1] == carried["t_x"][~bought, 0]).all()
    assert (carried["t_x"] <= carried["T"]).all()


@world_of
def test_new_customers_and_p_alive(params: dict[str, float]) -> None:
    T = np.random.default_rng(5).uniform(5.0, 60.0, SIZE)
    world = pareto_nbd.simulate_customers(np.random.default_rng(12), T, **params)
    agree(world["x"], pareto_nbd.expected_purchases(T, 0, 0, 0, **params))
    for n in range(4):
        agree(world["x"] == n, pareto_nbd.purchase_pmf(n, T, 0, 0, 0, **params))
    alive = pareto_nbd.p_alive(world["x"], world["t_x"], T, **params)
    for rows in groups(alive):
        agree(world["alive"][rows], alive[rows])
    # the wait to the first purchase, of those who bought
    first = np.full(SIZE, np.inf)
    np.minimum.at(first, world["customer"], world["time"])
    bought = np.flatnonzero(world["x"] > 0)
    for share in (0.25, 0.75):
        wait = pareto_nbd.next_purchase_quantile(share, T[bought], 0, 0, **params)
        agree(first[bought] <= wait, np.full(bought.size, share))
    latent = pareto_nbd.sample_latent(1, world["x"], world["t_x"], T, **params, seed=15)
    for rows in groups(alive):
        for name in ("alive", "rate", "dropout"):
            agree(world[name][rows], latent[name][0][rows])


def test_simulated_records_are_consistent() -> None:
    T = np.array([0.0, 5.0, 40.0] * 300)
    world = pareto_nbd.simulate_customers(np.random.default_rng(16), T, **WORLDS["s is one"])
    again = pareto_nbd.simulate_customers(np.random.default_rng(16), T, **WORLDS["s is one"])
    assert (np.bincount(world["customer"], minlength=T.size) == world["x"]).all()
    assert ((world["time"] > 0) & (world["time"] <= T[world["customer"]])).all()
    last = np.zeros(T.size)
    np.maximum.at(last, world["customer"], world["time"])
    assert (world["t_x"] == last).all()
    assert (world["x"][T == 0] == 0).all()
    for name, values in world.items():
        assert (values == again[name]).all()


# lifetimes, where it keeps its digits -----------------------------------------------------------------------------


def peer(params: dict[str, Any]) -> ParetoNBDFitter:
    out = ParetoNBDFitter()
    out.params_ = params
    return out


def test_lifetimes_on_cdnow() -> None:
    base = history(cdnow.customers())
    theirs = ParetoNBDFitter._conditional_log_likelihood(tuple(CDNOW.values()), *base)
    assert pareto_nbd.log_likelihood(*base, **CDNOW) == pytest.approx(theirs, rel=1e-9)
    alive = peer(CDNOW).conditional_probability_alive(*base)
    assert pareto_nbd.p_alive(*base, **CDNOW) == pytest.approx(alive, rel=1e-9)
    for t in (1.0, 39.0, 520.0):
        expected = peer(CDNOW).conditional_expected_number_of_purchases_up_to_time(t, *base)
        assert pareto_nbd.expected_purchases(t, *base, **CDNOW) == pytest.approx(expected, rel=1e-8)
    for n in range(4):
        exactly = peer(CDNOW).conditional_probability_of_n_purchases_up_to_time(
            n, 39.0, 2, 30.43, 38.86
        )
        got = pareto_nbd.purchase_pmf(n, 39.0, 2, 30.43, 38.86, **CDNOW)
        assert got == pytest.approx(float(np.squeeze(exactly)), rel=1e-7)


def test_the_stored_points_hold_what_lifetimes_gets_wrong(points: pd.DataFrame) -> None:
    """lifetimes fails on a good part of the domain, so the stored points are no easy ones."""
    p = {name: points[name].to_numpy() for name in make_points.ARGUMENTS}
    wrong = 0
    with np.errstate(all="ignore"):
        for i in range(len(points)):
            one = peer({name: p[name][i] for name in pareto_nbd.PARAMS})
            alive = float(one.conditional_probability_alive(p["x"][i], p["t_x"][i], p["T"][i]))
            wrong += (
                not abs(alive - points["p_alive"][i]) <= 1e-6 * points["p_alive"][i] + UNDERFLOW
            )
    assert wrong > 0.05 * len(points)
