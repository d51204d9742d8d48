"""The fitted model that users hold, and where it comes from."""

from __future__ import annotations

from lifestage.model.create import fit, load
from lifestage.model.ltv_model import LTVModel

__all__ = ["LTVModel", "fit", "load"]
