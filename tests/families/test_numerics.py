"""Accuracy against stored mpmath values over the whole domain, and identities that hold whatever the arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifestage.families import bgnbd, mbgnbd
from tests.reference import make_points

if TYPE_CHECKING:
    from types import ModuleType

FAMILIES = {"bg/nbd": bgnbd, "mbg/nbd": mbgnbd}
both = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())

TOLERANCE = 1e-9
UNDERFLOW = 1e-290
"""Below this a double is too near its smallest value to hold nine digits; the result must then be tiny as well."""

NEAR_ZERO = 1e-40
"""The log-likelihood is compared relative to its size, or to this where the exact value is zero."""


@pytest.fixture(scope="module")
def points() -> pd.DataFrame:
    return pd.read_parquet(make_points.STORED)


def results(points: pd.DataFrame) -> dict[str, np.ndarray]:
    """What the package says at the points, in their order."""
    out = {name: np.empty(len(points)) for name in QUANTITIES}
    for name, family in FAMILIES.items():
        rows = (points["family"] == name).to_numpy()
        p = {k: points.loc[rows, k].to_numpy() for k in make_points.ARGUMENTS}
        data = (p["x"], p["t_x"], p["T"])
        params = {k: p[k] for k in bgnbd.PARAMS}
        out["log_likelihood"][rows] = family.log_likelihood(*data, **params)
        out["p_alive"][rows] = family.p_alive(*data, **params)
        out["p_purchase"][rows] = family.p_purchase(p["t"], *data, **params)
        out["expected_purchases"][rows] = family.expected_purchases(p["t"], *data, **params)
        out["expected_alive"][rows] = family.alive_purchases(p["t"], p["x"], p["T"], **params)
    return out


QUANTITIES = ("log_likelihood", "p_alive", "p_purchase", "expected_alive", "expected_purchases")


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
    for name in FAMILIES:
        rows = points[points["family"] == name]
        assert len(rows) >= 2000
        for column, edges in make_points.EDGES.items():
            for edge in edges:
                assert (rows[column] == edge).sum() >= 20, (column, edge)
        assert ((rows["t_x"] == rows["T"]) & (rows["x"] > 0)).sum() >= 50
        assert ((rows["x"] == 0) & (rows["T"] == 0)).sum() >= 20
        assert rows["p_alive"].between(1e-12, 1 - 1e-12).mean() > 0.2


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_nine_digits_everywhere(
    points: pd.DataFrame, computed: dict[str, np.ndarray], quantity: str
) -> None:
    off = error(quantity, computed[quantity], points[quantity].to_numpy())
    worst = int(np.argmax(off))
    assert off[worst] <= TOLERANCE, (
        f"{(off > TOLERANCE).sum()} points, worst {off[worst]:.2e}: {points.iloc[worst].to_dict()}"
    )


def test_results_are_possible_numbers(
    points: pd.DataFrame, computed: dict[str, np.ndarray]
) -> None:
    for quantity in QUANTITIES:
        assert np.isfinite(computed[quantity]).all(), quantity
    for quantity in QUANTITIES[1:]:
        assert (computed[quantity] >= 0).all(), quantity
    for quantity in ("p_alive", "p_purchase"):
        assert (computed[quantity] <= 1).all(), quantity
    assert (computed["p_purchase"] <= computed["p_alive"]).all()
    # at least one purchase is at most the mean number of purchases, and that at most without any dropout
    endless = (points["r"] + points["x"]) * points["t"] / (points["alpha"] + points["T"])
    assert (computed["p_purchase"] <= computed["expected_purchases"] * (1 + 1e-12)).all()
    assert (computed["expected_alive"] <= endless * (1 + 1e-12)).all()


@pytest.mark.slow
def test_stored_values_are_what_the_oracle_says(points: pd.DataFrame) -> None:
    drawn = make_points.draw(make_points.POINTS, make_points.SEED)
    some = np.random.default_rng(7).choice(len(drawn), 60, replace=False)
    fresh = pd.DataFrame(
        [row for i in some for row in make_points.evaluate(drawn.iloc[i].to_dict())]
    )
    stored = points.iloc[np.stack([2 * some, 2 * some + 1], axis=1).ravel()].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        fresh, stored.astype({"family": object}), check_dtype=False, rtol=1e-14, atol=0
    )


@pytest.mark.slow
def test_points_of_another_seed_hold_nine_digits() -> None:
    drawn = make_points.draw(60, seed=make_points.SEED + 1)
    fresh = pd.DataFrame(
        [row for point in drawn.to_dict("records") for row in make_points.evaluate(point)]
    )
    got = results(fresh)
    for quantity in QUANTITIES:
        off = error(quantity, got[quantity], fresh[quantity].to_numpy())
        assert off.max() <= TOLERANCE, (quantity, fresh.iloc[int(np.argmax(off))].to_dict())


# Identities ------------------------------------------------------------------------------------------------------


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
        "a": draw(st.one_of(st.just(1.0), _log_uniform(1 / largest, largest))),
        "b": draw(_log_uniform(1 / largest, largest)),
    }
    x = draw(st.one_of(st.integers(0, min(5, most)), st.integers(0, most)))
    T = draw(_log_uniform(1e-2, 1e4))
    t_x = T * draw(st.floats(0.01, 1.0)) if x else 0.0
    return params, (draw(_log_uniform(1e-3, 1e4)), float(x), t_x, T)


ordinary = customers(largest=20.0, most=30)
"""Moderate arguments, for identities that need a sum over the number of purchases."""


@both
@given(customers())
@settings(max_examples=60, deadline=None)
def test_monotone_and_concave_in_the_horizon(family: ModuleType, drawn: tuple) -> None:
    params, (t, *data) = drawn
    horizons = t * np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    for function in (family.p_purchase, family.expected_purchases):
        values = function(horizons, *data, **params)
        assert values[0] == 0
        steps = np.diff(values)
        assert (steps >= -1e-11 * values[-1]).all()
        assert (np.diff(steps) <= 1e-10 * values[-1]).all()
    assert (family.p_purchase(horizons, *data, **params) <= family.p_alive(*data, **params)).all()


@both
@given(customers())
@settings(max_examples=60, deadline=None)
def test_expectation_between_its_bounds(family: ModuleType, drawn: tuple) -> None:
    params, (t, x, t_x, T) = drawn
    alive = family.p_alive(x, t_x, T, **params)
    value = family.expected_purchases(t, x, t_x, T, **params)
    endless = alive * (params["r"] + x) * t / (params["alpha"] + T)
    assert family.p_purchase(t, x, t_x, T, **params) * (1 - 1e-9) <= value <= endless * (1 + 1e-9)


@both
@given(customers())
@settings(max_examples=60, deadline=None)
def test_no_dropout_is_a_steady_rate(family: ModuleType, drawn: tuple) -> None:
    """E → (r + x)·t/(α + T) as a → 0, for a customer without silence."""
    params, (t, x, _, T) = drawn
    params, T = params | {"a": 1e-18}, T if x else 0.0
    endless = (params["r"] + x) * t / (params["alpha"] + T)
    assert family.expected_purchases(t, x, T, T, **params) == pytest.approx(endless, rel=1e-9)


@both
@given(customers())
@settings(max_examples=60, deadline=None)
def test_silence_lowers_p_alive(family: ModuleType, drawn: tuple) -> None:
    params, (_, x, t_x, T) = drawn
    later = T * np.array([1.0, 1.01, 1.5, 4.0])
    alive = family.p_alive(x, t_x, later, **params)
    assert ((alive >= 0) & (alive <= 1)).all()
    if x == 0 and family is bgnbd:
        assert (alive == 1).all()
    else:
        assert (np.diff(alive) <= 0).all()
        assert alive[-1] < alive[0] or alive[0] in (0.0, 1.0)


@both
@given(customers())
@settings(max_examples=60, deadline=None)
def test_time_unit_does_not_matter(family: ModuleType, drawn: tuple) -> None:
    params, (t, x, t_x, T) = drawn
    days = params | {"alpha": 7 * params["alpha"]}
    data, in_days = (x, t_x, T), (x, 7 * t_x, 7 * T)
    close = {"rel": 1e-9, "abs": UNDERFLOW}
    assert family.p_alive(*in_days, **days) == pytest.approx(
        family.p_alive(*data, **params), **close
    )
    for function in (family.p_purchase, family.expected_purchases):
        assert function(7 * t, *in_days, **days) == pytest.approx(
            function(t, *data, **params), **close
        )
    # a density of x purchase times in weeks is 7^x times the density in days
    assert family.log_likelihood(*in_days, **days) + x * np.log(7) == pytest.approx(
        family.log_likelihood(*data, **params), rel=1e-9, abs=1e-9
    )


@both
@given(ordinary)
@settings(max_examples=40, deadline=None)
def test_counts_sum_to_one_and_to_their_mean(family: ModuleType, drawn: tuple) -> None:
    params, (t, x, t_x, T) = drawn
    # a horizon short enough that 4,000 purchases leave out nothing
    t = min(t, 20.0 * (params["alpha"] + T) / (params["r"] + x), 4.0 * (params["alpha"] + T))
    n = np.arange(4001)
    pmf = family.purchase_pmf(n, t, x, t_x, T, **params)
    sf = family.purchase_sf(n, t, x, t_x, T, **params)
    assert (pmf >= 0).all()
    assert (pmf <= 1).all()
    assert pmf.sum() == pytest.approx(1, abs=1e-10)
    assert sf[0] == 1
    assert sf[1] == pytest.approx(family.p_purchase(t, x, t_x, T, **params), rel=1e-11, abs=1e-300)
    assert (np.diff(sf) <= 1e-200).all()  # the far tail is exact to a few digits only
    assert -np.diff(sf) == pytest.approx(pmf[:-1], abs=1e-12)
    mean = family.expected_purchases(t, x, t_x, T, **params)
    assert n @ pmf == pytest.approx(mean, rel=1e-8, abs=1e-12)
    assert sf[1:].sum() == pytest.approx(mean, rel=1e-8, abs=1e-12)


@both
@given(customers(), _log_uniform(1e-6, 1e-2))
@settings(max_examples=60, deadline=None)
def test_discounting(family: ModuleType, drawn: tuple, rate: float) -> None:
    params, (t, *data) = drawn
    plain = family.expected_purchases(t, *data, **params)
    assert family.discounted_purchases(t, *data, **params, rate=0.0) == pytest.approx(
        plain, rel=1e-14
    )
    discounted = family.discounted_purchases(t, *data, **params, rate=rate)
    # every purchase is discounted by something between 1 and e^(−rate·t)
    assert plain * np.exp(-rate * t) * (1 - 1e-9) <= discounted <= plain * (1 + 1e-9)
    more = family.discounted_purchases(t, *data, **params, rate=2 * rate)
    assert more <= discounted * (1 + 1e-9)


@both
@pytest.mark.parametrize("rate", [1e-4, 0.002, 0.05])
def test_discounted_purchases_are_the_stieltjes_integral(family: ModuleType, rate: float) -> None:
    params = {"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.0}
    data = (3, 20.0, 30.0)
    edges = np.linspace(0.0, 104.0, 20_001)
    purchases = np.diff(family.expected_purchases(edges, *data, **params))
    middle = np.exp(-rate * 0.5 * (edges[1:] + edges[:-1]))
    assert family.discounted_purchases(104.0, *data, **params, rate=rate) == pytest.approx(
        middle @ purchases, rel=1e-7
    )


@both
@given(ordinary)
@settings(max_examples=40, deadline=None)
def test_expectation_grows_at_the_rate_of_the_living(family: ModuleType, drawn: tuple) -> None:
    """dE/dt at t = 0 is P(alive) times the posterior mean rate, and later it is no more."""
    params, (_, x, t_x, T) = drawn
    rate = family.p_alive(x, t_x, T, **params) * (params["r"] + x) / (params["alpha"] + T)
    short = 1e-7 * (params["alpha"] + T) / (params["r"] + x + 1)
    assert family.expected_purchases(short, x, t_x, T, **params) / short == pytest.approx(
        rate, rel=1e-6, abs=UNDERFLOW
    )


@both
def test_everything_broadcasts(family: ModuleType) -> None:
    x, t_x, T = np.array([0, 2, 5]), np.array([0, 3.0, 8.0]), np.array([9.0, 9.0, 9.0])
    draws = {
        "r": np.array([[0.2], [0.9]]),
        "alpha": np.array([[4.0], [6.0]]),
        "a": np.array([[0.8], [1.0]]),
        "b": 2.0,
    }
    together = family.expected_purchases(4.0, x, t_x, T, **draws)
    assert together.shape == (2, 3)
    for i, j in np.ndindex(2, 3):
        one = {k: float(np.broadcast_to(v, (2, 1))[i, 0]) for k, v in draws.items()}
        assert together[i, j] == pytest.approx(
            family.expected_purchases(4.0, x[j], t_x[j], T[j], **one), rel=1e-14
        )


def test_a_mbg_customer_alive_is_a_bg_customer_with_one_more_survival() -> None:
    params = {"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.0}
    n = np.arange(6)
    more = params | {"b": 3.0}
    alive = mbgnbd.p_alive(3, 20.0, 30.0, **params)
    pmf = mbgnbd.purchase_pmf(n, 10.0, 3, 20.0, 30.0, **params)
    sister = bgnbd.purchase_pmf(n, 10.0, 3, 20.0, 30.0, **more)
    still = bgnbd.p_alive(3, 20.0, 30.0, **more)
    assert pmf[1:] / alive == pytest.approx(sister[1:] / still, rel=1e-12)


@both
def test_new_customers_follow_the_textbook(family: ModuleType) -> None:
    """E[X(t)] of a new customer in the closed form of the papers, where its ₂F₁ behaves."""
    import mpmath as mp

    r, alpha, a, b, t = 0.2425945, 4.413602, 0.792922, 2.425907, np.array([1.0, 39.0, 52.0, 500.0])
    got = family.expected_purchases(t, 0, 0, 0, r=r, alpha=alpha, a=a, b=b)
    extra = 0 if family is bgnbd else 1
    top = b if extra else a + b - 1
    for value, s in zip(got, t, strict=True):
        gauss = mp.hyp2f1(r, b + extra, a + b - 1 + extra, s / (alpha + s))
        expected = top / (a - 1) * (1 - (alpha / (alpha + s)) ** r * gauss)
        assert value == pytest.approx(float(expected), rel=1e-11)


def test_spend_scales_with_the_currency() -> None:
    from lifestage.families import gammagamma

    x, m = np.array([1.0, 3.0, 40.0]), np.array([12.0, 55.0, 20.0])
    params = {"p": 6.25, "q": 3.74, "v": 15.44}
    cents = params | {"v": 100 * params["v"]}
    spend = gammagamma.expected_spend(x, m, **params)
    assert gammagamma.expected_spend(x, 100 * m, **cents) == pytest.approx(100 * spend, rel=1e-13)
    ll = gammagamma.log_likelihood(x, m, **params)
    assert gammagamma.log_likelihood(x, 100 * m, **cents) == pytest.approx(
        ll - np.log(100), rel=1e-12
    )
    # between the customer's own mean and the mean of the base, nearer to the own one with more purchases
    base = params["p"] * params["v"] / (params["q"] - 1)
    pull = (spend - base) / (m - base)
    assert ((pull > 0) & (pull < 1)).all()
    assert pull[2] > pull[1] > pull[0]


def test_spend_likelihood_is_a_density() -> None:
    from scipy.integrate import quad

    from lifestage.families import gammagamma

    params = {"p": 6.25, "q": 3.74, "v": 15.44}
    for x in (1, 2, 9):
        total = quad(
            lambda u, x=x: float(np.exp(gammagamma.log_likelihood(x, np.exp(u), **params) + u)),
            -8,
            16,
            limit=200,
        )[0]
        assert total == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("x", [1, 5, 300, 10_000])
@pytest.mark.parametrize(
    ("p", "q", "v"),
    [(6.25, 3.74, 15.44), (1e-3, 1e-3, 1e-3), (1e3, 1e3, 1e4), (1e-3, 1e3, 1.0), (1e3, 0.5, 1e4)],
)
def test_spend_likelihood_to_nine_digits(x: float, p: float, q: float, v: float) -> None:
    import mpmath as mp

    from lifestage.families import gammagamma

    with mp.workdps(50):
        for m in (0.01, 1.0, 35.0, 1e5):
            px, Q, V, M = (mp.mpf(k) for k in (p, q, v, m))
            px *= x
            exact = (
                mp.loggamma(px + Q)
                - mp.loggamma(px)
                - mp.loggamma(Q)
                + Q * mp.log(V)
                + (px - 1) * mp.log(M)
            )
            exact += px * mp.log(x) - (px + Q) * mp.log(V + x * M)
            got = float(gammagamma.log_likelihood(x, m, p=p, q=q, v=v))
            assert got == pytest.approx(float(exact), rel=TOLERANCE, abs=TOLERANCE * NEAR_ZERO)
