"""Lifetime value by formula: the baselines that stand beside the model."""

from __future__ import annotations

import math

from lifestage.core.errors import ConfigError

__all__ = ["lifespan_years", "ltv_base", "ltv_simple", "ltv_with_margin"]

YEAR_DAYS = 365.25


def ltv_simple(average_purchase_value: float, purchases_per_year: float, lifespan: float) -> float:
    r"""Revenue over a life: :math:`\text{value} \times \text{purchases a year} \times \text{years}`.

    Parameters
    ----------
    average_purchase_value : float
        Money a purchase.
    lifespan : float
        Years.

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
    r"""Profit over a life: :math:`\text{order value} \times \text{frequency} \times \text{years} \times \text{margin}`.

    Parameters
    ----------
    purchase_frequency, lifetime : float
        In one unit of time: orders a year and years, or orders a month and months.
    margin : float
        Share of revenue that is profit, in [0, 1].

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
    arppu: float, paying_users: float, loyal_years: float, cac: float, *, scope: str = "base"
) -> float:
    r"""Value after acquisition: :math:`\text{ARPPU} \times \text{years} - \text{CAC}`, of one customer or of the base.

    Parameters
    ----------
    arppu : float
        Revenue a paying user and year.
    cac : float
        Cost of acquiring one paying user.
    scope : {"base", "customer"}
        ``base`` multiplies both terms by *paying_users*; ``customer`` leaves that number aside.

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
    each = arppu * loyal_years - cac
    return each * paying_users if scope == "base" else each


def lifespan_years(churn_rate: float, window_days: float) -> float:
    r"""Expected life in years at a steady churn: :math:`\text{window} / (365.25 \cdot \text{churn})`.

    Parameters
    ----------
    churn_rate : float
        Share of customers lost in one window, in (0, 1].
    window_days : float

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
