"""Realised repurchase by stage: the check of the stages against later purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np

from lifestage.core.dates import as_date, as_number
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY
from lifestage.data.engines.frames import lazy, to_pandas, upload
from lifestage.lifecycle.frames import constant, open_frame
from lifestage.lifecycle.stages.taxonomies import built_in
from lifestage.numerics.statistics import share_interval

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from lifestage.data.customers.summary import Summary

__all__ = ["realised_repurchase"]


def realised_repurchase(
    staged: Any, customers: Summary, *, window: float | None = None, level: float = 0.9
) -> pd.DataFrame:
    r"""Compute the share of customers of each stage who bought after the last day of observation.

    Purchases within the window count. If the stages separate customers well, this share falls from
    the first stage to the last. The intervals are Wilson's.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` made of the scores of *customers*.
    customers : Summary
        Made from an order log that goes on after ``until``.
    window : float, optional
        Days after ``until``; the stage window H if left out, or as much of it as the log covers.
    level : float
        Interval level, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        One row per taxonomy and stage with customers: ``taxonomy``, ``stage``, ``customers``,
        ``buyers`` (who bought within the window), ``repurchased`` (their share), ``low``, ``high``,
        ``expected`` (mean of ``p_window``; missing where the window is not H), ``window_days``.

    Raises
    ------
    DataError
        If the log does not go on after ``until``, or columns are missing.
    ConfigError
        If the window is not positive, or longer than the log goes on.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> staged = ls.assign_stages(ls.fit(customers).predict(customers))
    >>> table = realised_repurchase(staged, customers)
    >>> table.loc[table["taxonomy"] == "line", ["stage", "customers", "buyers"]].values.tolist()
    [['active', 336, 164], ['drowsy', 188, 54], ['half_asleep', 1611, 130], ['asleep', 222, 23]]
    """
    import pandas as pd

    if (
        customers.holdout_purchases is None
        or customers.until is None
        or customers.holdout_end is None
    ):
        raise DataError(
            "expected a log that goes on after until=; there is no order after the last day of"
            " observation"
        )
    after = (customers.holdout_end - customers.until).days
    taxonomies = built_in().values()
    columns = [taxonomy.column for taxonomy in taxonomies]
    needed = (CUSTOMER, FREQUENCY, "p_window", "stage_window_days", *columns)
    frame = open_frame(staged, needed).lazy()
    stage_window = constant(frame, "stage_window_days")
    days = float(min(after, stage_window) if window is None else window)
    if not 0 < days <= after or not 0 < level < 1:
        raise ConfigError(
            f"expected a window of more than 0 and at most {after} days, which the log goes on, and"
            f" a level in (0, 1); got {window!r} and {level!r}"
        )
    limit = as_date(as_number(customers.until) + int(days))
    is_within = nw.col("next_purchase").cast(nw.Date) <= nw.lit(limit)
    later = lazy(customers.holdout_purchases)[0].filter(is_within)
    bought = later.select(CUSTOMER, nw.lit(1).alias("_bought")).to_native()
    buyers = lazy(upload(bought, like=staged))[0]
    joined = frame.filter(~nw.col(FREQUENCY).is_null()).join(buyers, on=CUSTOMER, how="left")
    parts = []
    for taxonomy in taxonomies:
        by_stage = joined.group_by(taxonomy.column).agg(
            nw.len().alias("customers"),
            nw.col("_bought").sum().alias("buyers"),
            nw.col("p_window").mean(),
        )
        counts = to_pandas(by_stage).set_index(taxonomy.column)
        counts = counts.loc[[key for key in taxonomy.keys if key in counts.index]]
        parts.append(counts.rename_axis("stage").reset_index().assign(taxonomy=taxonomy.name))
    table = pd.concat(parts, ignore_index=True)
    n, k = (table[name].fillna(0).astype(int) for name in ("customers", "buyers"))
    low, high = share_interval(k, n, level)
    is_stage_window = abs(days - stage_window) < 0.5  # p_window is a probability within H
    return pd.DataFrame(
        {
            "taxonomy": table["taxonomy"],
            "stage": table["stage"],
            "customers": n,
            "buyers": k,
            "repurchased": k / n,
            "low": low,
            "high": high,
            "expected": table["p_window"] if is_stage_window else np.nan,
            "window_days": days,
        }
    )
