"""An order log like that of an online shop, simulated from known parameters."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats

__all__ = ["CHANNELS", "simulate_shop"]


CHANNELS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "search": {"share": 0.40, "rate": 1.0, "dropout": 1.0, "spend": 1.0},
        "social": {"share": 0.30, "rate": 0.8, "dropout": 1.4, "spend": 0.8},
        "mail": {"share": 0.20, "rate": 1.3, "dropout": 0.7, "spend": 1.1},
        "store": {"share": 0.10, "rate": 0.9, "dropout": 0.6, "spend": 1.5},
    }
)
"""Channel of the first purchase → share of the customers, and rate, dropout and spend.

The last three are relative to the base.
"""

RATE = {"shape": 1.2, "scale": 0.014}
"""Gamma distribution of the purchase rate per day of a living customer."""

DROPOUT = {"a": 0.9, "b": 4.5}
"""Beta distribution of the probability of leaving after a repeat purchase."""

SPEND = {"p": 5.0, "q": 4.0, "v": 30.0}
"""Gamma-Gamma distribution of the money per order."""

LINES = 2.4
"""Lines of an order, on average."""

PEAK, HEIGHT = 340, 0.6
"""Day of the year on which a season is highest, and how far above and below its mean."""


def simulate_shop(  # noqa: PLR0913
    customers: int = 5000,
    *,
    seed: int = 0,
    start: str = "2023-01-01",
    days: int = 730,
    channels: Mapping[str, Mapping[str, float]] | None = None,
    seasonality: bool = False,
    refunds: float = 0.04,
    anonymous: float = 0.10,
    regularity: float = 1.0,
    truth: bool = False,
) -> Any:
    r"""Simulate the order lines of a shop.

    They have channels, refunds, orders without a customer and, if asked for, a season.

    A customer arrives on a random day of the log, buys at gaps that are Gamma with shape
    *regularity* (1 is a Poisson process) and mean 1/λ, λ ~ Gamma, and leaves after a repeat
    purchase with a probability ~ Beta; the value of an order is Gamma(p, ν), ν ~ Gamma(q, v).
    Channels scale rate, odds of leaving, and spend.

    Parameters
    ----------
    customers : int
        Customers with an id.
    seed : int
    start : str
        First day of the log (ISO date).
    days : int
        Length of the log.
    channels : mapping, optional
        Name → ``share``, ``rate``, ``dropout``, ``spend``, relative; :data:`CHANNELS` if left out.
    seasonality : bool
        Whether purchases follow the year, highest in early December, by a thinning of the repeats.
    refunds : float
        Share of the orders that are returned some days later, as negative lines under an id that
        begins with C.
    anonymous : float
        Share of all orders without a customer id.
    regularity : float
        k of the gaps, 1 or more.
    truth : bool
        Whether to return the truth beside the log.

    Returns
    -------
    pandas.DataFrame
        One row per order line, by time: ``order_id``, ``customer_id`` (text, null if anonymous),
        ``date`` (with a time of day), ``sku``, ``quantity``, ``price`` (money per piece),
        ``channel``.
    pandas.DataFrame
        With *truth*: ``customer_id``, ``channel``, ``rate`` (purchases per day), ``dropout``,
        ``alive`` (on the last day), ``mean_spend`` (an order).

    Raises
    ------
    ConfigError
        If a number is out of range, or a channel lacks a part.

    Examples
    --------
    >>> log = simulate_shop(100, seed=1)
    >>> log.columns.tolist()
    ['order_id', 'customer_id', 'date', 'sku', 'quantity', 'price', 'channel']
    >>> bool(log["quantity"].lt(0).any() and log["customer_id"].isna().any())
    True
    """
    import pandas as pd

    named = dict(CHANNELS if channels is None else channels)
    _check(customers, days, named, refunds, anonymous, regularity)
    start = parse_day(start, "start").isoformat()
    rng = np.random.default_rng(seed)
    people = _people(customers, named, rng)
    first = rng.integers(0, days, customers)
    owner, clock, alive = _visits(people, first, days, regularity, rng)
    if seasonality:
        opening = clock == first[owner]
        day_of_year = (clock + pd.Timestamp(start).day_of_year) % 365.25
        height = (1 + HEIGHT * np.cos(2 * np.pi * (day_of_year - PEAK) / 365.25)) / (1 + HEIGHT)
        kept = opening | (rng.random(owner.size) < height)
        owner, clock = owner[kept], clock[kept]
    total = rng.gamma(SPEND["p"], people["mean_spend"].to_numpy()[owner] / SPEND["p"])
    log = _lines(owner, clock, total, people, start, rng)
    log.loc[log["order_id"].isin(_some(log, anonymous, rng)), "customer_id"] = None
    back = _sent_back(
        log, _some(log, refunds, rng), pd.Timestamp(start) + pd.Timedelta(days, "D"), rng
    )
    log = pd.concat([log, back]).sort_values(["date", "order_id", "sku"], ignore_index=True)
    return (log, people.assign(alive=alive)) if truth else log


def _people(
    n: int, channels: Mapping[str, Mapping[str, float]], rng: np.random.Generator
) -> pd.DataFrame:
    import pandas as pd

    names = list(channels)
    channel_index = rng.choice(len(names), n, p=[channels[name]["share"] for name in names])
    scale = {}
    for part in ("rate", "dropout", "spend"):
        scale[part] = np.array([channels[name][part] for name in names])[channel_index]
    leaves = rng.beta(DROPOUT["a"], DROPOUT["b"], n)
    odds = scale["dropout"] * leaves / (1 - leaves)
    mean = scale["spend"] * SPEND["p"] * SPEND["v"] / rng.standard_gamma(SPEND["q"], n)
    return pd.DataFrame(
        {
            "customer_id": [f"{i:06d}" for i in range(1, n + 1)],
            "channel": np.array(names, object)[channel_index],
            "rate": scale["rate"] * rng.gamma(RATE["shape"], RATE["scale"], n).clip(1e-9),
            "dropout": odds / (1 + odds),
            "mean_spend": mean,
        }
    )


def _visits(
    people: pd.DataFrame, first: NDArray[np.int64], days: int, k: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]:
    """Customer and time of each purchase, and who has not left."""
    rate, leaves = people["rate"].to_numpy(), people["dropout"].to_numpy()
    owners, clocks = [np.arange(first.size)], [first.astype(float)]
    active, clock = np.arange(first.size), first.astype(float)
    alive = np.ones(first.size, bool)
    while active.size:
        clock = clock + rng.gamma(k, 1 / (k * rate[active]))
        seen = clock < days
        active, clock = active[seen], clock[seen]
        owners.append(active)
        clocks.append(clock)
        stays = rng.random(active.size) >= leaves[active]
        alive[active[~stays]] = False
        active, clock = active[stays], clock[stays]
    return np.concatenate(owners), np.concatenate(clocks), alive


def _lines(
    owner: NDArray[np.int64],
    clock: Floats,
    total: Floats,
    people: pd.DataFrame,
    start: str,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Order lines, an order's money split among one or more of them."""
    import pandas as pd

    order = np.argsort(clock, kind="stable")
    entry = np.repeat(order, 1 + rng.poisson(LINES - 1, order.size))
    number = pd.factorize(entry)[0]
    part = rng.standard_gamma(2.0, entry.size)
    money = total[entry] * part / np.bincount(number, part)[number]
    quantity = 1 + rng.geometric(0.6, entry.size) // 2
    seconds = (np.floor(clock[entry]) * 86_400 + (8 + 14 * (clock[entry] % 1)) * 3600).astype(
        "timedelta64[s]"
    )
    return pd.DataFrame(
        {
            "order_id": pd.Series(number + 100_001).astype("str"),
            "customer_id": people["customer_id"].to_numpy()[owner[entry]],
            "date": np.datetime64(start, "s") + seconds,
            "sku": pd.Series(rng.integers(1000, 1400, entry.size)).astype("str").radd("P"),
            "quantity": quantity,
            "price": np.maximum(np.round(money / quantity, 2), 0.01),
            "channel": people["channel"].to_numpy()[owner[entry]],
        }
    )


def _some(log: pd.DataFrame, share: float, rng: np.random.Generator) -> NDArray[Any]:
    """Ids of a random share of the orders."""
    orders = log["order_id"].unique()
    return np.asarray(orders[rng.random(len(orders)) < share])


def _sent_back(
    log: pd.DataFrame, orders: NDArray[Any], end: Any, rng: np.random.Generator
) -> pd.DataFrame:
    """Refunds of whole orders: a few at once, most after days."""
    import pandas as pd

    back = log[log["order_id"].isin(orders)].copy()
    number = pd.factorize(back["order_id"])[0]
    wait = np.where(rng.random(orders.size) < 0.2, 0, rng.geometric(0.15, orders.size))
    back["date"] += pd.to_timedelta(wait[number], "D")
    back["order_id"] = "C" + back["order_id"]
    back["quantity"] *= -1
    kept: pd.DataFrame = back[back["date"] < end]
    return kept


def _check(
    customers: int,
    days: int,
    channels: Mapping[str, Mapping[str, float]],
    refunds: float,
    anonymous: float,
    regularity: float,
) -> None:
    if customers < 1 or days < 1:
        raise ConfigError(f"expected 1 or more customers and days; got {customers!r} and {days!r}")
    if not (0 <= refunds < 1 and 0 <= anonymous < 1):
        raise ConfigError(
            f"refunds and anonymous must be shares in [0, 1); got {refunds!r} and {anonymous!r}"
        )
    if not 1 <= regularity < 1000:
        raise ConfigError(f"regularity must be 1 or more; got {regularity!r}")
    for name, parts in channels.items():
        if set(parts) != {"share", "rate", "dropout", "spend"} or min(parts.values()) <= 0:
            raise ConfigError(
                f"channel {name!r}: expected share, rate, dropout and spend above 0; got"
                f" {dict(parts)}"
            )
    if abs(sum(parts["share"] for parts in channels.values()) - 1) > 1e-9:
        raise ConfigError("expected shares of the channels that add up to 1")
