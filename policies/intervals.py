"""How sure a difference between two groups is: 95% confidence intervals, without a library of statistics.

- a share: Wilson's score interval (E. B. Wilson, Probable inference, JASA 22, 1927);
- the difference of two shares: Newcombe's hybrid of two of those (R. G. Newcombe, Interval estimation for the
  difference between independent proportions, Statistics in Medicine 17, 1998, method 10);
- the difference of two means: Welch's (B. L. Welch, Biometrika 34, 1947), with Student's quantile by the
  expansion 26.7.5 of Abramowitz and Stegun.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, variance

_LEVEL = 0.95
_Z = NormalDist().inv_cdf((1 + _LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Difference:
    """`value` lies between `low` and `high` with 95% confidence."""

    value: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """Whether there is a difference at all, as far as this can tell."""
        return self.low > 0 or self.high < 0


def wilson(successes: int, of: int) -> tuple[float, float]:
    """The interval of a share; (0, 1) of nothing."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = successes / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = _Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def of_shares(a: int, of_a: int, b: int, of_b: int) -> Difference | None:
    """Share of `a` less share of `b`; None where one of them is of nothing."""
    if of_a == 0 or of_b == 0:
        return None
    p, q = a / of_a, b / of_b
    (low_p, high_p), (low_q, high_q) = wilson(a, of_a), wilson(b, of_b)
    below = sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    above = sqrt((high_p - p) ** 2 + (q - low_q) ** 2)
    return Difference(p - q, p - q - below, p - q + above)


def of_means(a: Sequence[float], b: Sequence[float]) -> Difference | None:
    """Mean of `a` less mean of `b`; None where one of them has less than two values."""
    if len(a) < 2 or len(b) < 2:
        return None
    value = fmean(a) - fmean(b)
    va, vb = variance(a) / len(a), variance(b) / len(b)
    if va + vb == 0:
        return Difference(value, value, value)
    freedom = (va + vb) ** 2 / (va * va / (len(a) - 1) + vb * vb / (len(b) - 1))
    reach = _student(freedom) * sqrt(va + vb)
    return Difference(value, value - reach, value + reach)


def _student(freedom: float) -> float:
    """The quantile of Student's t that leaves 2.5% above; right to 1% from 3 degrees of freedom on."""
    z, n = _Z, freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / n + second / n**2 + third / n**3 + fourth / n**4
