"""The report of a run: a plain dict for machines, one HTML file for people."""

from __future__ import annotations

from lifestage.report.facts.summary import summarize_run
from lifestage.report.write import write_report

__all__ = ["summarize_run", "write_report"]
