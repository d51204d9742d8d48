"""Which family foretells best: held-out log scores with intervals, beside leave-one-out; and how to combine them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.notes import Note
from lifestage.core.steps import step
from lifestage.data.customers.compress import compress
from lifestage.data.customers.splits import Split, split_purchases
from lifestage.families import FAMILIES, family
from lifestage.fitting.mixture import stack_posteriors, stacking_weights
from lifestage.fitting.posterior import Posterior, Status
from lifestage.fitting.purchases import fit_purchases
from lifestage.numerics.statistics import log_scores, z_score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.data.customers.counts import Counts
    from lifestage.data.customers.summary import Summary

__all__ = ["Comparison", "compare", "fit_chosen"]


DRAWS = 50
"""Draws that a predictive distribution averages over."""

LOO_DRAWS = 500


@dataclass(frozen=True, eq=False)
class Comparison:
    """Families ranked by how well they foretold what each customer did next.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a family, the best first: ``family``; ``log_score``, the mean log probability that it
        gave to a customer's purchases within the horizon; ``difference`` to the best (at most 0)
        with ``se``, ``low``, ``high``, customers drawn anew; ``weight`` in the stack; and, unless
        left out, ``loo`` (expected log density of a customer left out of the fit to all, summed),
        ``loo_difference``, ``loo_se``.
    selected : str
    weights : dict of str to float
    origins : tuple of date
    horizon, level : float
        Of the forecasts, in periods; of the intervals.
    """

    table: pd.DataFrame
    selected: str
    weights: dict[str, float]
    origins: tuple[date, ...]
    horizon: float
    level: float

    def __str__(self) -> str:
        head = (
            f"{self.selected} foretold best over {len(self.origins)} origin(s), {self.horizon:.3g}"
            " periods ahead"
        )
        rest = []
        columns = (self.table[name] for name in ("family", "difference", "se", "high"))
        for name, gap, se, high in list(zip(*columns, strict=True))[1:]:
            told = (
                "can hardly be told from it"
                if gap > -se
                else "is behind" + (" beyond chance" if high < 0 else "")
            )
            rest.append(f"{name} {told} ({gap:.4f} ± {se:.4f} a customer)")
        return "; ".join([head, *rest]) + "."


def compare(
    customers: Summary,
    families: Sequence[str] | None = None,
    *,
    horizon: float | None = None,
    origins: int = 2,
    method: str = "mle",
    level: float = 0.9,
    loo: bool = True,
    seed: int = 0,
) -> Comparison:
    r"""Rank families by the log probability that they gave to what customers did next.

    At each origin every family is fitted to what was known, and scored by

    .. math:: \frac1n \sum_i \log P(Y_i = y_i \mid x_i, t_{x,i}, T_i)

    with y the purchases within the horizon. Differences are paired by customer, and their standard
    errors are those of a mean over customers. The weights of a stack are fitted on the same
    forecasts.

    Parameters
    ----------
    customers : Summary
        Made from orders.
    families : sequence of str, optional
        All of ``lifestage.families.FAMILIES`` if left out.
    horizon, origins
        As in :func:`lifestage.data.customers.splits.split_purchases`.
    method : str
        Of the fits at the origins.
    level : float
        Coverage of the intervals.
    loo : bool
        Whether to leave customers out of the fit to all as well (by ``laplace``).

    Raises
    ------
    DataError
        If the summary was not made from orders, or is too short.
    ConfigError
        If an option is out of range.

    Source: Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13(3), 917–1007.

    Examples
    --------
    >>> import lifestage as ls
    >>> found = ls.compare(ls.summarize(ls.datasets.cdnow(), period="week"), horizon=13, loo=False)
    >>> found.selected
    'mbg/nbd'
    """
    import pandas as pd

    families = list(FAMILIES if families is None else families)
    splits = split_purchases(customers, horizon=horizon, origins=origins)
    with step(__name__, f"Comparing {', '.join(families)} at {len(splits)} days of the past"):
        logs = np.concatenate([_log_scores(part, families, method, seed) for part in splits])
    person = np.concatenate([part.customer for part in splits])
    means = logs.mean(axis=0)
    best = int(means.argmax())
    table = pd.DataFrame(
        {"family": list(families), "log_score": means, "difference": means - means[best]}
    )
    gaps = logs - logs[:, [best]]
    sums = np.array([np.bincount(person, gap) for gap in (gaps - gaps.mean(axis=0)).T])
    table["se"] = np.sqrt((sums**2).sum(axis=1)) / len(gaps)
    reach = z_score(level) * table["se"]
    table["low"], table["high"] = table["difference"] - reach, table["difference"] + reach
    table["weight"] = stacking_weights(np.exp(logs))
    if loo:
        table = table.join(_leave_one_out(customers, families, seed))
    order = table.sort_values("log_score", ascending=False, ignore_index=True)
    weights = dict(zip(families, table["weight"].tolist(), strict=True))
    days = tuple(part.origin for part in splits)
    return Comparison(order, families[best], weights, days, splits[0].horizon, level)


def fit_chosen(customers: Summary, counts: Counts, *, stacked: bool, **how: Any) -> Posterior:
    """Fit the family that foretold the past best, or all of them as a stack, to the whole base.

    Parameters
    ----------
    counts : Counts
        Of the customers.
    stacked : bool
    **how
        As in :func:`lifestage.fitting.fit_purchases`.
    """
    found = compare(customers, loo=False, seed=how["seed"])
    parts = {
        name: fit_purchases(counts, name, **how)
        for name in (found.weights if stacked else [found.selected])
    }
    if stacked:
        return stack_posteriors(parts, found.weights, _mixture(parts, found.weights, counts))
    part, second = parts[found.selected], found.table.iloc[1]
    values = {
        "family": found.selected,
        "origins": len(found.origins),
        "second": str(second["family"]),
    }
    values |= {"gap": -float(second["difference"]), "se": float(second["se"])}
    note = Note("selected", f"Chosen by forecasts of the past: {found}", values)
    return replace(part, status=Status(part.status.converged, (*part.status.notes, note)))


def _mixture(
    parts: dict[str, Posterior], weights: dict[str, float], counts: Counts
) -> dict[str, Any]:
    """Log-likelihood of the base under the mixture, and what follows from it."""
    known = [name for name in parts if weights[name] > 0]
    logs = [
        family(name).log_likelihood(counts.x, counts.t_x, counts.T, **parts[name].estimate)
        + np.log(weights[name])
        for name in known
    ]
    likelihood = float(counts.weight @ np.logaddexp.reduce(logs, axis=0))
    k = sum(len(family(name).PARAMS) for name in known) + len(known) - 1
    n = float(counts.weight.sum())
    return {
        "log_likelihood": likelihood,
        "observations": n,
        "aic": 2 * k - 2 * likelihood,
        "bic": k * float(np.log(n)) - 2 * likelihood,
    }


def _log_scores(split: Split, families: Sequence[str], method: str, seed: int) -> Floats:
    """Log probability of each customer's purchases under each family; shape (n, families)."""
    counts = split.counts()
    rows, place = split.distinct()
    x, t_x, T, y = rows.T
    out = []
    for name in families:
        part = fit_purchases(counts, name, method=method, seed=seed).thin(DRAWS)
        chance = (
            family(name).purchase_pmf(y, split.horizon, x, t_x, T, **part.columns()).mean(axis=0)
        )
        out.append(log_scores(chance)[place])
    return np.column_stack(out)


def _leave_one_out(customers: Summary, families: Sequence[str], seed: int) -> pd.DataFrame:
    import pandas as pd

    from lifestage.fitting.loo import posterior_loo

    counts = compress(customers, spend=False)
    found = []
    for name in families:
        posterior = fit_purchases(counts, name, method="laplace", draws=LOO_DRAWS, seed=seed)
        found.append(posterior_loo(posterior, counts))
    best = max(found, key=lambda each: float(each.elpd))
    rows = []
    for each in found:
        gap = (each.elpd_i - best.elpd_i).to_numpy()
        rows.append((float(each.elpd), float(gap.sum()), float(np.sqrt(gap.size) * gap.std())))
    return pd.DataFrame(rows, columns=["loo", "loo_difference", "loo_se"])
