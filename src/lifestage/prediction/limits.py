"""Limits of what a prediction computes."""

from __future__ import annotations

__all__ = ["PREDICTION_DRAWS"]

PREDICTION_DRAWS = 200
"""Draws that predictions integrate over: the error of a mean is then 7 % of its posterior standard deviation."""
