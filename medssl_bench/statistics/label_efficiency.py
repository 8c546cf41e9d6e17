"""How many labels an arm needs, and how many it saves: from a metric at a few numbers of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.statistics.interval import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray


def area(logs: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of curves over the logarithm of the number of labels, by trapezoids.

    Args:
        logs: (B,) logarithms of the numbers of labels, ascending, two or more.
        values: (..., B) the metric at each.

    Returns:
        (...), one for each curve.
    """
    found: NDArray[np.float64] = ((values[..., 1:] + values[..., :-1]) / 2 * np.diff(logs)).sum(-1)
    return found / (logs[-1] - logs[0])


def rising(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the curves that never fall and are the nearest ones by least squares (isotonic regression).

    At place j it is the most, over i <= j, of the least mean of i to k, over k >= j (Barlow et al. 1972).

    Args:
        values: (..., B) the metric at ascending numbers of labels; higher is better.
    """
    count = values.shape[-1]
    sums = np.concatenate([np.zeros_like(values[..., :1]), values.cumsum(-1)], -1)
    means = {(i, k): (sums[..., k + 1] - sums[..., i]) / (k + 1 - i) for i in range(count) for k in range(i, count)}
    least = [[np.minimum.reduce([means[i, k] for k in range(j, count)]) for i in range(j + 1)] for j in range(count)]
    return np.stack([np.maximum.reduce(each) for each in least], -1)


def needed(
    logs: NDArray[np.float64], rising_values: NDArray[np.float64], level: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the logarithm of the number of labels at which curves first reach a level, from below and from above.

    Between two numbers of labels a curve is straight over the logarithm. Nothing is extrapolated: a curve that is above
    the level at the fewest labels reaches it between -infinity and there, one that is below it at the most labels
    between there and infinity. Else both ends are the same.

    Args:
        logs: (B,) logarithms of the numbers of labels, ascending.
        rising_values: (..., B) curves that never fall.
        level: (...) one for each curve.
    """
    low = np.full(level.shape, logs[-1])
    high = np.full(level.shape, np.inf)
    for place in range(len(logs) - 1, 0, -1):
        before, after = rising_values[..., place - 1], rising_values[..., place]
        crossed = (before < level) & (level <= after)
        rise = np.where(crossed, after - before, 1.0)
        at = logs[place - 1] + (logs[place] - logs[place - 1]) * (level - before) / rise
        low, high = np.where(crossed, at, low), np.where(crossed, at, high)
    first = rising_values[..., 0]
    low = np.where(first > level, -np.inf, np.where(first == level, logs[0], low))
    return low, np.where(first >= level, logs[0], high)


def saved(
    logs: NDArray[np.float64], arm: NDArray[np.float64], baseline: NDArray[np.float64], level: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how many times fewer labels an arm needs than the baseline to reach a level, from below and from above.

    Args:
        logs: (B,) logarithms of the numbers of labels, ascending.
        arm: (..., B) its curves, which never fall.
        baseline: (..., B) those of the baseline.
        level: (...) one for each curve.
    """
    mine, others = needed(logs, arm, level), needed(logs, baseline, level)
    return np.exp(others[0] - mine[1]), np.exp(others[1] - mine[0])


def ends(low: NDArray[np.float64], high: NDArray[np.float64], level: float = LEVEL) -> tuple[float, float]:
    """Return the ends of an interval of resampled values, each known from below and from above; they may be infinite.

    Args:
        low: (times,) from below.
        high: (times,) from above.
        level: how often the interval holds the value.
    """
    rest = (1 - level) / 2
    return float(np.quantile(low, rest, method="lower")), float(np.quantile(high, 1 - rest, method="higher"))
