"""The lifetimes package as a peer, and a count of the stored points that it gets wrong.

uv run python -m tests.reference.lifetimes_peer
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter

from tests.reference import make_points

FITTERS = {"bg/nbd": BetaGeoFitter, "mbg/nbd": ModifiedBetaGeoFitter}
UNDERFLOW = 1e-290
WRONG = 1e-6


def fitter(family: str, **params: Any) -> Any:
    """A fitter of lifetimes with these parameters; arrays make it work row by row."""
    out = FITTERS[family]()
    out.params_ = params
    return out


def p_alive(family: str, x: Any, t_x: Any, T: Any, **params: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(fitter(family, **params).conditional_probability_alive(x, t_x, T), float)


def expected_purchases(family: str, t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        peer = fitter(family, **params)
        return np.asarray(
            peer.conditional_expected_number_of_purchases_up_to_time(t, x, t_x, T), float
        )


def flaws(got: np.ndarray, exact: np.ndarray, largest: float) -> dict[str, int]:
    """How many values are no number, negative, above *largest*, or off by more than ``WRONG`` relative, and in all."""
    finite = np.isfinite(got)
    value = np.where(finite, got, 0.0)
    close = np.where(
        exact < UNDERFLOW, np.abs(value) <= UNDERFLOW, np.abs(value - exact) <= WRONG * exact
    )
    counts = {
        "not finite": ~finite,
        "negative": finite & (value < 0),
        "above one": finite & (value > largest),
        "otherwise off": finite & (value >= 0) & (value <= largest) & ~close,
    }
    return {name: int(where.sum()) for name, where in counts.items()} | {
        "wrong": int((~finite | ~close).sum())
    }


def count() -> pd.DataFrame:
    """One row a family and quantity, with the number of stored points and of each flaw."""
    points = pd.read_parquet(make_points.STORED)
    rows = []
    for family in FITTERS:
        p = {k: v.to_numpy() for k, v in points[points["family"] == family].items()}
        params = {k: p[k] for k in ("r", "alpha", "a", "b")}
        data = (p["x"], p["t_x"], p["T"])
        alive = p_alive(family, *data, **params)
        expected = expected_purchases(family, p["t"], *data, **params)
        for name, got, largest in (
            ("p_alive", alive, 1.0),
            ("expected_purchases", expected, np.inf),
        ):
            rows.append(
                {
                    "family": family,
                    "quantity": name,
                    "points": len(got),
                    **flaws(got, p[name], largest),
                }
            )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    print(count().to_string(index=False))
