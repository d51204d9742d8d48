"""An order log with everything that goes wrong in one, made by plain numpy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

FIRST, DAYS = np.datetime64("2023-01-01"), 700


def messy_log(customers: int, seed: int) -> pa.Table:
    """About seven or eight lines a customer: customer, placed, order, price, pieces, channel.

    Ids of many scripts; ids, times and prices missing, blank or not finite; refunds that undo a day; free days; lines
    twice.
    """
    rng = np.random.default_rng(seed)
    first = rng.integers(0, DAYS, customers)
    rate = rng.gamma(2.0, 0.01, customers)
    stays = rng.exponential(1 / rng.gamma(2.0, 0.003, customers))
    watched = np.minimum(stays, DAYS - first)
    purchases = 1 + rng.poisson(rate * watched)
    owner = np.repeat(np.arange(customers), purchases)
    opening = np.concatenate([[0], np.cumsum(purchases)[:-1]])
    day = first[owner] + (rng.random(owner.size) * watched[owner]).astype(int)
    day[opening] = first
    lines = 1 + rng.poisson(1.5, owner.size)
    entry = np.repeat(np.arange(owner.size), lines)
    n = entry.size
    names = np.array(
        [("客", "ü", "é ", "N-", "０")[i % 5] + str(i) for i in range(customers)], object
    )
    table = pd.DataFrame(
        {
            "customer": names[owner[entry]],
            "placed": FIRST
            + day[entry] * np.timedelta64(1, "D")
            + rng.integers(0, 86_400, n).astype("timedelta64[s]"),
            "order": entry.astype(str),
            "price": np.round(rng.gamma(2.0, rng.gamma(4.0, 2.0, customers)[owner[entry]]), 2),
            "pieces": rng.integers(1, 6, n).astype("int64"),
            "channel": np.array(["web", "store", "小店", None], object)[
                rng.integers(0, 4, owner.size)[entry]
            ],
        }
    )
    table.loc[rng.random(n) < 0.05, "customer"] = None
    table.loc[rng.random(n) < 0.01, "customer"] = "  "
    table.loc[rng.random(n) < 0.01, "placed"] = pd.NaT
    table.loc[rng.random(n) < 0.01, "price"] = np.inf
    table.loc[rng.random(n) < 0.01, "pieces"] *= -1
    undone = table[rng.random(n) < 0.02].assign(pieces=lambda part: -part["pieces"])
    free = rng.random(owner.size) < 0.02
    table.loc[free[entry], "price"] = 0.0
    twice = table[rng.random(n) < 0.02]
    whole = pd.concat([table, undone, twice], ignore_index=True)
    whole.loc[rng.random(len(whole)) < 0.01, "order"] = None
    mixed = whole.sample(frac=1.0, random_state=seed)
    return pa.Table.from_pandas(mixed, preserve_index=False, schema=SCHEMA)


SCHEMA = pa.schema(
    [
        ("customer", pa.string()),
        ("placed", pa.timestamp("us")),
        ("order", pa.string()),
        ("price", pa.float64()),
        ("pieces", pa.int64()),
        ("channel", pa.string()),
    ]
)
