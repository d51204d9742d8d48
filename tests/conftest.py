"""Data that many tests look at, made once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lifestage as ls

if TYPE_CHECKING:
    import pandas as pd

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """Published values, with their sources."""
    return dict(json.loads((HERE / "reference" / "golden.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def cdnow() -> pd.DataFrame:
    """Order lines of the CDNOW sample."""
    return ls.datasets.cdnow()


@pytest.fixture(scope="session")
def customers(cdnow: pd.DataFrame) -> ls.Summary:
    """CDNOW customers, calibration to 1997-09-30, in weeks."""
    return ls.summarize(cdnow, until="1997-09-30", period="week")


@pytest.fixture(scope="session")
def model(customers: ls.Summary) -> ls.LTVModel:
    """BG/NBD and Gamma-Gamma on CDNOW by maximum likelihood."""
    return ls.fit(customers)


@pytest.fixture(scope="session")
def staged(model: ls.LTVModel, customers: ls.Summary) -> pd.DataFrame:
    """CDNOW customers, scored over 52 weeks and staged."""
    return ls.assign_stages(model.predict(customers, horizon=52))
