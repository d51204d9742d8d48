"""The plots of a model show what it says of histories and priors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from lifetimes import BetaGeoFitter

import lifestage as ls
from lifestage import plots
from lifestage.core.errors import DataError
from lifestage.prediction import histories

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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


def test_the_prior_is_drawn_as_shares_of_its_draws(customers: ls.Summary, ax: Axes) -> None:
    prior = ls.fit(customers, method="map").prior_predictive(draws=500, seed=1)
    assert plots.plot_prior_predictive(prior, observed=946 / 2357, ax=ax) is ax
    heights = ax.patches[0].get_xy()[:, 1]  # the outline of the first histogram, each bar twice
    counts, _ = np.histogram(prior["repeat_rate"], np.linspace(0, 1, 26))
    assert heights.max() == pytest.approx(100 * counts.max() / 500)
    assert ax.lines[0].get_xdata()[0] == pytest.approx(946 / 2357)
