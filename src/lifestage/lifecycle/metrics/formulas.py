"""LTV by formula: baselines to compare the model with."""

from __future__ import annotations

import math

from lifestage.core.errors import ConfigError

__all__ = ["lifespan_years", "ltv_base", "ltv_simple", "ltv_with_margin"]

YEAR_DAYS = 365.25


def ltv_simple(average_purchase_value: float, purchases_per_year: float, lifespan: float) -> float:
    r"""Compute the revenue over a customer's life from averages.

    .. math:: \text{value per purchase} \times \text{purchases per year} \times \text{years}

    Parameters
    ----------
    average_purchase_value : float
        Money per purchase.
    purchases_per_year : float
        Purchases per customer and year.
    lifespan : float
        Years.

    Returns
    -------
    float
        Money per customer.

    Raises
    ------
    ConfigError
        If a number is negative or not finite.

    Examples
    --------
    >>> ltv_simple(50, 2, 3)
    300
    """
    _check(
        average_purchase_value=average_purchase_value,
        purchases_per_year=purchases_per_year,
        lifespan=lifespan,
    )
    return average_purchase_value * purchases_per_year * lifespan


def ltv_with_margin(
    average_order_value: float, purchase_frequency: float, lifetime: float, margin: float
) -> float:
    r"""Compute the profit over a customer's life from averages.

    .. math:: \text{order value} \times \text{frequency} \times \text{lifetime} \times \text{margin}

    Parameters
    ----------
    average_order_value : float
        Money per order.
    purchase_frequency, lifetime : float
        In one unit of time: orders per year and years, or orders per month and months.
    margin : float
        Share of revenue that is profit, in [0, 1].

    Returns
    -------
    float
        Money per customer.

    Raises
    ------
    ConfigError
        If a number is negative or not finite, or the margin above 1.

    Examples
    --------
    >>> ltv_with_margin(50, 2, 3, 0.25)
    75.0
    """
    _check(
        average_order_value=average_order_value,
        purchase_frequency=purchase_frequency,
        lifetime=lifetime,
    )
    _check(margin=margin)
    if margin > 1:
        raise ConfigError(f"margin must be a share in [0, 1]; got {margin!r}")
    return average_order_value * purchase_frequency * lifetime * margin


def ltv_base(
    arppu: float,
    paying_users: float,
    loyal_years: float,
    cac: float,
    *,
    scope: str = "base",
) -> float:
    r"""Compute the value after acquisition, of one customer or of the customer base.

    .. math:: \text{ARPPU} \times \text{loyal years} - \text{CAC}

    per customer, times the number of paying users for the base.

    Parameters
    ----------
    arppu : float
        Revenue per paying user and year, money.
    paying_users : float
        Number of customers who buy.
    loyal_years : float
        Years that a customer stays.
    cac : float
        Cost of acquiring one paying user, money.
    scope : {"base", "customer"}
        ``"base"`` multiplies both terms by *paying_users*; ``"customer"`` does not read it.

    Returns
    -------
    float
        Money, of the base or per customer.

    Raises
    ------
    ConfigError
        If a number is negative or not finite, or the scope unknown.

    Examples
    --------
    >>> ltv_base(120, 1000, 2, 40), ltv_base(120, 1000, 2, 40, scope="customer")
    (200000, 200)
    """
    _check(arppu=arppu, paying_users=paying_users, loyal_years=loyal_years, cac=cac)
    if scope not in ("base", "customer"):
        raise ConfigError(f'scope must be "base" or "customer"; got {scope!r}')
    per_customer = arppu * loyal_years - cac
    return per_customer * paying_users if scope == "base" else per_customer


def lifespan_years(churn_rate: float, window_days: float) -> float:
    r"""Compute the expected lifetime in years at a constant churn rate.

    .. math:: \frac{\text{window in days}}{365.25 \cdot \text{churn rate}}

    Parameters
    ----------
    churn_rate : float
        Share of customers lost in one window, in (0, 1].
    window_days : float
        Length of the window, days.

    Returns
    -------
    float
        Years.

    Raises
    ------
    ConfigError
        If the churn rate is not in (0, 1] (without churn a life has no end), or the window not
        positive.

    Examples
    --------
    >>> lifespan_years(0.25, 365.25)
    4.0
    """
    if not 0 < churn_rate <= 1:
        raise ConfigError(f"churn_rate must be a share in (0, 1]; got {churn_rate!r}")
    if not (math.isfinite(window_days) and window_days > 0):
        raise ConfigError(f"window_days must be a positive number of days; got {window_days!r}")
    return window_days / YEAR_DAYS / churn_rate


def _check(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise ConfigError(f"{name} must be a finite number, 0 or more; got {value!r}")
