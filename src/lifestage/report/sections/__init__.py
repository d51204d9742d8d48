"""What the report says: each topic turns a part of the run's dict into sentences, charts and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lifestage.report.sections.at_risk import _risk
from lifestage.report.sections.backtest import trust_section
from lifestage.report.sections.fit import fit_section
from lifestage.report.sections.forecast import forecast_section
from lifestage.report.sections.groups import group_section
from lifestage.report.sections.headline import _headline
from lifestage.report.sections.metrics import metrics_section
from lifestage.report.sections.quality import _quality
from lifestage.report.sections.reading import _reading
from lifestage.report.sections.repurchase import schedule_section
from lifestage.report.sections.stages import realised_block, stage_section
from lifestage.report.sections.value import _value

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block
    from lifestage.report.words.translator import Translator

__all__ = ["sections"]


Run = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def sections(run: Run, stages: Rows, at_risk: Rows, say: Translator, top: int) -> list[Block]:
    """All topics in reading order; the page shows the *top* of those at risk and holds the whole list."""
    standing = stage_section(run, stages, say)
    standing["blocks"] += realised_block(run, say)
    found = [
        _headline(run, say),
        forecast_section(run, say),
        standing,
        _risk(run, at_risk, stages, say, top),
        schedule_section(run, say),
        group_section(run, say),
        _value(run, say),
        metrics_section(run, say),
        trust_section(run, say),
        fit_section(run, say),
        _quality(run, say),
        _reading(run, say),
    ]
    return [each for each in found if each is not None]
