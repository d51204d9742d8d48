"""The plots of the customer base count everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from matplotlib.figure import Figure

from lifestage import plots
from lifestage.core.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def test_ltv_plots_count_every_customer(staged: pd.DataFrame, ax: Axes) -> None:
    plots.plot_ltv_distribution(staged, ax=ax)
    assert sum(bar.get_height() for bar in ax.patches) == len(staged)
    other = Figure().subplots()
    plots.plot_ltv_concentration(staged, ax=other)
    ltv = staged["ltv"].sort_values(ascending=False)
    top = ltv.iloc[: round(0.2 * len(ltv))].sum() / ltv.sum()
    assert f"{100 * top:.0f} % of LTV" in other.get_title(loc="left")


def test_stage_bars_are_shares_of_the_base(staged: pd.DataFrame, ax: Axes) -> None:
    plots.plot_stages(staged, taxonomy="line", lang="zh-Hant", ax=ax)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    widths = dict(zip(labels, [bar.get_width() for bar in ax.containers[0]], strict=True))
    assert widths["嗜睡好友"] == pytest.approx(100 * (staged["activity_stage"] == "drowsy").mean())
    assert sum(widths.values()) == pytest.approx(100)
    with pytest.raises(ConfigError, match="line, phase, segment"):
        plots.plot_stages(staged, taxonomy="stage", ax=ax)
