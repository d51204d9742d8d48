"""Texts stored with a version: model card and release notes."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import DataError
from lifestage.core.names import KEYS
from lifestage.data.customers.splits import NO_STAGES
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.evaluate.backtest import backtest
from lifestage.jobs.run import log_settings, open_orders
from lifestage.registry.model_card import markdown_table, model_card

if TYPE_CHECKING:
    from lifestage.data.customers.summary import Summary
    from lifestage.jobs.config import RunConfig
    from lifestage.jobs.model_spec import ModelSpec
    from lifestage.model import LTVModel

__all__ = ["CARD", "RELEASE_NOTES", "backtest_text", "version_texts"]

CARD, RELEASE_NOTES = "card.md", "release_notes.md"

MAX_TESTED_CUSTOMERS = 1_000_000
"""Larger bases are not backtested: a test holds one row per customer in memory."""

MEASURES = ["forecast", "mae", "bias", "log_loss", "brier", "auc"]


def version_texts(
    model: LTVModel, customers: Summary, config: RunConfig, notes: str, tested: str
) -> dict[str, str]:
    """Texts by file name; *tested* is the section of the card on the backtest."""
    thresholds = asdict(config.thresholds)
    if config.thresholds.high_value_cut is None:
        thresholds["high_value_cut"] = f"{model.high_value_cut(config.high_value):,.2f}"
    lines = [
        f"- line rule: {config.line_rule}",
        f"- stage window: {model.data.stage_window:g} days",
    ]
    lines += [f"- {name}: {value}" for name, value in thresholds.items()]
    card = model_card(
        model, backtest=tested, thresholds="\n".join(lines), data_hash=_data_hash(customers)
    )
    return {CARD: card, RELEASE_NOTES: notes}


def backtest_text(source: Any, customers: Summary, spec: ModelSpec) -> str:
    """Backtest a first version against baselines, as it has no champion to compare with."""
    if customers.customers > MAX_TESTED_CUSTOMERS:
        return f"Not made: the base has more than {MAX_TESTED_CUSTOMERS:,} customers."
    assert customers.until is not None
    horizon = spec.promotion.horizon
    origin = customers.until - timedelta(days=round(horizon * customers.period.days))
    try:
        result = backtest(
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
    except DataError as error:  # a first version of a short log is stored without a backtest
        return f"Not made: {error}."
    return f"{result}\n\n{markdown_table(result.table[MEASURES])}"


def _data_hash(customers: Summary) -> str:
    """Hash of the distinct histories and their number of customers: equal bases, equal hashes."""
    table = lazy(customers.table)[0].group_by(*KEYS).agg(nw.len().alias("n"))
    counts = to_pandas(table.sort(*KEYS))
    digest = hashlib.sha256()
    for column in (*KEYS, "n"):
        digest.update(np.round(counts[column].to_numpy(float), 9).tobytes())
    return digest.hexdigest()[:16]
