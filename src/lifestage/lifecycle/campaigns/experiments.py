"""Experiments with a control group: random assignment, and the sample size they need."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import lazy, to_pandas, upload
from lifestage.lifecycle.frames import open_frame

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = ["CONTROL", "TREATMENT", "hash_uniform", "randomize", "sample_size"]

TREATMENT, CONTROL = "treatment", "control"
VALUE = "value"
"""The stratum of value: a quarter of the customers of the same stage, by LTV."""

ROUNDING = 1e-10
"""Relative size of a rounding error: a number this close to a whole one is whole."""


def randomize(
    staged: Any,
    *,
    share: float = 0.5,
    by: tuple[str, ...] = ("activity_stage", VALUE),
    seed: int = 0,
) -> Any:
    """Assign customers to treatment and control at random, within strata of stage and value.

    Within each stratum customers are ordered by a hash of their id and the seed, and the first ones
    are assigned to treatment. So the assignment does not depend on the order or kind of the table,
    and another seed gives another assignment.

    Parameters
    ----------
    staged : frame
        One row per customer. Give only those who could get the action.
    share : float
        Share of customers assigned to treatment, in (0, 1).
    by : tuple of str
        Columns that make the strata; ``"value"`` is the quarter of ``ltv`` within the columns
        before it, unless the table has a column of that name.
    seed : int
        Random seed.

    Returns
    -------
    frame
        ``customer_id``, the columns *by*, ``stratum`` (text) and ``group`` (``"treatment"`` or
        ``"control"``), in the kind that went in. Keep it: :func:`analyze_experiment` needs it.

    Raises
    ------
    ConfigError
        If the share is out of range.
    DataError
        If columns are missing, or an id occurs twice.

    Examples
    --------
    >>> import pandas as pd
    >>> base = pd.DataFrame({"customer_id": range(8), "activity_stage": "active", "ltv": range(8)})
    >>> randomize(base)["group"].eq("treatment").sum()
    np.int64(4)
    """
    import pandas as pd

    if not 0 < share < 1:
        raise ConfigError(f"share must be between 0 and 1; got {share!r}")
    names = open_frame(staged, (CUSTOMER,)).collect_schema().names()
    existing = [name for name in by if name in names or name != VALUE]
    makes_value = len(existing) < len(by)
    columns = list(dict.fromkeys([CUSTOMER, *existing, *(["ltv"] if makes_value else [])]))
    table, _ = lazy(open_frame(staged, columns).to_native())
    customers = to_pandas(table.select(*columns)).reset_index(drop=True)
    repeated = customers[CUSTOMER][customers[CUSTOMER].duplicated()]
    if len(repeated):
        raise DataError(
            f"expected one row per customer; {len(repeated):,} ids occur again, first"
            f" {repeated.iloc[0]!r}"
        )
    customers["_order"] = [hash_uniform(name, seed) for name in customers[CUSTOMER].map(str)]
    customers = customers.sort_values(["_order"], ignore_index=True)
    if makes_value:
        before = [name for name in by[: by.index(VALUE)] if name in existing]
        customers[VALUE] = _quarters(customers, before)
    labels = [customers[name].map(str) for name in by]
    customers["stratum"] = pd.concat(labels, axis=1).agg(" / ".join, axis=1) if labels else "all"
    strata = customers.groupby("stratum")
    place, size = strata.cumcount(), strata["_order"].transform("size")
    # Where the share is no whole number of customers, the one in between is treated with the
    # probability that is left.
    spare = {name: hash_uniform(name, seed) for name in customers["stratum"].unique()}
    treated = place < np.floor(size * share + customers["stratum"].map(spare))
    customers["group"] = np.where(treated, TREATMENT, CONTROL)
    made = [VALUE] if makes_value else []
    assigned = customers[[CUSTOMER, *existing, *made, "stratum", "group"]]
    return upload(assigned.sort_values("stratum", kind="stable", ignore_index=True), like=staged)


def _quarters(customers: pd.DataFrame, within: list[str]) -> list[str]:
    """Name the quarter of ``ltv`` within groups of customers."""
    values = customers.groupby(within, dropna=False)["ltv"] if within else customers["ltv"]
    rank = values.rank(method="first", pct=True).fillna(0.0).to_numpy()
    quarter = np.clip(np.ceil(rank * 4), 1, 4).astype(int)
    return [f"quarter {number} of 4" for number in quarter]


def sample_size(
    staged: Any,
    uplift: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    share: float = 0.5,
    by: str = "activity_stage",
    outcome: str = "p_purchase",
) -> pd.DataFrame:
    r"""Compute how many customers of each stage a test needs to detect an uplift.

    The model's mean purchase probability is the share p₀ of buyers without the action; with it
    :math:`p_1 = p_0 (1 + u)`. The two-sided test of two proportions needs, with k controls for each
    treated customer and :math:`\bar p = (p_1 + k p_0)/(1 + k)`,

    .. math:: n_1 = \left(\frac{z_{1-\alpha/2}\sqrt{(1 + 1/k)\bar p(1-\bar p)}
              + z_{\text{power}}\sqrt{p_1(1-p_1) + p_0(1-p_0)/k}}{p_1 - p_0}\right)^2

    treated customers (Fleiss, Levin & Paik 2003, *Statistical Methods for Rates and Proportions*,
    3rd ed., section 4.2).

    Parameters
    ----------
    staged : frame
        One row per customer.
    uplift : float
        u, relative: 0.1 is a tenth more buyers.
    power : float
        Probability to detect the uplift if it is there, in (0, 1).
    alpha : float
        Probability to detect one that is not there, in (0, 1) and below *power*.
    share : float
        Share of customers assigned to treatment, in (0, 1).
    by : str
        Column of the stages.
    outcome : str
        Column of the probability to buy within the duration of the test: ``p_purchase`` is within
        the horizon, ``p_window`` within the stage window.

    Returns
    -------
    pandas.DataFrame
        One row per stage and ``"all"``: ``stage``, ``customers``, ``baseline`` (p₀), ``expected``
        (p₁), ``treatment`` and ``control`` (customers needed), ``needed`` (both), ``enough``
        (whether the stage has them), ``detectable_uplift`` (the smallest relative uplift that all
        its customers would detect with this power).

    Raises
    ------
    ConfigError
        If an option is out of range.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> base = pd.DataFrame({"customer_id": range(9000), "activity_stage": "active"})
    >>> table = sample_size(base.assign(p_purchase=0.1), 0.2)
    >>> table[["stage", "treatment", "enough"]].values.tolist()
    [['active', 3841, True], ['all', 3841, True]]
    """
    import pandas as pd

    if not (0 < power < 1 and 0 < alpha < 1 and 0 < share < 1):
        raise ConfigError(
            f"power, alpha and share must be in (0, 1); got {power!r}, {alpha!r} and {share!r}"
        )
    if power <= alpha:
        raise ConfigError(f"power must be above alpha; got {power!r} and {alpha!r}")
    if not (np.isfinite(uplift) and uplift > 0):
        raise ConfigError(f"uplift must be above 0, relative to the baseline; got {uplift!r}")
    table, _ = lazy(open_frame(staged, (CUSTOMER, by, outcome)).to_native())
    sums = to_pandas(
        table.filter(~nw.col(outcome).is_null())
        .group_by(by)
        .agg(nw.len().alias("customers"), nw.col(outcome).sum().alias("buyers"))
        .sort(by)
    )
    if not len(sums):
        raise DataError(
            f"expected customers with a purchase probability in {outcome}; there are none"
        )
    everyone = pd.DataFrame(
        {
            by: ["all"],
            "customers": [sums["customers"].sum()],
            "buyers": [sums["buyers"].sum()],
        }
    )
    sums = pd.concat([sums, everyone], ignore_index=True)
    n = sums["customers"].to_numpy(float)
    baseline = (sums["buyers"] / sums["customers"]).to_numpy(float)
    raised = baseline * (1 + uplift)
    raised = np.where(np.abs(raised - 1) < ROUNDING, 1.0, raised)
    design = _Design(power, alpha, share)
    treated = _needed(baseline, raised, design)
    control = _ceil(treated * (1 - share) / share)
    available = np.floor(n * share * (1 + ROUNDING))
    detectable = []
    for rate, size in zip(baseline, available, strict=True):
        detectable.append(_detectable_uplift(rate, size, design))
    return pd.DataFrame(
        {
            "stage": sums[by],
            "customers": n.astype(int),
            "baseline": baseline,
            "expected": np.where(raised <= 1, raised, np.nan),
            "treatment": _whole(treated),
            "control": _whole(control),
            "needed": _whole(treated + control),
            "enough": np.where(np.isfinite(treated), treated + control <= n, False),
            "detectable_uplift": detectable,
        }
    )


def hash_uniform(text: str, seed: int) -> float:
    """Hash a text and a seed to a number in [0, 1), uniform over texts."""
    digest = hashlib.blake2b(text.encode(), digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "big") / 2.0**64


class _Design(NamedTuple):
    """Power and size of a two-sided test, and the share of customers assigned to treatment."""

    power: float
    alpha: float
    share: float


def _numerator(baseline: ArrayLike, raised: ArrayLike, design: _Design) -> Floats:
    """Compute the numerator of the formula; the denominator is the difference of the shares."""
    from scipy.special import ndtri

    p0, p1 = np.asarray(baseline, float), np.asarray(raised, float)
    k = (1 - design.share) / design.share
    mean = (p1 + k * p0) / (1 + k)
    sd_equal = np.sqrt((1 + 1 / k) * mean * (1 - mean))
    sd_apart = np.sqrt(p1 * (1 - p1) + p0 * (1 - p0) / k)
    z_alpha, z_power = float(ndtri(1 - design.alpha / 2)), float(ndtri(design.power))
    return np.asarray(z_alpha * sd_equal + z_power * sd_apart)


def _needed(baseline: Floats, raised: Floats, design: _Design) -> Floats:
    """Count the customers to treat; infinite where the share of buyers cannot be raised so far."""
    possible = (baseline > 0) & (raised <= 1)
    p0, p1 = np.where(possible, baseline, 0.5), np.where(possible, raised, 0.75)
    needed = (_numerator(p0, p1, design) / (p1 - p0)) ** 2
    return np.where(possible, _ceil(needed), np.inf)


def _detectable_uplift(baseline: float, treated: float, design: _Design) -> float:
    """Find the relative uplift that so many treated customers detect; infinite if there is none."""
    from scipy.optimize import brentq

    def shortfall(rise: float) -> float:
        """Above 0 where the rise is too small for so many customers; falls with the rise."""
        raised = min(baseline + rise, 1.0)  # the sum can pass 1 by a rounding error
        return float(_numerator(baseline, raised, design) - rise * np.sqrt(treated))

    largest = 1.0 - baseline
    if baseline <= 0 or largest <= 0 or shortfall(largest) > 0:
        return float("inf")
    return float(brentq(shortfall, 0.0, largest, xtol=1e-300, rtol=1e-14)) / baseline


def _ceil(values: Floats) -> Floats:
    """Round up; a number that is whole but for a rounding error stays."""
    return np.asarray(np.ceil(values * (1 - ROUNDING)))


def _whole(values: Floats) -> Any:
    """As whole numbers, missing where infinite."""
    import pandas as pd

    return pd.array(np.where(np.isfinite(values), values, np.nan)).astype("Int64")
