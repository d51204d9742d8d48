"""Retrain a stored model on newer data and promote it only if its held-out forecasts are not worse.

Safe to interrupt at any point: a version is written atomically, and the champion changes at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifestage import registry
from lifestage.core.addresses import address_of, local_path
from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError, RegistryError
from lifestage.core.files import ensure_empty_or_own
from lifestage.core.period import Period
from lifestage.jobs.data_checks import NEW_DAYS, check_data
from lifestage.jobs.model_spec import ModelSpec, read_spec
from lifestage.jobs.promotion import compare_with_champion, is_promoted
from lifestage.jobs.release_notes import release_notes
from lifestage.jobs.run import RUN_FILES, fit_orders, run, summarize_orders
from lifestage.jobs.version_texts import backtest_text, version_texts
from lifestage.model import load
from lifestage.registry.model_card import markdown_table

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.data.customers.summary import Summary
    from lifestage.jobs.config import RunConfig
    from lifestage.model import LTVModel

__all__ = ["STEPS", "RetrainResult", "retrain"]

Step = Callable[[str, dict[str, Any]], None]

STEPS = ("read", "data_checks", "backtest", "fit", "save", "promote", "score", "prune", "done")
"""The steps in this order; each is announced before it begins."""


def _silent(name: str, facts: dict[str, Any]) -> None:
    """Announce nothing."""


@dataclass(frozen=True, eq=False)
class RetrainResult:
    """Result of a retraining.

    Attributes
    ----------
    outcome : ``"promoted"``, ``"kept"`` or ``"refused"``
        The new version is the champion; it is stored, and the champion stays; or the data failed a
        check.
    version : str or None
        The new version, if one was stored.
    champion : str or None
        The champion now.
    data_checks : pandas.DataFrame
        See :func:`lifestage.jobs.data_checks.check_data`.
    comparison : pandas.DataFrame or None
        See :func:`lifestage.jobs.promotion.compare_forecasts`; None without a champion.
    release_notes : str
        Markdown.
    """

    outcome: str
    version: str | None
    champion: str | None
    data_checks: pd.DataFrame
    comparison: pd.DataFrame | None
    release_notes: str


def retrain(
    folder: str | os.PathLike[str],
    orders: Any = None,
    *,
    out: str | os.PathLike[str] | None = None,
    until: str | None = None,
    dry_run: bool = False,
    step: Step = _silent,
) -> RetrainResult:
    """Retrain the model in *folder* by its specification, and promote it by its rule.

    The log is read and checked. Champion and challenger forecast from one past day, a horizon
    before the last; this challenger is fitted on the data up to that day. Then the challenger is
    fitted on everything, stored with its model card and release notes, and promoted if its
    forecasts were not worse. The champion, old or new, then scores the customers and writes the
    report into *out*. Until the promotion nothing changes for those who load the champion.

    Parameters
    ----------
    folder : path
        ``models/<name>`` with its ``spec.toml``; see :mod:`lifestage.jobs.model_spec`.
    orders : path, glob, address or frame, optional
        In place of those of the specification.
    out : path, optional
        A folder for customers and report, as ``run`` writes them, outside of *folder*. Where
        nothing is new but this folder was not written by the champion, after a failure or a
        rollback, it is written again.
    until : ISO date, optional
        Last day of observation; the last of the log if left out.
    dry_run : bool
        Do everything but write nothing.
    step : callable
        Called with the name of each step as it begins, and the facts known by then.

    Returns
    -------
    RetrainResult

    Raises
    ------
    LockedError
        If another process is retraining this model.
    ConfigError, DataError, FitError, RegistryError
        If the specification, the log, the fit or the store is invalid; the champion is unchanged.
    """
    spec = read_spec(folder)
    source = _source(spec, orders)
    if out is not None:
        _check_out(folder, out)
    with nullcontext() if dry_run else registry.lock(folder):
        if not dry_run:
            registry.clean(folder)
        name = registry.champion(folder)
        champion = None if name is None else registry.load_version(folder, name)
        step("read", {"champion": name})
        config = _run_config(spec, champion, until)
        customers = summarize_orders(source, config)
        facts = {"customers": customers.customers, "until": str(customers.until)}
        step("data_checks", facts)
        evaluated = registry.latest_evaluated(folder)
        before = None if evaluated is None else registry.load_version(folder, evaluated).data
        checks = check_data(customers, before, spec.data_checks)
        failed = checks.loc[~checks["passed"], "check"].tolist()
        if failed:
            nothing_new = before is not None and before.until == customers.until
            if nothing_new and failed == [NEW_DAYS] and out is not None and not dry_run:
                _score_if_outdated(source, out, config, customers, champion, name, step)
            step("done", {"outcome": "refused", "failed": failed})
            return RetrainResult("refused", None, name, checks, None, "")
        values = dict(zip(checks["check"], checks["value"].tolist(), strict=True))
        step("backtest", {"data_checks": values})
        comparison = None
        if champion is not None:
            comparison = compare_with_champion(source, customers, champion, spec)
            tested = markdown_table(comparison)
        else:
            tested = backtest_text(source, customers, spec)
        promoted = is_promoted(comparison, spec.promotion)
        step("fit", {} if comparison is None else {"comparison": comparison.to_dict("records")})
        model = fit_orders(customers, config, champion)
        notes = release_notes(champion, model, customers, config, comparison)
        step("save", {"status": model.status})
        version = None
        if not dry_run:
            texts = version_texts(model, customers, config, notes, tested)
            version = registry.add_version(folder, model, texts)
        step("promote", {"version": version, "promote": promoted})
        if version is not None:
            decide = registry.promote if promoted else registry.reject
            decide(folder, version)
        champion_now = version if promoted and version is not None else name
        step("score", {"champion": champion_now})
        if out is not None and not dry_run:
            run(source, out, config, customers=customers, model=model if promoted else champion)
        step("prune", {})
        pruned = [] if dry_run else registry.prune(folder, spec.keep)
        outcome = "promoted" if promoted else "kept"
        step("done", {"outcome": outcome, "champion": champion_now, "pruned": pruned})
    return RetrainResult(outcome, version, champion_now, checks, comparison, notes)


def _source(spec: ModelSpec, orders: Any) -> Any:
    """Choose the orders that were given, or those of the specification."""
    source = spec.orders if orders is None else orders
    if source is None:
        raise ConfigError("expected orders: name them in spec.toml, or give them")
    if isinstance(source, str | os.PathLike):
        address_of(source)
    return source


def _run_config(spec: ModelSpec, champion: LTVModel | None, until: str | None) -> RunConfig:
    """Return the settings of the run if they suit the champion."""
    if champion is not None and champion.period != Period.parse(spec.run.period):
        raise ConfigError(
            f"expected the period of the champion, {champion.period}, in the specification; got"
            f" {spec.run.period}: begin a model of another name"
        )
    return spec.run.model_copy(update={} if until is None else {"until": parse_day(until)})


def _check_out(folder: str | os.PathLike[str], out: str | os.PathLike[str]) -> None:
    """Refuse a folder that cannot be replaced, or that would put customers into the store."""
    target = local_path(out).resolve()
    ensure_empty_or_own(target, RUN_FILES)
    if target.is_relative_to(Path(folder).resolve()):
        raise ConfigError(
            f"expected a folder for customers outside of the model, where none may be; got {target}"
        )


def _score_if_outdated(
    source: Any,
    out: str | os.PathLike[str],
    config: RunConfig,
    customers: Summary,
    champion: LTVModel | None,
    name: str | None,
    step: Step,
) -> None:
    """Score the customers again unless *out* holds them as of this day, scored by the champion."""
    if champion is None:
        return
    try:
        stored = load(Path(out) / "model")
    except RegistryError:
        stored = None
    if (
        stored is None
        or not stored.params.equals(champion.params)
        or stored.data.until != customers.until
    ):
        step("score", {"champion": name})
        run(source, out, config, customers=customers, model=champion)
