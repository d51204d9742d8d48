"""The plots of the fit show its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import lifestage as ls
from lifestage import plots
from lifestage.core.errors import ConfigError
from lifestage.data.customers.compress import compress
from lifestage.evaluate import frequency_fit, holdout_fit, tracking

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@pytest.mark.parametrize("kind", ["frequency", "holdout"])
def test_bars_are_the_table(model: ls.LTVModel, customers: ls.Summary, ax: Axes, kind: str) -> None:
    counts = compress(customers)
    table = frequency_fit(model, counts) if kind == "frequency" else holdout_fit(model, counts)
    draw = plots.plot_frequency_fit if kind == "frequency" else plots.plot_holdout_fit
    assert draw(table, ax=ax) is ax
    for bars, name in zip(ax.containers, ("actual", "expected"), strict=True):
        np.testing.assert_allclose([bar.get_height() for bar in bars], table[name])


def test_tracking_draws_both_lines_and_marks_the_holdout(model: ls.LTVModel, ax: Axes) -> None:
    table = tracking(model)
    plots.plot_tracking(table, ax=ax)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), table["actual_cumulative"])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), table["expected_cumulative"])
    assert len(ax.patches) == 1
    assert table["actual_cumulative"].iloc[-1] == 2457 + 1882


def test_tracking_expectation_is_the_sum_over_customers(
    model: ls.LTVModel, customers: ls.Summary
) -> None:
    """At the end of the calibration: the sum of each customer's E[X(T)] as a new customer."""
    from lifestage.families import bgnbd

    table = tracking(model)
    end = table[~table["holdout"]].iloc[-1]
    expected = bgnbd.expected_purchases(
        customers.table["T"].to_numpy(), 0, 0, 0, **model.purchases.estimate
    ).sum()
    assert end["expected_cumulative"] == pytest.approx(expected, rel=1e-9)
    assert end["actual_cumulative"] == customers.table["frequency"].sum()


def test_stage_bars_are_shares_of_the_base(staged: pd.DataFrame, ax: Axes) -> None:
    plots.plot_stages(staged, taxonomy="line", lang="zh-Hant", ax=ax)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    widths = dict(zip(labels, [bar.get_width() for bar in ax.containers[0]], strict=True))
    assert widths["嗜睡好友"] == pytest.approx(100 * (staged["activity_stage"] == "drowsy").mean())
    assert sum(widths.values()) == pytest.approx(100)
    with pytest.raises(ConfigError, match="line, phase, segment"):
        plots.plot_stages(staged, taxonomy="stage", ax=ax)
