"""A mixture against its families: each draw is one of them, and averages are their mixture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lifestage.families import bgnbd, mbgnbd, mixture, pareto_nbd
from lifestage.families.catalog import FAMILIES

PARAMS = {
    "bg/nbd": {"r": 0.243, "alpha": 4.41, "a": 0.79, "b": 2.43},
    "pareto/nbd": {"r": 0.553, "alpha": 10.58, "s": 0.606, "beta": 11.67},
    "mbg/nbd": {"r": 0.525, "alpha": 6.18, "a": 0.89, "b": 1.61},
}
MODULES = {"bg/nbd": bgnbd, "mbg/nbd": mbgnbd, "pareto/nbd": pareto_nbd}
OF_DRAW = ["mbg/nbd", "bg/nbd", "pareto/nbd", "bg/nbd"]
X, T_X, T = (
    np.array([0.0, 0, 1, 3, 20]),
    np.array([0.0, 0, 4, 20, 30]),
    np.array([10.0, 38, 38, 39, 31]),
)
PAST, STATE = (X, T_X, T), (X, T)


@pytest.fixture(autouse=True)
def families(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "pareto/nbd", pareto_nbd)


def stacked(of_draw: list[str], shape: tuple[int, ...]) -> dict[str, Any]:
    columns = {}
    for name, params in PARAMS.items():
        for param, value in params.items():
            values = [value if each == name else np.nan for each in of_draw]
            columns[mixture.column_name(name, param)] = np.reshape(values, shape)
    return columns


CALLS: dict[str, tuple[Any, ...]] = {
    "p_alive": PAST,
    "log_likelihood": PAST,
    "p_alive_at": (13.0, *PAST),
    "p_purchase": (13.0, *PAST),
    "expected_purchases": (52.0, *PAST),
    "discounted_purchases": (52.0, *PAST),
    "residual_purchases": PAST,
    "purchase_pmf": (2, 13.0, *PAST),
    "purchase_sf": (1, 13.0, *PAST),
    "alive_purchases": (13.0, *STATE),
    "count_survival": (2, 13.0, *STATE),
    "next_purchase_quantile": (0.5, 13.0, *STATE),
    "mean_dropout": (13.0,),
}
DISCOUNTED = {"discounted_purchases": {"rate": 0.002}, "residual_purchases": {"rate": 0.002}}


@pytest.mark.parametrize("name", CALLS)
def test_each_draw_is_one_of_the_families(name: str) -> None:
    options = DISCOUNTED.get(name, {})
    got = getattr(mixture, name)(*CALLS[name], **options, **stacked(OF_DRAW, (4, 1)))
    for row, family in zip(got, OF_DRAW, strict=True):
        own = getattr(MODULES[family], name)(*CALLS[name], **options, **PARAMS[family])
        np.testing.assert_allclose(row, np.broadcast_to(own, row.shape), rtol=1e-13)


def test_one_draw_and_a_value_per_row() -> None:
    one = {name: value.item() for name, value in stacked(["pareto/nbd"], (1,)).items()}
    np.testing.assert_array_equal(
        mixture.p_alive(*PAST, **one), pareto_nbd.p_alive(*PAST, **PARAMS["pareto/nbd"])
    )
    rows = [*OF_DRAW, "mbg/nbd"]
    got = mixture.expected_purchases(13.0, *PAST, **stacked(rows, (5,)))
    for i, family in enumerate(rows):
        data = [values[i] for values in PAST]
        own = MODULES[family].expected_purchases(13.0, *data, **PARAMS[family])
        assert got[i] == pytest.approx(own, rel=1e-13)


def test_horizons_and_counts_with_a_value_per_draw() -> None:
    n = np.array([[1.0], [2.0], [3.0], [4.0]])
    got = mixture.count_survival(n, 13.0, *STATE, **stacked(OF_DRAW, (4, 1)))
    more = mixture.count_survival(n[:, None], 13.0, *STATE, **stacked(OF_DRAW, (4, 1)))
    assert more.shape == (4, 4, 5)
    for i, family in enumerate(OF_DRAW):
        own = MODULES[family].count_survival(i + 1.0, 13.0, *STATE, **PARAMS[family])
        np.testing.assert_allclose(got[i], own, rtol=1e-13)
        np.testing.assert_allclose(more[i, i], own, rtol=1e-13)


def test_it_knows_the_families_of_the_moment() -> None:
    assert mixture.STATE == ("frequency", "T")
    assert set(mixture.PARAMS) == set(mixture.UNITS) == set(stacked(OF_DRAW, (4, 1)))
    assert mixture.UNITS["pareto/nbd: beta"] == 1


def test_simulated_customers_are_of_their_own_family() -> None:
    size = 30_000
    of_row = (OF_DRAW * size)[:size]
    world = mixture.simulate_customers(
        np.random.default_rng(4), np.full(size, 39.0), **stacked(of_row, (size,))
    )
    assert (np.bincount(world["customer"], minlength=size) == world["x"]).all()
    last = np.zeros(size)
    np.maximum.at(last, world["customer"], world["time"])
    assert (last == world["t_x"]).all()
    for family, params in PARAMS.items():
        x = world["x"][np.array(of_row) == family]
        mean = MODULES[family].expected_purchases(39.0, 0, 0, 0, **params)
        assert x.mean() == pytest.approx(mean, abs=4 * x.std() / np.sqrt(x.size))


def test_futures_and_latent_states_follow_the_family_of_the_draw() -> None:
    rng, draws = np.random.default_rng(5), 4000
    future = mixture.simulate_future(
        rng, [7.0, 20.0], *PAST, **stacked(OF_DRAW * (draws // 4), (draws, 1))
    )
    assert future["x"].shape == (draws, 5, 2)
    for i, family in enumerate(OF_DRAW):
        more = future["x"][i::4, :, 1] - X
        own = MODULES[family].expected_purchases(20.0, *PAST, **PARAMS[family])
        np.testing.assert_array_less(
            np.abs(more.mean(axis=0) - own), 4.5 * more.std(axis=0) / np.sqrt(draws / 4) + 1e-9
        )
    one = {name: value.item() for name, value in stacked(["mbg/nbd"], (1,)).items()}
    latent = mixture.sample_latent(4000, *PAST, seed=5, **one)
    alive = mbgnbd.p_alive(*PAST, **PARAMS["mbg/nbd"])
    off = np.abs(latent["alive"].mean(axis=0) - alive)
    assert (off < 4 * np.sqrt(alive * (1 - alive) / 4000) + 1e-3).all()
