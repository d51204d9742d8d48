"""Metrics of a customer base and of groups of customers."""
