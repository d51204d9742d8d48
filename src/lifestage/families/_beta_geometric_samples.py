"""Random samples of BG/NBD and MBG/NBD customers, as each family offers them by :func:`of_sister`.

Parameters
----------
x, t_x, T : array_like
    Of each customer: repeat purchases, the time of the last one, and the time observed.
times : array_like
    Times after T, rising.
size : int
    Samples per customer.
rng : numpy.random.Generator
seed : int or numpy.random.Generator
r, alpha, a, b : array_like
    Parameters of the model.
first_dropout : bool
    Whether a customer may drop out right after the first purchase, as in MBG/NBD.
"""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from lifestage.families import _beta_geometric_simulation as body_simulation
from lifestage.families._beta_geometric import Params

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

__all__ = ["of_sister", "sample_latent", "simulate_customers", "simulate_future"]

Data = ArrayLike

type Sampler = Callable[..., dict[str, Any]]


def of_sister(sampler: Sampler, *, first_dropout: bool) -> Sampler:
    """Return *sampler* as BG/NBD or MBG/NBD offers it: with its docstring, without the switch."""

    @wraps(sampler)
    def of_one(*args: Any, **options: Any) -> dict[str, Any]:
        return sampler(*args, **options, first_dropout=first_dropout)

    signature = inspect.signature(sampler)
    offered = dict(signature.parameters)
    del offered["first_dropout"]
    shown = signature.replace(parameters=list(offered.values()))
    of_one.__signature__ = shown  # type: ignore[attr-defined]
    return of_one


def sample_latent(
    size: int,
    x: Data,
    t_x: Data,
    T: Data,
    *,
    r: Any,
    alpha: Any,
    a: Any,
    b: Any,
    seed: int | np.random.Generator,
    first_dropout: bool,
) -> dict[str, Any]:
    """Draw ``alive``, ``rate`` and ``dropout`` of each customer from their posterior.

    Returns
    -------
    dict
        Arrays of shape (size, n).

    Examples
    --------
    >>> from lifestage.families import bgnbd
    >>> params = {"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 2.4}
    >>> bgnbd.sample_latent(4, [0, 2], [0, 3], [9, 9], **params, seed=1)["alive"].shape
    (4, 2)
    """
    return body_simulation.sample_latent(
        size, x, t_x, T, Params(r, alpha, a, b, first_dropout), seed
    )


def simulate_customers(
    rng: np.random.Generator,
    T: Data,
    *,
    r: Any,
    alpha: Any,
    a: Any,
    b: Any,
    first_dropout: bool,
) -> dict[str, Any]:
    """Simulate customers observed for T time units after their first purchase.

    Returns
    -------
    dict
        ``x``, ``t_x``, ``T``, the latent ``rate``, ``dropout`` and ``alive`` (one value per
        customer), and every repeat purchase as ``customer`` (row number) and ``time``.

    Examples
    --------
    >>> from lifestage.families import bgnbd
    >>> params = {"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 2.4}
    >>> import numpy as np
    >>> bgnbd.simulate_customers(np.random.default_rng(1), [39.0] * 3, **params)["x"].shape
    (3,)
    """
    return body_simulation.simulate_customers(rng, T, Params(r, alpha, a, b, first_dropout))


def simulate_future(
    rng: np.random.Generator,
    times: Data,
    x: Data,
    t_x: Data,
    T: Data,
    *,
    r: Any,
    alpha: Any,
    a: Any,
    b: Any,
    first_dropout: bool,
) -> dict[str, Any]:
    """Carry each customer's history on to T + each of *times*, which rise.

    Returns
    -------
    dict
        ``x``, ``t_x``, ``T`` and ``alive`` then, of shape (n, times).

    Examples
    --------
    >>> from lifestage.families import bgnbd
    >>> params = {"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 2.4}
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> bgnbd.simulate_future(rng, [13, 26], [0, 2], [0, 3], [9, 9], **params)["T"]
    array([[22., 35.],
           [22., 35.]])
    """
    return body_simulation.simulate_future(
        rng, times, x, t_x, T, Params(r, alpha, a, b, first_dropout)
    )
