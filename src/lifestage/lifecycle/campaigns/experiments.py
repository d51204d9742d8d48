"""Tests with a control group: who gets the action, and how many it takes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

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

__all__ = ["CONTROL", "TREATMENT", "randomize", "sample_size"]


TREATMENT, CONTROL = "treatment", "control"
VALUE = "value"
"""The stratum of value: a quarter of the customers of the same stage, by LTV."""

ROUNDING = 1e-10
"""Share of a number by which rounding errors may move it."""


def randomize(
    staged: Any,
    *,
    share: float = 0.5,
    by: tuple[str, ...] = ("activity_stage", VALUE),
    seed: int = 0,
) -> Any:
    """Draw by lot who gets an action and who does not, in equal shares of every stage and level of value.

    Within each stratum customers stand in the order of a hash of their id and the seed, and the
    first ones are treated: the same customers whatever the order or kind of the table, and other
    ones under another seed.

    Parameters
    ----------
    staged : frame
        One row a customer. Give only those who could get the action.
    share : float
        Of the customers, who are treated, in (0, 1).
    by : tuple of str
        Columns that make the strata; ``"value"`` is the quarter of ``ltv`` within the columns
        before it, unless the table has a column of that name.
    seed : int

    Returns
    -------
    frame
        ``customer_id``, ``stratum`` (text), ``group`` (``"treatment"`` or ``"control"``), and the
        columns *by* that the table has, in the kind that went in. Keep it: :func:`analyze_experiment`
        needs it.

    Raises
    ------
    ConfigError
        If the share is out of range.
    DataError
        If columns are missing, or an id stands there twice.

    Examples
    --------
    >>> import pandas as pd
    >>> base = pd.DataFrame({"customer_id": range(8), "activity_stage": ["active"] * 8, "ltv": range(8)})
    >>> randomize(base)["group"].eq("treatment").sum()
    np.int64(4)
    """
    import pandas as pd

    if not 0 < share < 1:
        raise ConfigError(f"share must be between 0 and 1; got {share!r}")
    names = open_frame(staged, (CUSTOMER,)).collect_schema().names()
    kept = [name for name in by if name in names or name != VALUE]
    table, _ = lazy(
        open_frame(staged, (CUSTOMER, *kept, *(["ltv"] if len(kept) < len(by) else []))).to_native()
    )
    columns = list(dict.fromkeys([CUSTOMER, *kept, *(["ltv"] if len(kept) < len(by) else [])]))
    found = to_pandas(table.select(*columns)).reset_index(drop=True)
    twice = found[CUSTOMER][found[CUSTOMER].duplicated()]
    if len(twice):
        raise DataError(
            f"expected one row a customer; {len(twice):,} ids stand there again, first"
            f" {twice.iloc[0]!r}"
        )
    ids = found[CUSTOMER].map(str)
    found["_lot"] = [_lot(name, seed) for name in ids]
    found = found.sort_values(["_lot"], ignore_index=True)
    if len(kept) < len(by):
        before = [name for name in by[: by.index(VALUE)] if name in kept]
        inside = found.groupby(before, dropna=False)["ltv"] if before else found["ltv"]
        rank = inside.rank(method="first", pct=True)
        quarter = np.clip(np.ceil(rank.fillna(0.0).to_numpy() * 4), 1, 4).astype(int)
        found[VALUE] = [f"quarter {each} of 4" for each in quarter]
    labels = [found[name].map(str) for name in by]
    found["stratum"] = pd.concat(labels, axis=1).agg(" / ".join, axis=1) if labels else "all"
    place, size = (
        found.groupby("stratum").cumcount(),
        found.groupby("stratum")["_lot"].transform("size"),
    )
    # where the share is no whole number of customers, one more is treated with the chance that is
    # left
    spare = found["stratum"].map({name: _lot(name, seed) for name in found["stratum"].unique()})
    treated = place < np.floor(size * share + spare)
    found["group"] = np.where(treated, TREATMENT, CONTROL)
    out = found[[CUSTOMER, *kept, *([VALUE] if len(kept) < len(by) else []), "stratum", "group"]]
    return upload(out.sort_values("stratum", kind="stable", ignore_index=True), like=staged)


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
    r"""How many customers of each stage a test needs to see an uplift of the share who buy.

    The model's mean chance of buying is the share p₀ of buyers without the action; with it
    :math:`p_1 = p_0 (1 + u)`. The two-sided test of two shares needs, with k controls for each
    treated customer and
    :math:`\bar p = (p_1 + k p_0)/(1 + k)`,

    .. math:: n_1 = \left(\frac{z_{1-\alpha/2}\sqrt{(1 + 1/k)\bar p(1-\bar p)}
              + z_{\text{power}}\sqrt{p_1(1-p_1) + p_0(1-p_0)/k}}{p_1 - p_0}\right)^2

    Parameters
    ----------
    staged : frame
    uplift : float
        u, relative: 0.1 is a tenth more buyers.
    power, alpha : float
        Chance to see the uplift if it is there, and to see one that is not.
    share : float
        Of the customers, who are treated.
    by, outcome : str
        Column of the stages; and of the chance to buy within the time the test takes
        (``p_purchase`` is within the horizon, ``p_window`` within the stage window).

    Returns
    -------
    pandas.DataFrame
        A row a stage and ``"all"``: ``stage``, ``customers``, ``baseline`` (p₀), ``expected`` (p₁),
        ``treatment`` and ``control`` (customers needed), ``needed`` (both), ``enough`` (the stage
        has them), ``smallest_uplift`` (relative, that all its customers would show with this
        power).

    Raises
    ------
    ConfigError
        If an option is out of range.
    DataError
        If columns are missing.

    Source: Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, 3rd ed.,
    section 4.2.

    Examples
    --------
    >>> import pandas as pd
    >>> base = pd.DataFrame({"customer_id": range(9000), "activity_stage": "active", "p_purchase": 0.1})
    >>> sample_size(base, 0.2)[["stage", "treatment", "enough"]].values.tolist()
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
        raise DataError(f"expected customers with a chance to buy in {outcome}; there are none")
    everyone = pd.DataFrame(
        {by: ["all"], "customers": [sums["customers"].sum()], "buyers": [sums["buyers"].sum()]}
    )
    sums = pd.concat([sums, everyone], ignore_index=True)
    n, base = (
        sums["customers"].to_numpy(float),
        (sums["buyers"] / sums["customers"]).to_numpy(float),
    )
    raised = base * (1 + uplift)
    raised = np.where(np.abs(raised - 1) < ROUNDING, 1.0, raised)
    treated = _needed(base, raised, power, alpha, share)
    control = _ceil(treated * (1 - share) / share)
    most = np.floor(n * share * (1 + ROUNDING))
    return pd.DataFrame(
        {
            "stage": sums[by],
            "customers": n.astype(int),
            "baseline": base,
            "expected": np.where(raised <= 1, raised, np.nan),
            "treatment": _whole(treated),
            "control": _whole(control),
            "needed": _whole(treated + control),
            "enough": np.where(np.isfinite(treated), treated + control <= n, False),
            "smallest_uplift": [
                _smallest(p, m, power, alpha, share) for p, m in zip(base, most, strict=True)
            ],
        }
    )


def _lot(name: str, seed: int) -> float:
    """A number in [0, 1) that follows from a text and a seed, as if drawn by lot."""
    digest = hashlib.blake2b(name.encode(), digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def _numerator(
    base: ArrayLike, raised: ArrayLike, power: float, alpha: float, share: float
) -> Floats:
    """Above the fraction of the formula: what is divided by the difference of the two shares of buyers."""
    from scipy.special import ndtri

    base, raised = np.asarray(base, float), np.asarray(raised, float)
    k = (1 - share) / share
    middle = (raised + k * base) / (1 + k)
    null = np.sqrt((1 + 1 / k) * middle * (1 - middle))
    other = np.sqrt(raised * (1 - raised) + base * (1 - base) / k)
    return np.asarray(float(ndtri(1 - alpha / 2)) * null + float(ndtri(power)) * other)


def _needed(base: Floats, raised: Floats, power: float, alpha: float, share: float) -> Floats:
    """Customers to treat; infinite where the share of buyers cannot be raised so far."""
    possible = (base > 0) & (raised <= 1)
    base, raised = np.where(possible, base, 0.5), np.where(possible, raised, 0.75)
    needed = (_numerator(base, raised, power, alpha, share) / (raised - base)) ** 2
    return np.where(possible, _ceil(needed), np.inf)


def _smallest(base: float, treated: float, power: float, alpha: float, share: float) -> float:
    """The relative uplift that so many treated customers show with this power; infinite if there is none."""
    from scipy.optimize import brentq

    def short(rise: float) -> float:
        """Above 0 where the rise of the share of buyers is too small for so many; it falls with the rise."""
        raised = min(base + rise, 1.0)  # the sum can pass 1 by a rounding error
        return float(_numerator(base, raised, power, alpha, share) - rise * np.sqrt(treated))

    most = 1.0 - base
    if base <= 0 or most <= 0 or short(most) > 0:
        return float("inf")
    return float(brentq(short, 0.0, most, xtol=1e-300, rtol=1e-14)) / base


def _ceil(values: Floats) -> Floats:
    """Whole numbers from below; one that is whole but for a rounding error stays."""
    return np.asarray(np.ceil(values * (1 - ROUNDING)))


def _whole(values: Floats) -> Any:
    """Whole numbers, missing where they are infinite."""
    import pandas as pd

    return pd.array(np.where(np.isfinite(values), values, np.nan)).astype("Int64")
