"""Limits of what a prediction computes."""

from __future__ import annotations

__all__ = ["LEAST_SHAPE", "PREDICTION_DRAWS"]

PREDICTION_DRAWS = 200
"""Draws that predictions integrate over.

The error of a mean is then 7 % of its posterior standard deviation.
"""

LEAST_SHAPE = 2.05
"""Stands in for q + p·x where it is 2 or less, so that the variance of a spend is not finite."""
