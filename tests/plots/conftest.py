"""Axes to draw into, without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import pytest
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


matplotlib.use("Agg")


@pytest.fixture
def ax() -> Axes:
    return Figure().subplots()
