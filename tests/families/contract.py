"""What every family of purchases must be: identities that a module is put through, whatever its parameters.

A family is given as :class:`Case`: its module, parameters that are usual for it, and histories of customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from types import ModuleType

NAMES = (
    "PARAMS", "PRIORS", "STATE", "UNITS",
    "alive_purchases", "count_survival", "discounted_purchases", "expected_purchases", "identified",
    "initial_points", "log_likelihood", "log_likelihood_with_hessian", "mean_dropout",
    "next_purchase_quantile", "p_alive", "p_alive_at", "p_purchase", "purchase_pmf", "purchase_sf",
    "residual_purchases", "rows", "sample_latent", "simulate_customers", "simulate_future",
    "total_log_likelihood",
)  # fmt: skip

X = np.array([0.0, 0.0, 1.0, 3.0, 11.0])
T_X = np.array([0.0, 0.0, 4.0, 20.0, 30.0])
T = np.array([10.0, 38.0, 38.0, 39.0, 31.0])
PAST, STATE = (X, T_X, T), (X, T)
SIZE = 20_000


@dataclass(frozen=True)
class Case:
    """A family and its parameters by name."""

    module: ModuleType
    params: dict[str, float]

    def __getattr__(self, name: str) -> Any:
        """A function of the family, with its parameters given."""
        function = getattr(self.module, name)
        return lambda *data, **options: function(*data, **self.params, **options)

    @property
    def point(self) -> np.ndarray:
        return np.array([self.params[name] for name in self.module.PARAMS])


def agree(observed: np.ndarray, expected: Any, largest: float = 4.5) -> None:
    """The mean over the first axis is the expected one, within *largest* standard errors."""
    observed = np.asarray(observed, float)
    error = observed.std(axis=0) / np.sqrt(len(observed)) + 5.0 / len(observed)
    assert np.all(np.abs(observed.mean(axis=0) - expected) <= largest * error)


def check_names(case: Case) -> None:
    missing = [name for name in NAMES if not hasattr(case.module, name)]
    assert missing == []
    assert set(case.module.UNITS) == set(case.module.PARAMS)
    assert {"frequency", "T"} <= set(case.module.STATE) <= {"frequency", "recency", "T"}
    priors = case.module.PRIORS
    assert len(priors.defaults) == len(case.module.PARAMS)
    assert set(priors.slopes) == set(priors.defaults) | set(priors.replaces)


def check_probabilities(case: Case) -> None:
    """Counts sum to one and to their mean; a purchase is a first one; survival falls."""
    t, n = 13.0, np.arange(400.0)[:, None]
    pmf, sf = case.purchase_pmf(n, t, *PAST), case.purchase_sf(n, t, *PAST)
    living, alive = case.count_survival(n, t, *STATE), case.p_alive(*PAST)
    assert ((alive >= 0) & (alive <= 1) & (pmf >= 0).all(axis=0)).all()
    np.testing.assert_allclose(pmf.sum(axis=0), 1.0, atol=1e-9)
    np.testing.assert_allclose(pmf[:-1], -np.diff(sf, axis=0), atol=1e-9)
    np.testing.assert_allclose(sf[1:], alive * living[1:], rtol=1e-12)
    assert (np.diff(living, axis=0) <= 1e-12).all()
    assert (living[0] == 1).all()
    np.testing.assert_allclose(case.p_purchase(t, *PAST), alive * living[1], rtol=1e-10)
    mean = case.expected_purchases(t, *PAST)
    np.testing.assert_allclose(sf[1:].sum(axis=0), mean, rtol=1e-7)
    np.testing.assert_allclose(mean, alive * case.alive_purchases(t, *STATE), rtol=1e-10)


def check_horizons(case: Case) -> None:
    """No time gives nothing; more time gives more, at a falling pace; the living become fewer."""
    horizons = np.linspace(0.0, 52.0, 9)[:, None]
    for name in ("expected_purchases", "p_purchase"):
        values = getattr(case, name)(horizons, *PAST)
        steps = np.diff(values, axis=0)
        assert (values[0] == 0).all()
        assert (steps >= 0).all()
        assert (np.diff(steps, axis=0) <= 1e-12).all()
    alive = case.p_alive_at(horizons, *PAST)
    np.testing.assert_allclose(alive[0], case.p_alive(*PAST), rtol=1e-12)
    assert (np.diff(alive, axis=0) <= 1e-15).all()
    assert (alive >= 0).all()
    assert 0 < case.mean_dropout(13.0) < 1


def check_discounts(case: Case) -> None:
    t, rates = 52.0, (1e-9, 0.002, 0.02)
    plain = case.expected_purchases(t, *PAST)
    np.testing.assert_allclose(case.discounted_purchases(t, *PAST, rate=0.0), plain, rtol=1e-12)
    values = [case.discounted_purchases(t, *PAST, rate=rate) for rate in rates]
    np.testing.assert_allclose(values[0], plain, rtol=1e-6)
    assert (values[1] < plain).all()
    assert (values[2] < values[1]).all()
    for rate, value in zip(rates[1:], values[1:], strict=True):
        endless = case.residual_purchases(*PAST, rate=rate)
        far = case.discounted_purchases(45.0 / rate, *PAST, rate=rate)
        np.testing.assert_allclose(endless, far, rtol=1e-7)
        assert (value < endless).all()


def check_waits(case: Case) -> None:
    """The quantile of the wait inverts the survival of the first count."""
    t, shares = 26.0, np.array([0.05, 0.5, 0.95])[:, None]
    wait = case.next_purchase_quantile(shares, t, *STATE)
    within = case.count_survival(1.0, t, *STATE)
    np.testing.assert_allclose(case.count_survival(1.0, wait, *STATE), shares * within, rtol=1e-8)
    np.testing.assert_allclose(case.next_purchase_quantile(1.0, t, *STATE), t, rtol=1e-9)


def check_units(case: Case, scale: float = 7.0) -> None:
    """Days for weeks: the same customers, predictions and waits."""
    params = {name: v * scale ** case.module.UNITS[name] for name, v in case.params.items()}
    days = Case(case.module, params)
    past = X, scale * T_X, scale * T
    np.testing.assert_allclose(days.p_alive(*past), case.p_alive(*PAST), rtol=1e-9)
    np.testing.assert_allclose(
        days.expected_purchases(scale * 13.0, *past),
        case.expected_purchases(13.0, *PAST),
        rtol=1e-9,
    )
    np.testing.assert_allclose(
        days.next_purchase_quantile(0.5, scale * 13.0, X, scale * T),
        scale * case.next_purchase_quantile(0.5, 13.0, *STATE),
        rtol=1e-8,
    )
    # a density of x times in weeks is 7^x times the density in days
    np.testing.assert_allclose(
        days.log_likelihood(*past) + X * np.log(scale), case.log_likelihood(*PAST), rtol=1e-9
    )


def check_broadcasting(case: Case) -> None:
    """Scalars, a column of draws, and a value per row give what single calls give."""
    draws = {name: value * np.array([[1.0], [1.3]]) for name, value in case.params.items()}
    last = case.module.PARAMS[-1]
    draws[last] = case.params[last] * np.linspace(0.8, 1.2, X.size)
    calls: dict[str, tuple[Any, ...]] = {
        "log_likelihood": PAST,
        "p_alive": PAST,
        "p_alive_at": (4.0, *PAST),
        "p_purchase": (4.0, *PAST),
        "expected_purchases": (4.0, *PAST),
        "alive_purchases": (4.0, *STATE),
        "count_survival": (2, 4.0, *STATE),
        "purchase_sf": (2, 4.0, *PAST),
        "purchase_pmf": (2, 4.0, *PAST),
        "next_purchase_quantile": (0.5, 4.0, *STATE),
    }
    for name, data in calls.items():
        function = getattr(case.module, name)
        together = function(*data, **draws)
        assert together.shape == (2, X.size), name
        for i, j in np.ndindex(2, X.size):
            one = {key: float(np.broadcast_to(v, (2, X.size))[i, j]) for key, v in draws.items()}
            alone = function(*(v[j] if isinstance(v, np.ndarray) else v for v in data), **one)
            assert np.ndim(alone) == 0, name
            assert together[i, j] == pytest.approx(float(alone), rel=1e-12), name
    future = case.module.simulate_future(np.random.default_rng(1), [1.0, 4.0], *PAST, **draws)
    assert {np.shape(future[name]) for name in ("x", "t_x", "T", "alive")} == {(2, X.size, 2)}


def check_simulation(case: Case) -> None:
    """New customers, and customers carried on, do as the formulas say."""
    size, end = SIZE, 39.0
    world = case.simulate_customers(np.random.default_rng(11), np.full(size, end))
    agree(world["x"], case.expected_purchases(end, 0, 0, 0))
    for n in range(3):
        agree(world["x"] == n, case.purchase_pmf(n, end, 0, 0, 0))
    last = np.zeros(size)
    np.maximum.at(last, world["customer"], world["time"])
    assert (last == world["t_x"]).all()
    assert (np.bincount(world["customer"], minlength=size) == world["x"]).all()
    agree(world["alive"] - case.p_alive(world["x"], world["t_x"], world["T"]), 0.0)

    histories = [np.repeat(column, size // 10) for column in PAST]
    times = np.array([7.0, 26.0])
    future = case.simulate_future(np.random.default_rng(12), times, *histories)
    shape = (X.size, size // 10, 2)
    new = (future["x"] - histories[0][:, None]).reshape(shape).swapaxes(0, 1)
    alive = future["alive"].reshape(shape).swapaxes(0, 1)
    column = times[:, None]
    agree(new, case.expected_purchases(column, *PAST).T)
    agree(new == 0, case.purchase_pmf(0, column, *PAST).T)
    agree(alive, case.p_alive_at(column, *PAST).T)
    assert (future["t_x"] <= future["T"]).all()
    assert (
        (future["t_x"][:, 0] > histories[2]) == (new.swapaxes(0, 1).reshape(-1, 2)[:, 0] > 0)
    ).all()

    latent = case.sample_latent(2000, *PAST, seed=13)
    agree(latent["alive"], case.p_alive(*PAST))


def check_additivity(case: Case) -> None:
    """Purchases by t2 are those by t1 and, of the customers as they are then, those from t1 to t2."""
    first, second = 9.0, 30.0
    for i in range(X.size):
        history = [np.full(SIZE // 4, column[i]) for column in PAST]
        future = case.simulate_future(np.random.default_rng(20 + i), [first], *history)
        x, t_x, T1 = (future[name][:, 0] for name in ("x", "t_x", "T"))
        # of the observable history at t1: what is expected of it from there on
        rest = x - history[0] + case.expected_purchases(second - first, x, t_x, T1)
        agree(rest, case.expected_purchases(second, X[i], T_X[i], T[i]))


def check_likelihood(case: Case) -> None:
    """The total, its gradient and its Hessian, against single customers and differences."""
    module, point = case.module, case.point
    weight = np.array([1.0, 2.0, 3.0, 1.0, 2.0])
    rows = module.rows(X, T_X, T, weight)
    value, gradient, hessian = module.log_likelihood_with_hessian(point, rows)
    assert value == pytest.approx(float(weight @ case.log_likelihood(*PAST)), rel=1e-10)
    total, slopes = module.total_log_likelihood(point, rows)
    assert total == pytest.approx(value, rel=1e-11)
    np.testing.assert_allclose(slopes, gradient, rtol=1e-7, atol=1e-8)
    for i, step in enumerate(1e-5 * point):
        move = step * np.eye(point.size)[i]
        up, down = (module.total_log_likelihood(point + sign * move, rows) for sign in (1, -1))
        assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * step), rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(
            hessian[i], (up[1] - down[1]) / (2 * step), rtol=1e-4, atol=1e-5 * np.abs(hessian).max()
        )
    points = module.initial_points(rows)
    assert all(np.isfinite(module.total_log_likelihood(at, rows)[0]) for at in points)
    assert isinstance(module.identified(point, rows), list)


CHECKS = (
    check_names,
    check_probabilities,
    check_horizons,
    check_discounts,
    check_waits,
    check_units,
    check_broadcasting,
    check_simulation,
    check_additivity,
    check_likelihood,
)
