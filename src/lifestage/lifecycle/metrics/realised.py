"""What each stage went on to do: the check of the stages against what came after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np

from lifestage.core.dates import as_date, as_number
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY
from lifestage.data.engines.frames import lazy, to_pandas, upload
from lifestage.lifecycle.frames import constant, open_frame
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES, column_of
from lifestage.numerics.statistics import share_interval

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from lifestage.data.customers.summary import Summary

__all__ = ["realised_repurchase"]


def realised_repurchase(
    staged: Any, customers: Summary, *, window: float | None = None, level: float = 0.9
) -> pd.DataFrame:
    r"""The share of the customers of each stage who bought within the window after the last day of observation.

    Stages are worth their names if this falls from the first to the last. Intervals are Wilson's.

    Parameters
    ----------
    staged : frame
        What :func:`lifestage.assign_stages` made of the scores of *customers*.
    customers : Summary
        Made from a log that goes on after ``until``.
    window : float, optional
        Days after ``until``; the stage window H if left out, or what there is of it.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        ``taxonomy``, ``stage``, ``customers``, ``buyers`` (who bought within the window),
        ``repurchased`` (their share), ``low``, ``high``, ``expected`` (mean of ``p_window``;
        missing where the window is not H), and ``window_days``. Stages without a customer are left
        out.

    Raises
    ------
    DataError
        If nothing is known of what came after ``until``.
    ConfigError
        If the window is not positive, or longer than what came after.

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

    if customers.later is None or customers.until is None or customers.holdout_end is None:
        raise DataError(
            "expected a log that goes on after until=; there is no order after the last day of"
            " observation"
        )
    after = (customers.holdout_end - customers.until).days
    columns = [column_of(name) for name in TAXONOMIES]
    frame = open_frame(
        staged, (CUSTOMER, FREQUENCY, "p_window", "stage_window_days", *columns)
    ).lazy()
    stage_window = constant(frame, "stage_window_days")
    days = float(min(after, stage_window) if window is None else window)
    if not 0 < days <= after or not 0 < level < 1:
        raise ConfigError(
            f"expected a window of more than 0 and at most {after} days, which the log goes on, and"
            f" a level in (0, 1); got {window!r} and {level!r}"
        )
    limit = as_date(as_number(customers.until) + int(days))
    later = lazy(customers.later)[0].filter(nw.col("next_purchase").cast(nw.Date) <= nw.lit(limit))
    found = upload(later.select(CUSTOMER, nw.lit(1).alias("__bought")).to_native(), like=staged)
    buyers = lazy(found)[0]
    joined = frame.filter(~nw.col(FREQUENCY).is_null()).join(buyers, on=CUSTOMER, how="left")
    parts = []
    for name, column in zip(TAXONOMIES, columns, strict=True):
        counted = to_pandas(
            joined.group_by(column).agg(
                nw.len().alias("customers"),
                nw.col("__bought").sum().alias("buyers"),
                nw.col("p_window").mean(),
            )
        ).set_index(column)
        keys = [stage.key for stage in TAXONOMIES[name] if stage.key in counted.index]
        parts.append(counted.loc[keys].rename_axis("stage").reset_index().assign(taxonomy=name))
    table = pd.concat(parts, ignore_index=True)
    n, k = (table[name].fillna(0).astype(int) for name in ("customers", "buyers"))
    low, high = share_interval(k, n, level)
    whole = abs(days - stage_window) < 0.5
    return pd.DataFrame(
        {
            "taxonomy": table["taxonomy"],
            "stage": table["stage"],
            "customers": n,
            "buyers": k,
            "repurchased": k / n,
            "low": low,
            "high": high,
            "expected": table["p_window"] if whole else np.nan,
            "window_days": days,
        }
    )
