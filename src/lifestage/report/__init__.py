"""The report of a run: a plain dict for machines, one HTML file for people."""

from __future__ import annotations

from lifestage.report.html import write_report
from lifestage.report.summarize import summarize_run

__all__ = ["summarize_run", "write_report"]
