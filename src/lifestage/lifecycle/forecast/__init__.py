"""Forecasts of stages over a horizon."""
