"""What came of a test with a control group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import to_pandas
from lifestage.lifecycle.campaigns.experiments import CONTROL, TREATMENT
from lifestage.lifecycle.frames import open_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["analyze_experiment"]


def analyze_experiment(
    assigned: Any,
    outcome: Any,
    *,
    measures: tuple[str, ...] = ("purchases",),
    by: str = "stratum",
    level: float = 0.9,
) -> pd.DataFrame:
    r"""Read a finished test: what the action changed, in total and by stage, with intervals.

    A difference is the mean of the treated minus that of the control group, :math:`\bar y_1 - \bar
    y_0`, with the variance :math:`s_1^2/n_1 + s_0^2/n_0`; in total, the strata's differences
    weighted by their customers, so that no stratum counts more in one group than in the other.
    Intervals are normal.

    Parameters
    ----------
    assigned : frame
        What :func:`randomize` returned.
    outcome : frame
        ``customer_id`` and the *measures*: purchases or money since the assignment, or the LTV
        predicted now. A customer who is not in it has 0; customers who were not part of the test
        are left out.
    measures : tuple of str
        Columns of *outcome*. For ``purchases`` the share who bought at all, ``bought``, is read
        too.
    by : str
        Column of *assigned* to read by, such as ``activity_stage``.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        A row a measure and group of customers, ``"all"`` first: ``measure``, ``group``,
        ``treated``, ``controls`` (customers), ``treatment``, ``control`` (means), ``difference``,
        ``low``, ``high``, ``relative`` (difference ÷ control), ``p_value`` (two-sided; missing with
        fewer than 2 customers on a side).

    Raises
    ------
    DataError
        If there is no control group, or nobody was treated: without one there is no uplift to
        report. If columns are missing, a measure is negative or not a number, or no customer of the
        outcome was part of the test.
    ConfigError
        If *level* is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifestage.lifecycle import randomize
    >>> base = pd.DataFrame({"customer_id": range(400), "activity_stage": "active", "ltv": 1.0})
    >>> test = randomize(base)
    >>> bought = test.assign(purchases=(test["group"] == "treatment") * 1)[["customer_id", "purchases"]]
    >>> analyze_experiment(test, bought, by="activity_stage")[["measure", "difference"]].iloc[0].to_dict()
    {'measure': 'bought', 'difference': 1.0}
    """
    import pandas as pd

    if not 0 < level < 1:
        raise ConfigError(f"level must be a probability in (0, 1); got {level!r}")
    test = to_pandas(
        open_frame(assigned, tuple(dict.fromkeys((CUSTOMER, "stratum", "group", by)))).lazy()
    )
    groups = set(test["group"].unique())
    if groups != {TREATMENT, CONTROL}:
        missing = ({TREATMENT, CONTROL} - groups) or {f"no others than these; got {sorted(groups)}"}
        raise DataError(
            "expected a treatment and a control group to compare; missing:"
            f" {', '.join(sorted(missing))}"
        )
    found = to_pandas(open_frame(outcome, (CUSTOMER, *measures)).lazy())[[CUSTOMER, *measures]]
    values = found[list(measures)].to_numpy(float)
    wrong = ~np.all(np.isfinite(values) & (values >= 0), axis=1)
    if wrong.any():
        rows = found.loc[wrong].head(3).to_dict("records")
        raise DataError(
            f"expected amounts of 0 or more in the outcome; {int(wrong.sum()):,} are not, first"
            f" {rows}"
        )
    if found[CUSTOMER].duplicated().any():
        raise DataError("expected one row a customer in the outcome; some stand there twice")
    if len(found) and not found[CUSTOMER].isin(test[CUSTOMER]).any():
        first = found[CUSTOMER].head(5).tolist()
        raise DataError(
            "expected customers of the test in the outcome; none of it was part of it, first"
            f" {first}"
        )
    both = test.merge(found, on=CUSTOMER, how="left").fillna(dict.fromkeys(measures, 0.0))
    if "purchases" in measures:
        both["bought"] = (both["purchases"] > 0).astype(float)
        measures = ("bought", *measures)
    parts = [("all", both), *((str(name), part) for name, part in both.groupby(by, dropna=False))]
    return pd.DataFrame.from_records(
        [_read(measure, name, part, level) for measure in measures for name, part in parts]
    )


def _read(measure: str, name: str, part: pd.DataFrame, level: float) -> dict[str, Any]:
    """One row; strata count by their customers, and not at all if one of the groups is empty there."""
    from scipy.special import ndtr, ndtri

    sides = {
        side: part.loc[part["group"] == side].groupby("stratum")[measure]
        for side in (TREATMENT, CONTROL)
    }
    sizes = {side: values.size() for side, values in sides.items()}
    strata = sizes[TREATMENT].index.intersection(sizes[CONTROL].index)
    people = np.sum([size[strata].to_numpy(float) for size in sizes.values()], axis=0)
    weight = people / max(people.sum(), 1.0)
    mean, error = {}, 0.0
    for side, values in sides.items():
        mean[side] = float(weight @ values.mean()[strata].to_numpy()) if len(strata) else np.nan
        spread = values.var()[strata].to_numpy() / sizes[side][strata].to_numpy()
        error += float(weight**2 @ spread) if len(strata) else np.nan
    difference, reach = (
        mean[TREATMENT] - mean[CONTROL],
        float(ndtri((1 + level) / 2)) * float(np.sqrt(error)),
    )
    return {
        "measure": measure,
        "group": name,
        "treated": int(sizes[TREATMENT].sum()),
        "controls": int(sizes[CONTROL].sum()),
        "treatment": mean[TREATMENT],
        "control": mean[CONTROL],
        "difference": difference,
        "low": difference - reach,
        "high": difference + reach,
        "relative": difference / mean[CONTROL] if mean[CONTROL] else np.nan,
        "p_value": float(2 * ndtr(-abs(difference) / np.sqrt(error))) if error > 0 else np.nan,
    }
