"""Priors of the Gamma-Gamma model of spend, with μ the mean spend of the base.

    p                    LogNormal(median=4, sigma=1.5)    regularity of one customer's spends
    q                    LogNormal(median=4, sigma=0.7)    how alike the customers' mean spends are
    level = v·p/(μ·q)    LogNormal(median=1, sigma=1)      typical spend, near the observed mean

``v`` (money) can take the place of ``level``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families.prior_quantities import Priors

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRIORS"]


def _parameters(u: Mapping[str, Any]) -> list[Any]:
    """ln p, ln q and ln v from the quantities."""
    v = u["v"] if "v" in u else u["level"] - u["p"] + u["q"]
    return [u["p"], u["q"], v]


_P, _Q, _V = np.eye(3)

PRIORS = Priors(
    defaults={
        "p": "LogNormal(median=4, sigma=1.5)",
        "q": "LogNormal(median=4, sigma=0.7)",
        "level": "LogNormal(median=1, sigma=1)",
    },
    slopes={"p": _P, "q": _Q, "level": _V + _P - _Q, "v": _V},
    parameters=_parameters,
    replaces={"v": "level"},
)
