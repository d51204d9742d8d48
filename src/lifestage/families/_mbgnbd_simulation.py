"""Random samples of MBG/NBD customers: latent rates, whole histories, and histories carried on.

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
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from lifestage.families import _beta_geometric_simulation as body_simulation
from lifestage.families._beta_geometric import Params

if TYPE_CHECKING:
    import numpy as np

__all__ = ["sample_latent", "simulate_customers", "simulate_future"]

Data = ArrayLike

_params = partial(Params, first_dropout=True)


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
) -> dict[str, Any]:
    """Draw ``alive``, ``rate`` and ``dropout`` of each customer from their posterior.

    Returns
    -------
    dict
        Arrays of shape (size, n).

    Examples
    --------
    >>> params = {"r": 0.5, "alpha": 6.2, "a": 0.9, "b": 1.6}
    >>> sample_latent(4, [0, 2], [0, 3], [9, 9], **params, seed=1)["alive"].shape
    (4, 2)
    """
    return body_simulation.sample_latent(size, x, t_x, T, _params(r, alpha, a, b), seed)


def simulate_customers(
    rng: np.random.Generator, T: Data, *, r: Any, alpha: Any, a: Any, b: Any
) -> dict[str, Any]:
    """Simulate customers observed for T time units after their first purchase.

    Returns
    -------
    dict
        ``x``, ``t_x``, ``T``, the latent ``rate``, ``dropout`` and ``alive`` (one value per
        customer), and every repeat purchase as ``customer`` (row number) and ``time``.

    Examples
    --------
    >>> params = {"r": 0.5, "alpha": 6.2, "a": 0.9, "b": 1.6}
    >>> import numpy as np
    >>> simulate_customers(np.random.default_rng(1), [39.0] * 3, **params)["x"].shape
    (3,)
    """
    return body_simulation.simulate_customers(rng, T, _params(r, alpha, a, b))


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
) -> dict[str, Any]:
    """Carry each customer's history on to T + each of *times*, which rise.

    Returns
    -------
    dict
        ``x``, ``t_x``, ``T`` and ``alive`` then, of shape (n, times).

    Examples
    --------
    >>> params = {"r": 0.5, "alpha": 6.2, "a": 0.9, "b": 1.6}
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> simulate_future(rng, [13, 26], [0, 2], [0, 3], [9, 9], **params)["T"]
    array([[22., 35.],
           [22., 35.]])
    """
    return body_simulation.simulate_future(rng, times, x, t_x, T, _params(r, alpha, a, b))
