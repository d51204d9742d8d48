"""LTVModel: the fitted model that users hold, with its verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.fitting.fitted import FittedModel
from lifestage.fitting.stage_facts import HIGH_VALUE

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd
    import xarray as xr

    from lifestage.data.customers.summary import Summary

__all__ = ["LTVModel"]


class LTVModel(FittedModel):
    """A fitted model with its verbs; made by :func:`lifestage.fit` and :func:`lifestage.load`.

    Its attributes are those of :class:`lifestage.fitting.fitted.FittedModel`.
    """

    def predict(
        self,
        customers: Summary | Any,
        horizon: Any = 52,
        *,
        discount_rate: float = 0.10,
        margin: Any = 1.0,
        level: float = 0.9,
        calibrated: bool = False,
        high_value: float = HIGH_VALUE,
    ) -> Any:
        r"""Predict purchases, spend and lifetime value of every customer within a horizon.

        .. math:: \mathrm{LTV} = \text{margin} \cdot E[\text{spend}] \cdot
                  \int_0^h e^{-\delta s}\, dE[X(s)], \qquad \delta = \ln(1 + \text{discount\_rate})

        A customer's predictions depend on that customer and the model alone, never on the other
        customers of the table.

        Parameters
        ----------
        customers : Summary, or a frame that :meth:`lifestage.Summary.from_frame` accepts
            One row per customer: ``frequency``, ``recency``, ``T`` (in periods of the model) and,
            for a model with spend, ``monetary_value``. A frame may be pandas, polars, pyarrow,
            DuckDB or Spark.
        horizon : float, or a sequence of floats
            Length of the forecast in periods of the model. Of several horizons the tables stand one
            below the other; ``horizon_days`` tells them apart.
        discount_rate : float
            Per YEAR, whatever the period; 0.10 is 10 % a year.
        margin : float, column name, or one number per customer
            Share of spend that is profit before marketing, in (0, 1]: of all customers, in a column
            of theirs, or, for a table in this process, a sequence, array or Series. A pandas Series
            is aligned by the index of a pandas table, everything else by position.
        level : float
            Level of the predictive intervals, in (0, 1). They hold the number of purchases and the
            spend themselves, not their expectations: a customer with a small probability of buying
            has the interval [0, 0] and a positive expectation.
        calibrated : bool
            Whether to correct ``p_purchase`` by the map of :func:`lifestage.calibrate`, where it
            helps; nothing else changes.
        high_value : float
            Share of the buyers of the fitted base below ``high_value_cut``, in whole percents.

        Returns
        -------
        frame
            One row per customer, in the kind and order of ``customers`` (tables of DuckDB and Spark
            have no order): their columns and index, and these; money needs a spend model.

            - ``days_silent`` (days): From the last purchase to the last day of observation.
            - ``mean_gap_days`` (days): Mean time between purchase days; missing for customers who
              bought once.
            - ``p_alive`` (probability): The customer has not dropped out. This state cannot be
              observed; BG/NBD sets it to 1 for customers who bought once.
            - ``p_purchase`` (probability): At least one purchase within the horizon. This can be
              compared with what customers did.
            - ``expected_purchases`` (purchase days): Expected purchase days within the horizon.
            - ``purchases_low`` (purchase days): Lower end of the predictive interval of the number
              of purchase days. A customer who will probably not buy has the interval 0 to 0 and a
              positive expectation.
            - ``purchases_high`` (purchase days): Upper end of that interval.
            - ``expected_spend`` (money): Expected spend per future purchase day.
            - ``ltv`` (money): Lifetime value: expected discounted margin within the horizon.
            - ``ltv_low`` (money): Lower end of the predictive interval of the discounted margin
              itself.
            - ``ltv_high`` (money): Upper end of that interval.
            - ``activity_ratio`` (ratio): ``p_window`` ÷ ``p_window_fresh``, in (0, 1]: 1 just after
              a purchase, falling with silence. The activity stages are cut from it.
            - ``p_window`` (probability): At least one purchase within the stage window.
            - ``p_window_fresh`` (probability): The same, as it stood just after the last purchase.
            - ``value_lost`` (money): LTV just after the last purchase − LTV now, at least 0.
            - ``next_purchase_p25`` (date): Lower quartile of the next purchase day, given a
              purchase within the horizon.
            - ``next_purchase_p50`` (date): Its median.
            - ``next_purchase_p75`` (date): Its upper quartile.
            - ``next_purchase_p25_days`` (days): In place of the date, where the last day of
              observation is not known: days from it.
            - ``next_purchase_p50_days`` (days): The same.
            - ``next_purchase_p75_days`` (days): The same.
            - ``observed_until`` (date): Last day of observation, from which the horizon counts.
            - ``horizon_days`` (days): Horizon of the row.
            - ``stage_window_days`` (days): Stage window: the 80th percentile of the days between
              purchases in the base that the model was fitted on.
            - ``high_value_cut`` (money): Customers whose purchase days × ``expected_spend`` reach
              it are of high value; from the base that the model was fitted on (purchase days alone
              without a spend model).
            - ``median_gap_days`` (days): Median over the repeat buyers of the fitted base of their
              mean gap.
            - ``level`` (probability): Level of the predictive intervals.
            - ``discount_rate`` (per year): Discount rate, whatever the period.
            - ``margin`` (share): Share of spend that is profit before marketing.

        Raises
        ------
        ConfigError
            If a term is not a number or out of range, the customers are in another period than the
            model, or ``calibrated=True`` and the model has no map.
        DataError
            If a frame is not a table of customers, its dates do not agree on the last day of
            observation, it has no ``monetary_value`` but the model has spend, or it has columns of
            its own that are named like those above.

        Source: Fader, Hardie & Lee (2005), RFM and CLV, Journal of Marketing Research 42, 415–430.

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> model = ls.fit(customers)
        >>> scores = model.predict(customers, horizon=52, discount_rate=0.10, margin=0.3)
        >>> scores[["customer_id", "p_purchase", "expected_purchases", "ltv"]].head(3).round(2)
           customer_id  p_purchase  expected_purchases    ltv
        0            1        0.60                1.56  11.03
        1            2        0.13                0.26   1.41
        2            3        0.17                0.25   2.54
        """
        from lifestage.prediction.scores import predict

        return predict(
            self,
            customers,
            horizon=horizon,
            discount_rate=discount_rate,
            margin=margin,
            level=level,
            calibrated=calibrated,
            high_value=high_value,
        )

    def predict_draws(
        self,
        customers: Summary | Any,
        horizon: float = 52,
        *,
        discount_rate: float = 0.10,
        margin: Any = 1.0,
    ) -> xr.Dataset:
        """Predict every customer under each draw of the parameters.

        The means over the draws are what :meth:`predict` returns; intervals over the draws are
        quantiles of the result. A map of :func:`lifestage.calibrate` corrects the mean:
        ``model.calibration(draws["p_purchase"].mean("draw"))``.

        Parameters
        ----------
        customers : Summary, or a frame that :meth:`lifestage.Summary.from_frame` accepts
            As in :meth:`predict`.
        horizon : float
            Length of the forecast in periods of the model.
        discount_rate, margin
            As in :meth:`predict`.

        Returns
        -------
        xarray.Dataset
            ``p_alive``, ``p_purchase``, ``expected_purchases`` and, with a spend model,
            ``expected_spend`` and ``ltv``, of dims (draw, customer); the coordinate ``customer``
            holds the ids. Units as in :meth:`predict`.

        Raises
        ------
        ConfigError
            If a term is out of range, the customers are in another period than the model, or
            customers × draws are more than 50 million: see ``model.thin(draws)``.

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> model = ls.fit(customers, method="laplace", draws=50)
        >>> draws = model.predict_draws(customers.table.head(3), horizon=26)
        >>> dict(draws["ltv"].sizes)
        {'draw': 50, 'customer': 3}
        """
        from lifestage.prediction.draws import predict_draws

        return predict_draws(
            self, customers, horizon=horizon, discount_rate=discount_rate, margin=margin
        )

    def prior_predictive(self, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
        """Draw parameters from the priors and compute what they imply for a base like this one.

        Parameters
        ----------
        draws, seed : int
            Number of draws, and random seed.

        Returns
        -------
        pandas.DataFrame
            One row per draw: the parameters; ``repeat_rate``, the share of customers who buy again
            within the mean observation time of the base; ``repeat_purchases``, their mean number in
            that time; ``dropout``, the mean dropout probability; and, with a spend model,
            ``mean_spend`` (money, missing where the mean is infinite).

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> prior = ls.fit(customers, method="map").prior_predictive(draws=2000)
        >>> bool(prior["repeat_rate"].between(0, 1).all())
        True
        """
        from lifestage.diagnostics.prior_predictive import prior_predictive

        return prior_predictive(self, draws, seed)

    def to_arviz(self, customers: Summary | Any = None) -> xr.DataTree:
        """Export the draws, and the data behind them, as a DataTree for ArviZ.

        Parameters
        ----------
        customers : Summary, Counts or frame, optional
            Those whose log-likelihood and replicated data are wanted; the model holds none.

        Returns
        -------
        xarray.DataTree
            ``posterior``, dims (chain, draw); ``sample_stats`` after ``"nuts"``; ``prior`` and
            ``log_prior`` unless fitted by maximum likelihood. With customers, after ``"laplace"``
            and ``"nuts"``, also ``log_likelihood`` per customer and draw, ``constant_data``,
            ``observed_data`` and ``posterior_predictive``; their variables are in
            :func:`lifestage.diagnostics.arviz.to_arviz`.

        Raises
        ------
        ConfigError
            If draws × customers are more than 50 million values.

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> tree = ls.fit(customers, method="laplace", draws=50).to_arviz()
        >>> sorted(tree.children)
        ['log_prior', 'posterior', 'prior']
        """
        from lifestage.diagnostics.arviz import to_arviz

        return to_arviz(self, customers)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model into a folder, atomically; :func:`lifestage.load` reads it back.

        It gets ``model.json`` (everything but the draws) and a Parquet file of draws per part; no
        customer is in it. A folder that holds an earlier model is replaced.

        Parameters
        ----------
        path : path

        Returns
        -------
        pathlib.Path

        Raises
        ------
        ConfigError
            If *path* is a file, or a folder that holds anything else.

        Examples
        --------
        >>> import lifestage as ls, tempfile
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> folder = ls.fit(customers).save(f"{tempfile.mkdtemp()}/model")
        >>> sorted(file.name for file in folder.iterdir())
        ['model.json', 'purchases.parquet', 'spend.parquet']
        """
        from lifestage.fitting.saved import write_model

        return write_model(self, path)
