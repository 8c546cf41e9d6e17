"""Student's t distribution. SciPy is imported when it is needed: tables without results are drawn at once."""

from __future__ import annotations


def quantile(freedom: float, share: float) -> float:
    """Return the value below which a share of the distribution lies."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def below(freedom: float, value: float) -> float:
    """Return the share of the distribution below a value."""
    from scipy.special import stdtr

    return float(stdtr(freedom, value))
