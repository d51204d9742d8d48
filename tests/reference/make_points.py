"""Draw points over the whole domain and store their mpmath values in ``points.parquet``.

    uv run python -m tests.reference.make_points

Every point is evaluated for both families, and its expected purchases by both routes of the oracle, which must agree
to 1e-15 relative. It takes a few minutes.
"""

from __future__ import annotations

from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pandas as pd

from tests.reference import oracle

STORED = Path(__file__).with_name("points.parquet")
FAMILIES = ("bg/nbd", "mbg/nbd")
ARGUMENTS = ("r", "alpha", "a", "b", "x", "t_x", "T", "t")
POINTS = 2400
SEED = 20050424

EDGES = {
    "r": (1e-3, 1.0, 1e3),
    "alpha": (1e-3, 1.0, 1e4),
    "a": (1e-3, 1.0, np.nextafter(1.0, 2.0), 1.0 - 1e-9, 1e3),
    "b": (1e-3, 1.0, 1e3),
    "x": (0.0, 1.0, 2.0, 10_000.0),
    "T": (1e-3, 1.0, 1e4),
    "t": (1e-9, 1e-3, 1.0, 1e4),
}
"""Values forced into a share of the points, each parameter on its own, so that corners meet as well."""


def draw(points: int, seed: int) -> pd.DataFrame:
    """Draw arguments, log-uniform over the domain, with one value in six at an edge."""
    rng = np.random.default_rng(seed)

    def log_uniform(low: float, high: float) -> np.ndarray:
        return np.exp(rng.uniform(np.log(low), np.log(high), points))

    frame = pd.DataFrame(
        {
            "r": log_uniform(1e-3, 1e3),
            "alpha": log_uniform(1e-3, 1e4),
            "a": log_uniform(1e-3, 1e3),
            "b": log_uniform(1e-3, 1e3),
            "x": np.floor(log_uniform(0.5, 1e4 + 1)),
            "T": log_uniform(1e-3, 1e4),
            "t": log_uniform(1e-3, 1e4),
        }
    )
    for name, edges in EDGES.items():
        frame[name] = frame[name].where(rng.random(points) > 1 / 6, rng.choice(edges, points))
    # last purchases from long ago, and a share of silence from tiny to all of T, so that P(alive) takes every size
    share = np.where(rng.random(points) < 0.5, rng.random(points), 1.0 - log_uniform(1e-9, 1.0))
    share = np.where(rng.random(points) < 0.25, log_uniform(1e-6, 1.0), share)
    share = np.where(rng.random(points) < 0.1, 1.0, np.clip(share, 1e-6, 1.0))
    new = (frame["x"] == 0) & (rng.random(points) < 0.3)
    frame["T"] = frame["T"].where(~new, 0.0)
    frame["t_x"] = np.where(frame["x"] > 0, frame["T"] * share, 0.0)
    return frame[list(ARGUMENTS)]


def confirmed(purchases: mp.mpf, family: str, future: dict[str, float]) -> bool:
    """Whether the hypergeometric route gives *purchases* to 1e-15 at one of three precisions.

    mpmath's Gauss function can be far off at a point, even with the same wrong digits at two precisions, where a third
    is right; so it confirms a value and is never the value.
    """
    for digits in (60, 120, 240):
        again = oracle.expected_alive(
            family, **future, route=partial(oracle.alive_by_hypergeometric, digits=digits)
        )
        if abs(purchases - again) <= mp.mpf("1e-15") * purchases:
            return True
    return False


def evaluate(point: dict[str, float]) -> list[dict[str, Any]]:
    """One row a family with the exact values, rounded to doubles; ``log_p_alive`` holds where P(alive) underflows."""
    past = {k: v for k, v in point.items() if k != "t"}
    future = {k: v for k, v in point.items() if k != "t_x"}
    rows = []
    for family in FAMILIES:
        with mp.workdps(oracle.DIGITS):
            alive = oracle.p_alive(family, **past)
            purchases = oracle.expected_alive(family, **future)
            if not confirmed(purchases, family, future):
                raise ArithmeticError(
                    f"two routes disagree at {family} {point}: panels give {purchases}"
                )
            buys = oracle.p_purchase_alive(family, **future)
            rows.append(
                {
                    "family": family,
                    **point,
                    "log_likelihood": float(oracle.log_likelihood(family, **past)),
                    "p_alive": float(alive),
                    "log_p_alive": float(mp.log(alive)),
                    "p_purchase": float(alive * buys),
                    "expected_alive": float(purchases),
                    "expected_purchases": float(alive * purchases),
                }
            )
    return rows


def main() -> None:
    """Evaluate all points in two processes and write the file."""
    points = draw(POINTS, SEED).to_dict("records")
    with get_context("spawn").Pool(2) as pool:
        rows = [row for pair in pool.imap(evaluate, points, chunksize=20) for row in pair]
    table = pd.DataFrame(rows).astype({"family": "category"})
    table.to_parquet(STORED, compression="zstd", index=False)


if __name__ == "__main__":
    main()
