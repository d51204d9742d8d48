"""The plots of forecasts show the tables of a backtest and of drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import lifestage as ls
from lifestage import plots
from lifestage.core.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def test_reliability_is_drawn_with_its_intervals(cdnow: pd.DataFrame, ax: Axes) -> None:
    table = ls.backtest(
        cdnow, origins=["1997-09-30"], horizon=39, families=["bg/nbd"], spend=None, period="week"
    ).reliability
    assert plots.plot_reliability(table, ax=ax) is ax
    line = next(each for each in ax.get_lines() if len(each.get_xdata()) == len(table))
    np.testing.assert_allclose(line.get_xdata().astype(float), table["predicted"])
    np.testing.assert_allclose(line.get_ydata().astype(float), table["observed"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "perfect reliability",
        "bg/nbd",
    ]


def test_drift_is_drawn_with_its_signal(cdnow: pd.DataFrame, model: ls.LTVModel, ax: Axes) -> None:
    found = ls.drift(model, cdnow, until="1998-03-31")
    assert plots.plot_drift(found, ax=ax) is ax
    actual = next(line for line in ax.get_lines() if line.get_label() == "actual")
    np.testing.assert_allclose(actual.get_ydata(), found.table["purchases"])
    assert any("signal: more since about" in str(line.get_label()) for line in ax.get_lines())
    with pytest.raises(ConfigError, match="a quantity that was monitored"):
        plots.plot_drift(found, quantity="profit")
