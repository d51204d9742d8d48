"""What is drawn is what was computed, and goes into the Axes that were given."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from lifetimes import BetaGeoFitter

matplotlib.use("Agg")

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

import lifestage as ls
from lifestage import plots
from lifestage.core.errors import ConfigError, DataError
from lifestage.data.customers.compress import compress
from lifestage.evaluate import frequency_fit, holdout_fit, tracking
from lifestage.prediction import histories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes


@pytest.fixture
def ax() -> Iterator[Axes]:
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def test_matrices_hold_what_lifetimes_computes(model: ls.LTVModel) -> None:
    bg = BetaGeoFitter()
    bg.params_ = pd.Series(model.purchases.estimate)
    alive = histories.alive_matrix(model, T=39, max_frequency=10)
    purchases = histories.purchases_matrix(model, T=39, horizon=20, max_frequency=10)
    for x in (1, 4, 10):
        for t_x in alive.columns[[5, 20, 40]]:
            assert alive.loc[x, t_x] == pytest.approx(
                float(bg.conditional_probability_alive(x, t_x, 39)[0]), rel=1e-9
            )
            theirs = bg.conditional_expected_number_of_purchases_up_to_time(20, x, t_x, 39)
            assert purchases.loc[x, t_x] == pytest.approx(float(theirs), rel=1e-6)
    assert alive.loc[0, 0.0] == 1.0
    assert alive.loc[0].notna().sum() == 1
    assert np.isnan(alive.loc[3, 0.0])


def test_heat_maps_show_the_matrix(model: ls.LTVModel, ax: Axes) -> None:
    assert plots.plot_probability_alive_matrix(model, T=39, max_frequency=10, ax=ax) is ax
    drawn = np.ma.filled(ax.collections[0].get_array(), np.nan).reshape(11, -1)
    np.testing.assert_allclose(drawn, histories.alive_matrix(model, T=39, max_frequency=10))
    assert "weeks" in ax.get_xlabel()
    assert (
        plots.plot_expected_purchases_matrix(model, horizon=26)
        .get_title(loc="left")
        .endswith("26 weeks")
    )
    plt.close("all")


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


def test_history_jumps_at_purchases_and_falls_between(model: ls.LTVModel, ax: Axes) -> None:
    dates = ["1997-03-01", "1997-01-01", "1997-03-01", "1997-05-10"]
    table = histories.history_alive(model, dates, until="1997-12-31").set_index("day")
    assert table.loc["1997-01-01", "p_alive"] == 1.0
    assert table["p_alive"].loc["1997-05-11":].is_monotonic_decreasing
    assert table["p_purchase"].loc["1997-05-11":].is_monotonic_decreasing
    bg = BetaGeoFitter()
    bg.params_ = pd.Series(model.purchases.estimate)
    theirs = bg.conditional_probability_alive(2, 129 / 7, 364 / 7)[0]
    assert table.loc["1997-12-31", "p_alive"] == pytest.approx(float(theirs), rel=1e-9)
    assert plots.plot_history_alive(model, dates, until="1997-12-31", ax=ax) is ax
    with pytest.raises(DataError, match="at least one purchase"):
        histories.history_alive(model, [])


def test_ltv_plots_count_every_customer(staged: pd.DataFrame, ax: Axes) -> None:
    plots.plot_ltv_distribution(staged, ax=ax)
    assert sum(bar.get_height() for bar in ax.patches) == len(staged)
    fig, other = plt.subplots()
    plots.plot_ltv_concentration(staged, ax=other)
    ltv = staged["ltv"].sort_values(ascending=False)
    top = ltv.iloc[: round(0.2 * len(ltv))].sum() / ltv.sum()
    assert f"{100 * top:.0f} % of LTV" in other.get_title(loc="left")
    plt.close(fig)


def test_stage_bars_are_shares_of_the_base(staged: pd.DataFrame, ax: Axes) -> None:
    plots.plot_stages(staged, taxonomy="line", lang="zh-Hant", ax=ax)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    widths = dict(zip(labels, [bar.get_width() for bar in ax.containers[0]], strict=True))
    assert widths["嗜睡好友"] == pytest.approx(100 * (staged["activity_stage"] == "drowsy").mean())
    assert sum(widths.values()) == pytest.approx(100)
    with pytest.raises(ConfigError, match="line, phase, segment"):
        plots.plot_stages(staged, taxonomy="stage", ax=ax)


def test_the_prior_is_drawn_as_shares_of_its_draws(customers: ls.Summary, ax: Axes) -> None:
    prior = ls.fit(customers, method="map").prior_predictive(draws=500, seed=1)
    assert plots.plot_prior_predictive(prior, observed=946 / 2357, ax=ax) is ax
    heights = ax.patches[0].get_xy()[:, 1]  # the outline of the first histogram, each bar twice
    counts, _ = np.histogram(prior["repeat_rate"], np.linspace(0, 1, 26))
    assert heights.max() == pytest.approx(100 * counts.max() / 500)
    assert ax.lines[0].get_xdata()[0] == pytest.approx(946 / 2357)


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
