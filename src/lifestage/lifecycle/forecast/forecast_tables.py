"""Tables of a stage forecast, from the simulated customers and revenue by state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifestage.lifecycle.stages.taxonomies import TAXONOMIES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.lifecycle.forecast.simulate import Scenarios
    from lifestage.lifecycle.stages.taxonomies import Taxonomy

__all__ = ["Scale", "View", "dated", "stage_rows", "total_rows", "transition_rows"]


@dataclass(frozen=True, eq=False)
class View:
    """A taxonomy, the place of the stage of each state in it, and the stage of each group today."""

    taxonomy: Taxonomy
    stage_of_state: NDArray[np.int64]
    today: pd.Series


@dataclass(frozen=True)
class Scale:
    """How many customers each simulated one stands for, and the quantiles of the interval."""

    factor: float
    ends: tuple[float, float]

    def interval(self, name: str, values: Floats) -> dict[str, Floats]:
        """Return the mean over scenarios, the first axis, and the interval, for the whole base."""
        low, high = np.quantile(values, self.ends, axis=0)
        return {
            name: values.mean(axis=0) * self.factor,
            f"{name}_low": low * self.factor,
            f"{name}_high": high * self.factor,
        }


def dated(table: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """Put periods and date in the place of the number of the time."""
    rows = calendar.iloc[table["point"].to_numpy(int)]
    place = list(table.columns).index("point")
    out = table.drop(columns="point")
    for i, name in enumerate(calendar.columns):
        out.insert(place + i, name, rows[name].to_numpy())
    return out


def _by_stage(values: Floats, view: View) -> Floats:
    """Sum over the states that stand for each stage, on the last axis."""
    out = np.zeros((*values.shape[:-1], len(view.taxonomy.keys)))
    for place in range(out.shape[-1]):
        out[..., place] = values[..., view.stage_of_state == place].sum(axis=-1)
    return out


def stage_rows(simulated: Scenarios, views: list[View], scale: Scale) -> pd.DataFrame:
    """Make one row per taxonomy, time and stage."""
    import pandas as pd

    parts = [pd.DataFrame(columns=["taxonomy", "stage", "point"])]
    for view in views:
        keys = list(view.taxonomy.keys)
        customers = _by_stage(simulated.customers.sum(axis=2), view)
        revenue = _by_stage(simulated.revenue.sum(axis=2), view)
        table = pd.DataFrame({"taxonomy": view.taxonomy.name, "stage": keys * customers.shape[1]})
        table["point"] = np.repeat(np.arange(customers.shape[1]), len(keys))
        columns = scale.interval("customers", customers) | scale.interval("revenue", revenue)
        for name, values in columns.items():
            table[name] = values.ravel()
        parts.append(_without_prospects(table, view, "stage"))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def transition_rows(simulated: Scenarios, views: list[View], scale: Scale) -> pd.DataFrame:
    """Make one row per taxonomy, time and pair of stages."""
    import pandas as pd

    parts = [pd.DataFrame(columns=["taxonomy", "stage", "next_stage", "point"])]
    since_today = simulated.revenue.cumsum(axis=1)
    for view in views:
        keys = list(view.taxonomy.keys)
        customers = _by_pair(simulated.customers, view)
        columns = scale.interval("customers", customers)
        columns["revenue"] = _by_pair(since_today, view).mean(axis=0) * scale.factor
        times = range(customers.shape[1])
        names = ["point", "stage", "next_stage"]
        table = pd.MultiIndex.from_product([times, keys, keys], names=names).to_frame(index=False)
        for name, values in columns.items():
            table[name] = values.ravel()
        table.insert(0, "taxonomy", view.taxonomy.name)
        parts.append(_without_prospects(table, view, "stage", "next_stage"))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _by_pair(values: Floats, view: View) -> Floats:
    """Add up by stage today and then, shape (scenarios, times, stages, stages)."""
    then = _by_stage(values, view)
    pairs = np.zeros((*then.shape[:2], then.shape[-1], then.shape[-1]))
    for group, key in enumerate(view.today):
        pairs[:, :, view.taxonomy.keys.index(key)] += then[:, :, group]
    return pairs


def _without_prospects(table: pd.DataFrame, view: View, *columns: str) -> pd.DataFrame:
    """Leave out the stage of contacts without a purchase, who are not simulated."""
    if view.taxonomy.name in TAXONOMIES:
        for column in columns:
            table = table[table[column] != "prospect"]
    return table


def total_rows(simulated: Scenarios, scale: Scale) -> pd.DataFrame:
    """Make one row per time, over all customers."""
    import pandas as pd

    purchases = simulated.purchases.sum(axis=2).cumsum(axis=1)
    revenue = simulated.revenue.sum(axis=(2, 3)).cumsum(axis=1)
    table = pd.DataFrame({"point": np.arange(purchases.shape[1])})
    columns = scale.interval("purchases", purchases) | scale.interval("revenue", revenue)
    return table.assign(**columns)
