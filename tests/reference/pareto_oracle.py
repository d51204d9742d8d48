"""Pareto/NBD in arbitrary precision, by routes that the package does not take.

Arguments are doubles, taken as exact numbers; results are mpmath numbers. Integrals are computed by Gauss–Legendre
panels in ln u at 30 digits, and those of the likelihood and of a purchase once more by the ₂F₁ of the papers.
"""

from __future__ import annotations

from functools import cache
from math import exp, log, log1p, sqrt

import mpmath as mp
from mpmath import mpf

from tests.reference.oracle import _gauss_legendre

DIGITS = 30
ORDER = 24
NEGLIGIBLE = 60.0
"""Panels whose integrand stays e^-60 below the maximum are left out."""

Number = float | mpf


@cache
def integral(n: Number, P: Number, S: Number, rate: Number, A: Number, B: Number, w: Number) -> mpf:
    """ln ∫₀^w (u/A)^n (1 + u/A)^(−P) (1 + u/B)^(−S) e^(−rate·u) du; *w* may be infinite with a positive rate."""
    if w == 0:
        return mpf("-inf")
    with mp.workdps(DIGITS + 15):
        n, P, S, rate, A, B = map(mpf, (n, P, S, rate, A, B))
        top = mp.log(mpf(w) if w != mp.inf and w != float("inf") else 300 / rate)
        # everything about which panels there are is decided in doubles
        f = [float(v) for v in (n, P, S, rate, A, B)]
        step = min(
            1.5, 3.0 / sqrt(f[0] + 1.0)
        )  # the integrand changes over 1 in ln u, its peak is as narrow as this
        peak = _peak(float(top), f)
        height = _height(peak, f)
        low = peak
        while _height(low, f) > height - NEGLIGIBLE:
            low -= step
        high = peak
        while high < float(top) and _height(high, f) > height - NEGLIGIBLE:
            high += step
        start, stop = mpf(low), min(top, mpf(high))
        count = max(1, int((stop - start) / step) + 1)
        width, scale, log_A = (stop - start) / count, mpf(height), mp.log(A)
        total = mpf(0)
        for i in range(count):
            middle = start + width * (2 * i + 1) / 2
            for node, weight in _gauss_legendre(ORDER):
                y = middle + width / 2 * node
                u = mp.exp(y)
                value = y - P * mp.log1p(u / A) - S * mp.log1p(u / B) - rate * u
                total += weight * mp.exp(value + n * (y - log_A) - scale)
        return scale + mp.log(total * width / 2)


def _height(y: float, f: list[float]) -> float:
    n, P, S, rate, A, B = f
    u = exp(min(y, 700.0))
    return (n + 1) * y - n * log(A) - P * log1p(u / A) - S * log1p(u / B) - rate * u


def _peak(top: float, f: list[float]) -> float:
    """Where the concave log integrand is highest, by thirds."""
    low, high = min(top, -50.0) - 50.0, top
    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if _height(left, f) < _height(right, f):
            low = left
        else:
            high = right
    return high


def by_hypergeometric(
    P: Number, S: Number, A: Number, B: Number, w: Number, digits: int = 80
) -> mpf:
    """ln of the same integral with n = rate = 0, as the difference of two ₂F₁ (equations 19 and 20 of the note)."""
    with mp.workdps(digits):
        P, S, A, B, w = map(mpf, (P, S, A, B, w))
        both = P + S - 1
        large, small, power = (A, B, S) if A >= B else (B, A, P)

        def primitive(u: mpf) -> mpf:
            z = (large - small) / (large + u)
            gauss = mp.hyp2f1(both, power, both + 1, z, maxprec=1_000_000, maxterms=10**7)
            return gauss / both * ((large / (large + u)) ** both)

        # ∫₀^w A^P B^S (A+u)^-P (B+u)^-S du, in units of large^both
        scale = (A / large) ** P * (B / large) ** S * large
        return mp.log(scale * (primitive(mpf(0)) - primitive(w)))


def odds(x: float, t_x: float, T: float, r: Number, alpha: Number, s: Number, beta: Number) -> mpf:
    """ln of the odds of having dropped out by T."""
    with mp.workdps(DIGITS + 15):
        x, t_x, T, r, alpha, s, beta = map(mpf, (x, t_x, T, r, alpha, s, beta))
        A, B, w = alpha + t_x, beta + t_x, T - t_x
        grown = (r + x) * mp.log1p(w / A) + s * mp.log1p(w / B)
        return mp.log(s / B) + grown + integral(0, r + x, s + 1, 0, A, B, w)


def log_likelihood(
    x: float, t_x: float, T: float, r: Number, alpha: Number, s: Number, beta: Number
) -> mpf:
    """ln L of (x, t_x, T), straight from the definition; 0 of a customer who has not been observed."""
    if x == T == 0:
        return mpf(0)
    with mp.workdps(DIGITS + 15):
        dropped = odds(x, t_x, T, r, alpha, s, beta)
        x, T, r, alpha, s, beta = map(mpf, (x, T, r, alpha, s, beta))
        head = mp.loggamma(r + x) - mp.loggamma(r) + r * mp.log(alpha) + s * mp.log(beta)
        alive = head - (r + x) * mp.log(alpha + T) - s * mp.log(beta + T)
        return alive + (
            mp.log1p(mp.exp(dropped)) if dropped < 0 else dropped + mp.log1p(mp.exp(-dropped))
        )


def p_alive(
    x: float, t_x: float, T: float, r: Number, alpha: Number, s: Number, beta: Number
) -> mpf:
    """The share of the likelihood that belongs to being alive at T."""
    with mp.workdps(DIGITS + 15):
        return 1 / (1 + mp.exp(odds(x, t_x, T, r, alpha, s, beta)))


def survival(
    n: float, t: float, x: float, T: float, r: Number, alpha: Number, s: Number, beta: Number
) -> mpf:
    """P(at least n ≥ 1 purchases within t | alive): the density of the time of the n-th, integrated."""
    with mp.workdps(DIGITS + 15):
        n, t, x, T, r, alpha, s, beta = map(mpf, (n, t, x, T, r, alpha, s, beta))
        R, A, B = r + x, alpha + T, beta + T
        log_beta = mp.loggamma(n) + mp.loggamma(R) - mp.loggamma(n + R)
        return mp.exp(integral(n - 1, R + n, s, 0, A, B, t) - mp.log(A) - log_beta)


def pmf(
    n: float, t: float, x: float, T: float, r: Number, alpha: Number, s: Number, beta: Number
) -> mpf:
    """P(exactly n purchases within t | alive at T)."""
    with mp.workdps(DIGITS + 15):
        n, t, x, T, r, alpha, s, beta = map(mpf, (n, t, x, T, r, alpha, s, beta))
        R, A, B = r + x, alpha + T, beta + T
        ways = mp.loggamma(R + n) - mp.loggamma(R) - mp.loggamma(n + 1)
        stays = n * mp.log(t / A) - (R + n) * mp.log1p(t / A) - s * mp.log1p(t / B)
        leaves = integral(n, R + n, s + 1, 0, A, B, t) + mp.log(s / B)
        return mp.exp(ways + stays) + mp.exp(ways + leaves)


def expected_alive(
    t: float, x: float, T: float, r: Number, alpha: Number, s: Number, beta: Number
) -> mpf:
    """Expected purchases within t given alive at T, by the closed form (equation 41 of the note)."""
    with mp.workdps(DIGITS + 40):
        t, x, T, r, alpha, s, beta = map(mpf, (t, x, T, r, alpha, s, beta))
        A, B = alpha + T, beta + T
        if s == 1:
            return (r + x) / A * B * mp.log1p(t / B)
        return (r + x) / A * B / (s - 1) * (1 - (1 + t / B) ** (1 - s))


def discounted_alive(
    t: float, x: float, T: float, r: Number, alpha: Number, s: Number, beta: Number, rate: float
) -> mpf:
    """Discounted purchases within t given alive at T, by quadrature."""
    with mp.workdps(DIGITS + 15):
        x, T, r, alpha, s, beta = map(mpf, (x, T, r, alpha, s, beta))
        return (r + x) / (alpha + T) * mp.exp(integral(0, 0, s, rate, 1, beta + T, t))


def log_residual_alive(
    x: float, T: float, r: Number, alpha: Number, s: Number, beta: Number, rate: float, digits: int
) -> mpf:
    """ln of the discounted purchases without a horizon, by Tricomi's U (Fader, Hardie & Lee 2005, equation 2)."""
    with mp.workdps(digits):
        x, T, r, alpha, s, beta, rate = map(mpf, (x, T, r, alpha, s, beta, rate))
        B = beta + T
        return mp.log(abs((r + x) / (alpha + T) * B * mp.hyperu(1, 2 - s, rate * B)))


def derivatives(x: float, t_x: float, T: float, *params: float) -> tuple[list[mpf], list[mpf]]:
    """Gradient and upper triangle of the Hessian of ln L in the logarithms of the parameters, by differences."""
    with mp.workdps(DIGITS + 15):
        h = mpf(10) ** -9

        def at(*moves: tuple[int, int]) -> mpf:
            moved = [mpf(p) for p in params]
            for i, sign in moves:
                moved[i] *= mp.exp(sign * h)
            return log_likelihood(x, t_x, T, *moved)

        middle = at()
        up, down = [at((i, 1)) for i in range(4)], [at((i, -1)) for i in range(4)]
        gradient = [(a - b) / (2 * h) for a, b in zip(up, down, strict=True)]
        hessian = []
        for i in range(4):
            for j in range(i, 4):
                if i == j:
                    hessian.append((up[i] - 2 * middle + down[i]) / h**2)
                else:
                    plus, minus = at((i, 1), (j, 1)), at((i, -1), (j, -1))
                    rest = up[i] + down[i] + up[j] + down[j] - 2 * middle
                    hessian.append((plus + minus - rest) / (2 * h**2))
        return gradient, hessian
