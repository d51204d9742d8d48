"""Draw points over the domain of the Pareto/NBD and store their mpmath values in ``pareto_points.parquet``.

    uv run python -m tests.reference.make_pareto_points

The integrals of the likelihood and of a purchase must agree with the ₂F₁ of the papers to 1e-15 relative, the sum
without a horizon with Tricomi's function, the expectation is the closed form. Derivatives are of a part of the points.
"""

from __future__ import annotations

from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mpmath as mp
import numpy as np
import pandas as pd

from tests.reference import pareto_oracle as oracle

if TYPE_CHECKING:
    from collections.abc import Callable

STORED = Path(__file__).with_name("pareto_points.parquet")
PARAMS = ("r", "alpha", "s", "beta")
ARGUMENTS = (*PARAMS, "x", "t_x", "T", "t", "n", "rate")
TRIANGLE = [PARAMS[i] + "_" + PARAMS[j] for i in range(4) for j in range(i, 4)]
POINTS, SEED = 480, 19870101
WITH_DERIVATIVES = 48
"""The first so many points."""

EDGES = {
    "r": (1e-3, 1.0, 1e3),
    "alpha": (1e-3, 1.0, 1e4),
    "s": (1e-3, 1.0, np.nextafter(1.0, 2.0), 1.0 - 1e-9, 1e3),
    "beta": (1e-3, 1.0, 1e4),
    "x": (0.0, 1.0, 2.0, 10_000.0),
    "T": (1e-3, 1.0, 1e4),
    "t": (1e-9, 1e-3, 1.0, 1e4),
}
"""Values forced into a share of the points, each parameter on its own, so that corners meet as well."""


def draw(points: int, seed: int) -> pd.DataFrame:
    """Draw arguments, log-uniform over the domain, with one value in six at an edge and one α in six equal to β."""
    rng = np.random.default_rng(seed)

    def log_uniform(low: float, high: float) -> np.ndarray:
        return np.exp(rng.uniform(np.log(low), np.log(high), points))

    frame = pd.DataFrame(
        {
            "r": log_uniform(1e-3, 1e3),
            "alpha": log_uniform(1e-3, 1e4),
            "s": log_uniform(1e-3, 1e3),
            "beta": log_uniform(1e-3, 1e4),
            "x": np.floor(log_uniform(0.5, 1e4 + 1)),
            "T": log_uniform(1e-3, 1e4),
            "t": log_uniform(1e-3, 1e4),
            "rate": log_uniform(1e-6, 10.0),
        }
    )
    for name, edges in EDGES.items():
        frame[name] = frame[name].where(rng.random(points) > 1 / 6, rng.choice(edges, points))
    frame["beta"] = frame["beta"].where(rng.random(points) > 1 / 6, frame["alpha"])
    # last purchases from long ago, and a share of silence from tiny to all of T, so that P(alive) takes every size
    share = np.where(rng.random(points) < 0.6, rng.random(points), 1.0 - log_uniform(1e-9, 1.0))
    share = np.where(rng.random(points) < 0.1, 1.0, np.clip(share, 1e-6, 1.0))
    new = (frame["x"] == 0) & (rng.random(points) < 0.3)
    frame["T"] = frame["T"].where(~new, 0.0)
    frame["t_x"] = np.where(frame["x"] > 0, frame["T"] * share, 0.0)
    # counts about as large as are expected without dropout, and one in three anywhere
    mean = (frame["r"] + frame["x"]) * frame["t"] / (frame["alpha"] + frame["T"])
    near = np.ceil(np.clip(mean * log_uniform(0.1, 3.0), 1.0, 1e4))
    frame["n"] = np.where(rng.random(points) < 2 / 3, near, np.ceil(log_uniform(0.5, 1e4)))
    return frame[list(ARGUMENTS)]


def confirmed(value: mp.mpf, again: Callable[[int], mp.mpf]) -> bool:
    """Whether another route gives *value* to 1e-15 at one of several precisions.

    mpmath's hypergeometric functions can be far off at a point, even with the same wrong digits at two precisions, where
    a third is right; so they confirm a value and are never the value.
    """
    for digits in (45, 80, 160, 400, 1000):
        try:
            if abs(value - again(digits)) <= mp.mpf("1e-15"):
                return True
        except ValueError:  # mpmath says that its series did not converge
            continue
    return False


def check(point: dict[str, float]) -> None:
    """Raise if two routes disagree on the integrals that both can do."""
    r, alpha, s, beta, x, t_x, T, t, rate = (
        mp.mpf(point[k]) for k in (*PARAMS, "x", "t_x", "T", "t", "rate")
    )
    R = r + x
    integrals = (
        (R, s + 1, alpha + t_x, beta + t_x, T - t_x),
        (R + 1, s, alpha + T, beta + T, t),
    )
    for P, S, A, B, w in integrals:
        if w > 0 and not confirmed(
            oracle.integral(0, P, S, 0, A, B, w), partial(oracle.by_hypergeometric, P, S, A, B, w)
        ):
            raise ArithmeticError(f"two routes disagree at {point}")
    endless = mp.log(oracle.discounted_alive(mp.inf, x, T, r, alpha, s, beta, rate))
    if not confirmed(endless, partial(oracle.log_residual_alive, x, T, r, alpha, s, beta, rate)):
        raise ArithmeticError(f"two routes to the endless sum disagree at {point}")


def evaluate(point: dict[str, float], derivatives: bool, checked: bool = True) -> dict[str, Any]:
    """The exact values at a point, rounded to doubles."""
    params = {k: point[k] for k in PARAMS}
    past = {k: point[k] for k in ("x", "t_x", "T")} | params
    future = {k: point[k] for k in ("t", "x", "T")} | params
    endless = {k: point[k] for k in ("x", "T", "rate")} | params
    with mp.workdps(oracle.DIGITS):
        if checked:
            check(point)
        alive = oracle.p_alive(**past)
        purchases = oracle.expected_alive(**future)
        row = {
            **point,
            "log_likelihood": oracle.log_likelihood(**past),
            "p_alive": alive,
            "p_purchase": alive * oracle.survival(1, **future),
            "expected_alive": purchases,
            "expected_purchases": alive * purchases,
            "discounted_alive": oracle.discounted_alive(**future, rate=point["rate"]),
            "residual_alive": oracle.discounted_alive(mp.inf, **endless),
            "count_survival": oracle.survival(point["n"], **future),
            "count_pmf": oracle.pmf(point["n"], **future),
        }
        slopes = [float("nan")] * 14
        if derivatives:
            gradient, hessian = oracle.derivatives(
                *(past[k] for k in ("x", "t_x", "T")), *params.values()
            )
            slopes = [*gradient, *hessian]
        row |= dict(zip([*("by_" + p for p in PARAMS), *TRIANGLE], slopes, strict=True))
    return {name: float(value) for name, value in row.items()}


def main() -> None:
    """Evaluate all points in two processes and write the file."""
    points = draw(POINTS, SEED).to_dict("records")
    tasks = [(point, i < WITH_DERIVATIVES) for i, point in enumerate(points)]
    with get_context("spawn").Pool(2) as pool:
        rows = pool.starmap(evaluate, tasks, chunksize=5)
    pd.DataFrame(rows).to_parquet(STORED, compression="zstd", index=False)


if __name__ == "__main__":
    main()
