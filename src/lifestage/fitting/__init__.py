"""Fit one family to a compressed base: the purchase rows or the spend rows."""

from __future__ import annotations

from lifestage.fitting.purchases import fit_purchases
from lifestage.fitting.settings import METHODS
from lifestage.fitting.spend import fit_spend
from lifestage.fitting.spend_independence import spend_independence

__all__ = ["METHODS", "fit_purchases", "fit_spend", "spend_independence"]
