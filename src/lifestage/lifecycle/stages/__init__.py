"""Stages: their rules, assignment, flags and value tiers."""
