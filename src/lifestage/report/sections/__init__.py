"""The topics of the report: each turns facts of the run into sentences, charts and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.report.sections.at_risk import at_risk_section
from lifestage.report.sections.fit import fit_section
from lifestage.report.sections.forecast import forecast_section
from lifestage.report.sections.groups import group_section
from lifestage.report.sections.headline import headline_section
from lifestage.report.sections.metrics import metrics_section
from lifestage.report.sections.quality import quality_section
from lifestage.report.sections.reading import reading_section
from lifestage.report.sections.repurchase import repurchase_section
from lifestage.report.sections.stages import stage_section
from lifestage.report.sections.validation import validation_section
from lifestage.report.sections.value import value_section

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Rows, Run
    from lifestage.report.words.translator import Translator

__all__ = ["sections"]


def sections(
    run: Run,
    stages: Rows,
    at_risk: Rows,
    t: Translator,
    top: int,
) -> list[Block]:
    """All topics in reading order, without those that nothing is known of.

    The page shows the *top* of the customers at risk and holds the whole list for download.
    """
    topics = [
        headline_section(run, t),
        forecast_section(run, stages, t),
        stage_section(run, stages, t),
        at_risk_section(run, at_risk, stages, t, top),
        repurchase_section(run, t),
        group_section(run, t),
        value_section(run, t),
        metrics_section(run, t),
        validation_section(run, t),
        fit_section(run, t),
        quality_section(run, t),
        reading_section(run, t),
    ]
    return [topic for topic in topics if topic is not None]
