"""Whom to contact, what a customer may cost, and experiments."""
