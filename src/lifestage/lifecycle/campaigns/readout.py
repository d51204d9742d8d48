"""Results of an experiment with a control group."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import to_pandas
from lifestage.lifecycle.campaigns.experiments import CONTROL, TREATMENT
from lifestage.lifecycle.frames import open_frame
from lifestage.numerics.statistics import z_score

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
    r"""Estimate what an action changed, in total and by stage, with intervals.

    A difference is the mean of the treatment group minus that of the control group, :math:`\bar y_1
    - \bar y_0`, with the variance :math:`s_1^2/n_1 + s_0^2/n_0`. In total it is the mean of the
    differences of the strata weighted by their customers, so that no stratum counts more in one
    group than in the other. Intervals and p-values are normal.

    Parameters
    ----------
    assigned : frame
        What :func:`randomize` returned.
    outcome : frame
        ``customer_id`` and the *measures*: purchases or money since the assignment, or the LTV
        predicted now. A customer who is missing from it has 0; customers who were not part of the
        test are left out.
    measures : tuple of str
        Columns of *outcome*, amounts of 0 or more. With ``purchases`` the share of customers who
        bought at all, ``bought``, is estimated too.
    by : str
        Column of *assigned* to group by, such as ``activity_stage``.
    level : float
        Interval level, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        One row per measure and group of customers, ``"all"`` first: ``measure``, ``group``,
        ``treated``, ``controls`` (customers), ``treatment``, ``control`` (means), ``difference``,
        ``low``, ``high``, ``relative`` (difference ÷ control), ``p_value`` (two-sided; missing with
        fewer than 2 customers on a side).

    Raises
    ------
    DataError
        If there is no control or no treatment group: without both there is no uplift to report. If
        columns are missing, a measure is negative or not a number, or no customer of the outcome
        was part of the test.
    ConfigError
        If *level* is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifestage.lifecycle import randomize
    >>> base = pd.DataFrame({"customer_id": range(400), "activity_stage": "active", "ltv": 1.0})
    >>> test = randomize(base)
    >>> outcome = test[["customer_id"]].assign(purchases=1 * (test["group"] == "treatment"))
    >>> result = analyze_experiment(test, outcome, by="activity_stage")
    >>> result[["measure", "difference"]].iloc[0].to_dict()
    {'measure': 'bought', 'difference': 1.0}
    """
    import pandas as pd

    if not 0 < level < 1:
        raise ConfigError(f"level must be a probability in (0, 1); got {level!r}")
    columns = tuple(dict.fromkeys((CUSTOMER, "stratum", "group", by)))
    test = to_pandas(open_frame(assigned, columns).lazy())
    _check_groups(set(test["group"].unique()))
    measured = to_pandas(open_frame(outcome, (CUSTOMER, *measures)).lazy())[[CUSTOMER, *measures]]
    _check_outcome(measured, measures, test)
    table = test.merge(measured, on=CUSTOMER, how="left").fillna(dict.fromkeys(measures, 0.0))
    if "purchases" in measures:
        table["bought"] = (table["purchases"] > 0).astype(float)
        measures = ("bought", *measures)
    groups = {"all": table}
    for name, part in table.groupby(by, dropna=False):
        groups[str(name)] = part
    rows = [_estimate(*pair, level) for pair in product(measures, groups.items())]
    return pd.DataFrame.from_records(rows)


def _check_groups(groups: set[str]) -> None:
    if groups != {TREATMENT, CONTROL}:
        missing = ({TREATMENT, CONTROL} - groups) or {f"no others than these; got {sorted(groups)}"}
        raise DataError(
            "expected a treatment and a control group to compare; missing:"
            f" {', '.join(sorted(missing))}"
        )


def _check_outcome(measured: pd.DataFrame, measures: tuple[str, ...], test: pd.DataFrame) -> None:
    values = measured[list(measures)].to_numpy(float)
    wrong = ~np.all(np.isfinite(values) & (values >= 0), axis=1)
    if wrong.any():
        rows = measured.loc[wrong].head(3).to_dict("records")
        raise DataError(
            f"expected amounts of 0 or more in the outcome; {int(wrong.sum()):,} are not, first"
            f" {rows}"
        )
    if measured[CUSTOMER].duplicated().any():
        raise DataError("expected one row per customer in the outcome; some ids occur twice")
    if len(measured) and not measured[CUSTOMER].isin(test[CUSTOMER]).any():
        first = measured[CUSTOMER].head(5).tolist()
        raise DataError(
            "expected customers of the test in the outcome; none of them was part of it, first"
            f" {first}"
        )


def _estimate(measure: str, group: tuple[str, pd.DataFrame], level: float) -> dict[str, Any]:
    """Make one row; strata count by their customers, and not at all if one side is empty."""
    from scipy.special import ndtr

    name, part = group
    treated = part.loc[part["group"] == TREATMENT].groupby("stratum")[measure]
    control = part.loc[part["group"] == CONTROL].groupby("stratum")[measure]
    sizes = {TREATMENT: treated.size(), CONTROL: control.size()}
    strata = sizes[TREATMENT].index.intersection(sizes[CONTROL].index)
    customers = np.sum([size[strata].to_numpy(float) for size in sizes.values()], axis=0)
    weight = customers / max(customers.sum(), 1.0)
    mean, variance = {}, 0.0
    for side, values in ((TREATMENT, treated), (CONTROL, control)):
        mean[side] = float(weight @ values.mean()[strata].to_numpy()) if len(strata) else np.nan
        of_means = values.var()[strata].to_numpy() / sizes[side][strata].to_numpy()
        variance += float(weight**2 @ of_means) if len(strata) else np.nan
    difference = mean[TREATMENT] - mean[CONTROL]
    reach = z_score(level) * float(np.sqrt(variance))
    p_value = float(2 * ndtr(-abs(difference) / np.sqrt(variance))) if variance > 0 else np.nan
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
        "p_value": p_value,
    }
