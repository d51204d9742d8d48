"""What the report says: each topic turns a part of the run's dict into sentences, charts and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lifestage.report.sections.at_risk import at_risk_section
from lifestage.report.sections.backtest import trust_section
from lifestage.report.sections.fit import fit_section
from lifestage.report.sections.forecast import forecast_section
from lifestage.report.sections.groups import group_section
from lifestage.report.sections.headline import headline_section
from lifestage.report.sections.metrics import metrics_section
from lifestage.report.sections.quality import quality_section
from lifestage.report.sections.reading import reading_section
from lifestage.report.sections.repurchase import schedule_section
from lifestage.report.sections.stages import realised_block, stage_section
from lifestage.report.sections.value import value_section

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
        headline_section(run, say),
        forecast_section(run, say),
        standing,
        at_risk_section(run, at_risk, stages, say, top),
        schedule_section(run, say),
        group_section(run, say),
        value_section(run, say),
        metrics_section(run, say),
        trust_section(run, say),
        fit_section(run, say),
        quality_section(run, say),
        reading_section(run, say),
    ]
    return [each for each in found if each is not None]
