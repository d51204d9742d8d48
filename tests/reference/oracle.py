"""BG/NBD and MBG/NBD in arbitrary precision, by routes that the package does not take.

``family`` is ``"bg/nbd"`` or ``"mbg/nbd"``; arguments are doubles, taken as exact numbers; results are mpmath numbers.
The expected purchases of a living customer are computed twice over:

* :func:`alive_by_panels`: power series at both ends of (0, 1) and Gauss–Legendre panels in logit(p) between them;
* :func:`alive_by_hypergeometric`: the textbook form with the Gauss function, at a precision that survives its
  cancellation and its removable singularity at a = 1.
"""

from __future__ import annotations

from functools import cache
from math import exp, log, log1p, sqrt
from typing import TYPE_CHECKING

import mpmath as mp
from mpmath import mpf

if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS = 40
ORDER = 24
"""Nodes a panel: a panel is at most 1 wide and the integrand's nearest pole π away, so the error is below 1e-40."""

NEGLIGIBLE = 80.0
"""Panels whose integrand stays e^-80 below the maximum are left out."""


@cache
def _gauss_legendre(order: int) -> list[tuple[mpf, mpf]]:
    """Nodes and weights on (−1, 1), by Newton's method on the Legendre polynomial."""
    with mp.workdps(DIGITS + 15):
        pairs = []
        for i in range(order):
            z = mp.cos(mp.pi * (i + mpf("0.75")) / (order + mpf("0.5")))
            for _ in range(8):
                before, value = mpf(1), z
                for k in range(2, order + 1):
                    before, value = value, ((2 * k - 1) * z * value - (k - 1) * before) / k
                slope = order * (z * value - before) / (z * z - 1)
                z -= value / slope
            pairs.append((z, 2 / ((1 - z * z) * slope * slope)))
        return pairs


def _binomial_series(power: mpf, z: mpf, terms: int) -> list[mpf]:
    """Coefficients of (1 + z·p)^power in p."""
    out = [mpf(1)]
    for k in range(terms - 1):
        out.append(out[-1] * (power - k) * z / (k + 1))
    return out


def _end(first: list[mpf], second: list[mpf], exponent: mpf, at: mpf) -> mpf:
    """∫₀^at of (Σ first_k p^k)(Σ second_k p^k) p^(exponent − 1) dp."""
    total = mpf(0)
    for k in range(len(first)):
        total += mp.fdot(first[: k + 1], second[k::-1]) * at**k / (exponent + k)
    return total * at**exponent


def alive_by_panels(R: mpf, s: mpf, a: mpf, b: mpf, order: int = ORDER, width: float = 1.0) -> mpf:
    """∫₀¹ (1 − (1 + p·s)^(−R))/p · Beta(p; a, b) dp, the purchases to come of a customer who is alive."""
    if s == 0:
        return mpf(0)
    with mp.workdps(DIGITS + 15):
        terms = 48
        low = min(mpf(1), 1 / s, 1 / (R * s), 1 / b) / 8
        high = min(mpf(1), 1 / R, 1 / a) / 8
        rise = _binomial_series(-R, s, terms + 1)
        left = _end([-c for c in rise[1:]], _binomial_series(b - 1, mpf(-1), terms), a, low)
        gone = (1 + s) ** -R
        stay = [-gone * c for c in _binomial_series(-R, -s / (1 + s), terms)]
        stay[0] += 1
        right = _end(stay, _binomial_series(a - 2, mpf(-1), terms), b, high)

        start, stop = float(mp.log(low / (1 - low))), float(mp.log((1 - high) / high))
        step = min(width, 2.0 * sqrt(1.0 / (float(a) + 1.0) + 1.0 / (float(b) + 1.0)))
        count = max(1, int((stop - start) / step) + 1)
        ends = [
            mp.log(low / (1 - low))
            + (mp.log((1 - high) / high) - mp.log(low / (1 - low))) * i / count
            for i in range(count + 1)
        ]
        heights = [_height(float(u), float(R), float(s), float(a), float(b)) for u in ends]
        top = max(heights)
        middle = mpf(0)
        for i in range(count):
            # one panel of grace on either side, for the maximum may lie inside a panel
            if max(heights[max(i - 1, 0) : i + 3]) < top - NEGLIGIBLE:
                continue
            centre, half = (ends[i] + ends[i + 1]) / 2, (ends[i + 1] - ends[i]) / 2
            for node, weight in _gauss_legendre(order):
                odds = mp.exp(centre + half * node)
                log_q = -mp.log1p(odds)
                p = odds / (1 + odds)
                rate = -mp.expm1(-R * mp.log1p(p * s)) / p
                middle += half * weight * rate * mp.exp(a * mp.log(p) + b * log_q)
        return (left + middle + right) / mp.beta(a, b)


def _height(u: float, R: float, s: float, a: float, b: float) -> float:
    """Roughly the log of the integrand at logit(p) = u, in doubles: for deciding which panels count."""
    tail = log1p(exp(-abs(u)))
    log_p, log_q = min(u, 0.0) - tail, min(-u, 0.0) - tail
    return a * log_p + b * log_q + min(log(R * s), -log_p)


def alive_by_hypergeometric(R: mpf, s: mpf, a: mpf, b: mpf, digits: int = 60) -> mpf:
    """(a+b−1)/(a−1) · (1 − (1+s)^(−R) ₂F₁(R, b; a+b−1; s/(1+s))), with a moved off its removable singularity at 1."""
    with mp.workdps(2 * digits):
        if a == 1:
            a = a + mpf(10) ** -digits
        if a + b == 1:
            b = b + mpf(10) ** -digits
        gauss = mp.hyp2f1(R, b, a + b - 1, s / (1 + s), maxprec=1_000_000, maxterms=10**7)
        return (a + b - 1) / (a - 1) * (1 - (1 + s) ** -R * gauss)


def log_likelihood(
    family: str, x: float, t_x: float, T: float, r: float, alpha: float, a: float, b: float
) -> mpf:
    """ln L of (x, t_x, T), straight from the definition with gamma functions."""
    with mp.workdps(DIGITS + 15):
        x, t_x, T, r, alpha, a, b = map(mpf, (x, t_x, T, r, alpha, a, b))
        head = mp.loggamma(r + x) - mp.loggamma(r) + r * mp.log(alpha)
        extra = 1 if family == "mbg/nbd" else 0
        log_alive = _log_beta(a, b + x + extra) - _log_beta(a, b) - (r + x) * mp.log(alpha + T)
        if x == 0 and not extra:
            return head + log_alive
        log_gone = (
            _log_beta(a + 1, b + x + extra - 1) - _log_beta(a, b) - (r + x) * mp.log(alpha + t_x)
        )
        top = max(log_alive, log_gone)
        return head + top + mp.log(mp.exp(log_alive - top) + mp.exp(log_gone - top))


def _log_beta(a: mpf, b: mpf) -> mpf:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def p_alive(
    family: str, x: float, t_x: float, T: float, r: float, alpha: float, a: float, b: float
) -> mpf:
    """The share of the likelihood that belongs to being alive at T."""
    with mp.workdps(DIGITS + 15):
        if x == 0 and family == "bg/nbd":
            return mpf(1)
        x, t_x, T, r, alpha, a, b = map(mpf, (x, t_x, T, r, alpha, a, b))
        b_gone = b + x - (0 if family == "mbg/nbd" else 1)
        alive = mp.beta(a, b_gone + 1) if b_gone < 50 else mp.exp(_log_beta(a, b_gone + 1))
        gone = mp.beta(a + 1, b_gone) if b_gone < 50 else mp.exp(_log_beta(a + 1, b_gone))
        return alive / (alive + gone * ((alpha + T) / (alpha + t_x)) ** (r + x))


def _future(
    family: str, t: float, x: float, T: float, r: float, alpha: float, a: float, b: float
) -> tuple[mpf, ...]:
    """(R, s, a, b') of a customer alive at T."""
    t, x, T, r, alpha, a, b = map(mpf, (t, x, T, r, alpha, a, b))
    return r + x, t / (alpha + T), a, b + x + (1 if family == "mbg/nbd" else 0)


def p_purchase_alive(
    family: str, t: float, x: float, T: float, r: float, alpha: float, a: float, b: float
) -> mpf:
    """P(at least one purchase in (T, T + t] | alive at T)."""
    with mp.workdps(DIGITS + 40):
        R, s, _, _ = _future(family, t, x, T, r, alpha, a, b)
        return 1 - (1 + s) ** -R


def expected_alive(
    family: str, t: float, x: float, T: float, r: float, alpha: float, a: float, b: float,
    route: Callable[..., mpf] = alive_by_panels,
) -> mpf:  # fmt: skip
    """Expected purchases in (T, T + t] given alive at T."""
    with mp.workdps(DIGITS + 15):
        return route(*_future(family, t, x, T, r, alpha, a, b))
