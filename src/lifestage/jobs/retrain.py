"""Make a stored model again on newer data, and let it serve only if it is not worse; boring, and safe to kill."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage import registry
from lifestage.core.addresses import address_of, local_path
from lifestage.core.errors import ConfigError, DataError, RegistryError
from lifestage.core.files import ensure_empty_or_own
from lifestage.core.names import KEYS
from lifestage.core.period import Period
from lifestage.data.customers.splits import NO_STAGES, Split, split_purchases
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.evaluate.backtest import backtest
from lifestage.families import family
from lifestage.jobs.data_checks import NEW_DAYS, check_gates
from lifestage.jobs.model_spec import Spec, read_spec
from lifestage.jobs.release_notes import change_note
from lifestage.jobs.run import (
    RUN_FILES,
    fit_orders,
    log_settings,
    open_orders,
    run,
    summarize_orders,
)
from lifestage.model import load
from lifestage.numerics.statistics import log_losses, log_scores, resampled_mean
from lifestage.registry.model_card import markdown_table, model_card

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.posterior import Posterior
    from lifestage.jobs.config import RunConfig
    from lifestage.model import LTVModel

__all__ = ["STEPS", "Retrained", "compare_forecasts", "retrain"]

Step = Callable[[str, dict[str, Any]], None]

STEPS = ("read", "gates", "backtest", "fit", "save", "promote", "score", "prune", "done")
"""What is done, in this order; each is announced before it begins."""

DRAWS = 50

TESTED = 1_000_000
"""Customers up to which a first version is tested beside baselines, with a row a customer in memory."""

SHOWN = ["forecast", "mae", "bias", "log_loss", "brier", "auc"]


def _silent(name: str, facts: dict[str, Any]) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class Retrained:
    """What came of a retraining.

    Attributes
    ----------
    outcome : ``"promoted"``, ``"kept"`` or ``"refused"``
        The new version serves; it is stored, and the champion stays; or the data did not pass the
        gates.
    version : str or None
        The new version, if one was stored.
    champion : str or None
        Who serves now.
    gates : pandas.DataFrame
        See :func:`lifestage.jobs.data_checks.check_gates`.
    comparison : pandas.DataFrame or None
        See :func:`compare_forecasts`; None without a champion.
    changes : str
        The change note, Markdown.
    """

    outcome: str
    version: str | None
    champion: str | None
    gates: pd.DataFrame
    comparison: pd.DataFrame | None
    changes: str


def retrain(
    folder: str | os.PathLike[str],
    orders: Any = None,
    *,
    out: str | os.PathLike[str] | None = None,
    until: str | None = None,
    dry_run: bool = False,
    step: Step = _silent,
) -> Retrained:
    """Make the model in *folder* again by its recipe, and promote it by its rule.

    The log is read and held against the gates. Champion and challenger forecast from one day of the
    past, a horizon before the last; the challenger was fitted on what was known then. Then the
    challenger is fitted on everything and stored with its card and a change note, and promoted if
    it was not worse beyond chance. Whoever serves then scores the customers and writes the report
    into *out*. Until the promotion nothing changes for those who load the champion.

    Parameters
    ----------
    folder : path
        ``models/<name>`` with its ``spec.toml``; see :mod:`lifestage.jobs.model_spec`.
    orders : path, glob, address or frame, optional
        In the place of those of the recipe.
    out : path, optional
        A folder for customers and report, as ``run`` writes them, outside of *folder*. Where
        nothing is new but this folder is not of the champion, after a failure or a rollback, it is
        written again.
    until : ISO date, optional
        Last day of observation; the last of the log if left out.
    dry_run : bool
        Do everything, and write nothing.
    step : callable
        Told the name of each step as it begins, and what is known by then.

    Raises
    ------
    LockedError
        If another process is retraining this model.
    ConfigError, DataError, FitError, RegistryError
        If the recipe, the log, the fit or the store is not as it should be; the champion is as it
        was.
    """
    spec = read_spec(folder)
    source = spec.orders if orders is None else orders
    if source is None:
        raise ConfigError("expected orders: name them in spec.toml, or give them")
    if isinstance(source, str | os.PathLike):
        address_of(source)
    if out is not None:
        _check_out(folder, out)
    with nullcontext() if dry_run else registry.lock(folder):
        if not dry_run:
            registry.clean(folder)
        name = registry.champion(folder)
        was = None if name is None else registry.load_version(folder, name)
        step("read", {"champion": name})
        if was is not None and was.period != Period.parse(spec.run.period):
            raise ConfigError(
                f"expected the period of the champion, {was.period}, in the recipe; got"
                f" {spec.run.period}: begin a model of another name"
            )
        config = spec.run.model_copy(update={} if until is None else {"until": _day(until)})
        customers = summarize_orders(source, config)
        step("gates", {"customers": customers.customers, "until": str(customers.until)})
        last = registry.latest_evaluated(folder)
        judged = None if last is None else registry.load_version(folder, last).data
        gates = check_gates(customers, judged, spec.gates)
        if not gates["passed"].all():
            failed = gates.loc[~gates["passed"], "gate"].tolist()
            same = judged is not None and judged.until == customers.until and failed == [NEW_DAYS]
            if (
                same
                and was is not None
                and out is not None
                and not dry_run
                and not _is_scored(out, was, customers)
            ):
                step("score", {"champion": name})
                run(source, out, config, customers=customers, model=was)
            step("done", {"outcome": "refused", "failed": failed})
            return Retrained("refused", None, name, gates, None, "")
        step("backtest", {"gates": dict(zip(gates["gate"], gates["value"].tolist(), strict=True))})
        comparison = None if was is None else _compare(source, customers, was, spec)
        tested = (
            _beside_baselines(source, customers, spec)
            if comparison is None
            else markdown_table(comparison)
        )
        wins = comparison is None or _wins(comparison, spec)
        step("fit", {} if comparison is None else {"comparison": comparison.to_dict("records")})
        model = fit_orders(customers, config, was)
        changes = change_note(was, model, customers, config, comparison)
        step("save", {"status": model.status})
        version = (
            None
            if dry_run
            else registry.add_version(
                folder, model, _texts(model, customers, config, changes, tested)
            )
        )
        outcome = "promoted" if wins else "kept"
        step("promote", {"version": version, "promote": wins})
        if version is not None:
            (registry.promote if wins else registry.reject)(folder, version)
        serving = version if wins and version is not None else name
        step("score", {"champion": serving})
        if out is not None and not dry_run:
            run(source, out, config, customers=customers, model=model if wins else was)
        step("prune", {})
        gone = [] if dry_run else registry.prune(folder, spec.keep)
        step("done", {"outcome": outcome, "champion": serving, "pruned": gone})
    return Retrained(outcome, version, serving, gates, comparison, changes)


def compare_forecasts(
    split: Split, champion: Posterior, challenger: Posterior, level: float = 0.9
) -> pd.DataFrame:
    """Losses of two posteriors on the same forecasts of purchases.

    Returns
    -------
    pandas.DataFrame
        ``loss`` (``"log_score"``, minus the log probability of the number of purchases;
        ``"log_loss"``, that of any purchase), ``champion``, ``challenger`` (means a customer),
        ``difference`` (below 0 the challenger is better), ``low``, ``high``.
    """
    import pandas as pd

    two, rng = [_losses(part, split) for part in (champion, challenger)], np.random.default_rng(0)
    rows = []
    for loss in two[0]:
        gap = two[1][loss] - two[0][loss]
        means = (float(each[loss].mean()) for each in two)
        rows.append((loss, *means, float(gap.mean()), *resampled_mean(gap, level, rng)))
    return pd.DataFrame(
        rows, columns=["loss", "champion", "challenger", "difference", "low", "high"]
    )


def _losses(part: Posterior, split: Split) -> dict[str, Floats]:
    rows, place = split.distinct()
    x, t_x, T, y = rows.T
    part = part.thin(DRAWS)
    module, params = family(part.family), part.columns()
    told = module.purchase_pmf(y, split.horizon, x, t_x, T, **params).mean(axis=0)
    chance = module.p_purchase(split.horizon, x, t_x, T, **params).mean(axis=0)
    return {"log_score": -log_scores(told)[place], "log_loss": log_losses(chance, y > 0)[place]}


def _compare(source: Any, customers: Summary, was: LTVModel, spec: Spec) -> pd.DataFrame:
    """Champion and challenger, forecasting from a horizon before the last day; the champion may know some of it."""
    split = split_purchases(customers, horizon=spec.promotion.horizon, origins=1)[0]
    config = spec.run.model_copy(
        update={"until": split.origin, "spend": None, "calibrate": False} | NO_STAGES
    )
    challenger = fit_orders(summarize_orders(source, config), config, was)
    table = compare_forecasts(split, was.purchases, challenger.purchases, spec.promotion.level)
    known = (
        max(was.data.until - split.origin, timedelta(0)).days if was.data.until is not None else 0
    )
    return table.assign(origin=split.origin.isoformat(), days_known_to_champion=known)


def _wins(comparison: pd.DataFrame, spec: Spec) -> bool:
    rule = spec.promotion.rule
    not_worse = bool((comparison["low"] <= spec.promotion.tolerance * comparison["champion"]).all())
    return (
        rule != "never"
        and not_worse
        and (rule == "not worse" or bool((comparison["high"] < 0).any()))
    )


def _beside_baselines(source: Any, customers: Summary, spec: Spec) -> str:
    """A first version has no champion to forecast against: it is held against forecasts that need no model."""
    if customers.customers > TESTED:
        return f"Not made: the base has more than {TESTED:,} customers."
    assert customers.until is not None
    horizon = spec.promotion.horizon
    origin = customers.until - timedelta(days=round(horizon * customers.period.days))
    try:
        found = backtest(
            open_orders(source, spec.run),
            horizon=horizon,
            origins=[origin],
            families=[spec.run.purchases],
            spend=None,
            method=spec.run.method,
            level=spec.promotion.level,
            seed=spec.run.seed,
            **log_settings(spec.run) | NO_STAGES,
        )
    except DataError as error:  # a young log has a first version all the same
        return f"Not made: {error}."
    return f"{found}\n\n{markdown_table(found.table[SHOWN])}"


def _texts(
    model: LTVModel, customers: Summary, config: RunConfig, changes: str, tested: str
) -> dict[str, str]:
    cuts = asdict(config.thresholds)
    if config.thresholds.high_value_cut is None:
        cuts["high_value_cut"] = f"{model.high_value_cut(config.high_value):,.2f}"
    limits = "\n".join(f"- {name}: {value}" for name, value in cuts.items())
    rules = (
        f"- line rule: {config.line_rule}\n- stage window: {model.data.stage_window:g}"
        f" days\n{limits}"
    )
    card = model_card(model, backtest=tested, thresholds=rules, data_hash=_data_hash(customers))
    return {"card.md": card, "changes.md": changes}


def _data_hash(customers: Summary) -> str:
    """Of the distinct histories and how many customers have each, so that equal bases have equal hashes."""
    import narwhals as nw

    counts = to_pandas(
        lazy(customers.table)[0].group_by(*KEYS).agg(nw.len().alias("n")).sort(*KEYS)
    )
    digest = hashlib.sha256()
    for column in (*KEYS, "n"):
        digest.update(np.round(counts[column].to_numpy(float), 9).tobytes())
    return digest.hexdigest()[:16]


def _check_out(folder: str | os.PathLike[str], out: str | os.PathLike[str]) -> None:
    """Refuse, before anything is done, what could not be written into, or would put customers into the store."""
    target = local_path(out).resolve()
    ensure_empty_or_own(target, RUN_FILES)
    if target.is_relative_to(Path(folder).resolve()):
        raise ConfigError(
            f"expected a folder for customers outside of the model, where none may be; got {target}"
        )


def _is_scored(out: str | os.PathLike[str], model: LTVModel, customers: Summary) -> bool:
    """Whether *out* holds the customers of this day as this model sees them."""
    try:
        found = load(Path(out) / "model")
    except RegistryError:
        return False
    return found.params.equals(model.params) and found.data.until == customers.until


def _day(text: str) -> Any:
    from lifestage.core.dates import parse_day

    return parse_day(text)
