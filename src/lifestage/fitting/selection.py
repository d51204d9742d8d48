"""Which family predicts best: held-out log scores with intervals, leave-one-out, and stacking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.notes import Note
from lifestage.core.steps import step
from lifestage.data.customers.compress import compress
from lifestage.data.customers.splits import Split, split_purchases
from lifestage.families import FAMILIES, SPEND
from lifestage.fitting.mixture import stack_posteriors, stacking_weights
from lifestage.fitting.posterior import Posterior, Status
from lifestage.fitting.priors import check_prior_names, own_priors
from lifestage.fitting.purchases import fit_purchases
from lifestage.numerics.statistics import log_scores, z_score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.data.customers.counts import Counts
    from lifestage.data.customers.summary import Summary

__all__ = ["Comparison", "compare", "fit_chosen"]


MAX_DRAWS = 50
"""Draws that a predictive distribution averages over."""

LOO_DRAWS = 500


@dataclass(frozen=True, eq=False)
class Comparison:
    """Families ranked by how well they predicted what each customer did next.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per family, the best first: ``family``; ``log_score``, the mean log probability that
        it gave to a customer's purchases within the horizon; ``difference`` to the best (at most 0)
        with ``se``, ``low``, ``high`` over random samples of customers; ``weight`` in the stack;
        and, unless left out, ``loo`` (expected log density of a customer left out of the fit to
        all, summed), ``loo_difference``, ``loo_se``.
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
        sentences = [
            f"{self.selected} had the best forecasts over {self.horizon:.3g} periods from"
            f" {len(self.origins)} origin(s)"
        ]
        for row in self.table.iloc[1:].to_dict("records"):
            gap, se = float(row["difference"]), float(row["se"])
            if gap > -se:
                verdict = "is about as good"
            else:
                verdict = "is significantly worse" if row["high"] < 0 else "is worse"
            sentences.append(f"{row['family']} {verdict} ({gap:.4f} ± {se:.4f} per customer)")
        return "; ".join(sentences) + "."


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

    At each origin every family is fitted to the purchases until then, and scored by

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

    seed : int
        Of the fits that draw.

    Returns
    -------
    Comparison

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
    >>> customers = ls.summarize(ls.datasets.cdnow(), period="week")
    >>> comparison = ls.compare(customers, horizon=13, loo=False)
    >>> comparison.selected
    'mbg/nbd'
    """
    import pandas as pd

    families = list(FAMILIES if families is None else families)
    splits = split_purchases(customers, horizon=horizon, origins=origins)
    logs, people = [], []
    with step(__name__, f"Comparing {', '.join(families)} at {len(splits)} days of the past"):
        for split in splits:
            logs.append(_log_scores(split, families, method, seed))
            people.append(split.customer)
    scores, customer = np.concatenate(logs), np.concatenate(people)
    means = scores.mean(axis=0)
    best = int(means.argmax())
    gaps = scores - scores[:, [best]]
    table = pd.DataFrame(
        {"family": families, "log_score": means, "difference": means - means[best]}
    )
    table["se"] = _standard_errors(gaps, customer)
    reach = z_score(level) * table["se"]
    table["low"], table["high"] = table["difference"] - reach, table["difference"] + reach
    table["weight"] = stacking_weights(np.exp(scores))
    if loo:
        table = table.join(_leave_one_out(customers, families, seed))
    order = table.sort_values("log_score", ascending=False, ignore_index=True)
    weights = dict(zip(families, table["weight"].tolist(), strict=True))
    days = tuple(split.origin for split in splits)
    return Comparison(order, families[best], weights, days, splits[0].horizon, level)


def _standard_errors(gaps: Floats, customer: NDArray[np.intp]) -> Floats:
    """Of the mean of each column, whose rows of one customer belong together."""
    sums = [np.bincount(customer, column) for column in (gaps - gaps.mean(axis=0)).T]
    return np.asarray(np.sqrt((np.array(sums) ** 2).sum(axis=1)) / len(gaps))


def fit_chosen(customers: Summary, counts: Counts, *, stacked: bool, **options: Any) -> Posterior:
    """Fit the family with the best forecasts of the past, or all of them as a stack.

    Parameters
    ----------
    counts : Counts
        Of the customers.
    stacked : bool
    **options
        As in :func:`lifestage.fitting.fit_purchases`. Of the priors each family takes those of
        quantities that it has.
    """
    priors = options.pop("priors", None)
    check_prior_names(priors, [*FAMILIES.values(), *SPEND.values()])
    comparison = compare(customers, loo=False, seed=options["seed"])
    weights, selected = comparison.weights, comparison.selected
    parts = {}
    for name in weights if stacked else [selected]:
        own = own_priors(FAMILIES[name], priors)
        parts[name] = fit_purchases(counts, name, priors=own, **options)
    if stacked:
        return stack_posteriors(parts, weights, _mixture_diagnostics(parts, weights, counts))
    part, second = parts[selected], comparison.table.iloc[1]
    values = {
        "family": selected,
        "origins": len(comparison.origins),
        "second": str(second["family"]),
        "gap": -float(second["difference"]),
        "se": float(second["se"]),
    }
    note = Note("selected", f"Chosen by forecasts of the past: {comparison}", values)
    return replace(part, status=Status(part.status.converged, (*part.status.notes, note)))


def _mixture_diagnostics(
    parts: dict[str, Posterior], weights: dict[str, float], counts: Counts
) -> dict[str, Any]:
    """Log-likelihood of the base under the mixture, and what follows from it."""
    logs, k = [], -1
    for name, part in parts.items():
        if weights[name] > 0:
            module = FAMILIES[name]
            log = module.log_likelihood(counts.x, counts.t_x, counts.T, **part.estimate)
            logs.append(log + np.log(weights[name]))
            k += len(module.PARAMS) + 1
    likelihood = float(counts.weight @ np.logaddexp.reduce(logs, axis=0))
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
        params = fit_purchases(counts, name, method=method, seed=seed).thin(MAX_DRAWS).columns()
        probability = FAMILIES[name].purchase_pmf(y, split.horizon, x, t_x, T, **params)
        out.append(log_scores(probability.mean(axis=0))[place])
    return np.column_stack(out)


def _leave_one_out(customers: Summary, families: Sequence[str], seed: int) -> pd.DataFrame:
    import pandas as pd

    from lifestage.fitting.loo import posterior_loo

    counts = compress(customers, spend=False)
    results = []
    for name in families:
        posterior = fit_purchases(counts, name, method="laplace", draws=LOO_DRAWS, seed=seed)
        results.append(posterior_loo(posterior, counts))
    best = max(results, key=lambda result: float(result.elpd))
    rows = []
    for result in results:
        gap = (result.elpd_i - best.elpd_i).to_numpy()
        rows.append((float(result.elpd), float(gap.sum()), float(np.sqrt(gap.size) * gap.std())))
    return pd.DataFrame(rows, columns=["loo", "loo_difference", "loo_se"])
