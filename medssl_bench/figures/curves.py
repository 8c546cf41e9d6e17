"""Curves by epoch: raw and exponentially smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medssl_bench.figures.style import PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from medssl_bench.figures.material import Row

SMOOTHING = 0.6


@dataclass(frozen=True)
class Curve:
    """A metric by epoch.

    Attributes:
        epochs: (n,) numbers of epochs, from 1.
        values: (n,) what was measured.
    """

    epochs: NDArray[np.float64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.epochs)


def curve(history: Sequence[Row], metric: str) -> Curve:
    """Return a metric of a history; epochs that lack it are left out, as a pretraining need not validate after each."""
    rows = [row for row in history if row.get(metric) is not None]
    return Curve(
        np.array([row["epoch"] + 1 for row in rows], dtype=np.float64),
        np.array([row[metric] for row in rows], dtype=np.float64),
    )


def smoothed(values: NDArray[np.float64], weight: float = SMOOTHING) -> NDArray[np.float64]:
    """Return the exponential moving average x_s(i) = (1 - a) x(i) + a x_s(i - 1), from x_s(0) = x(0).

    So it is in [Jiang 2023], App. D, but for x(i - 1) in its printed formula (D.1), a slip.

    Args:
        values: (n,) the raw values.
        weight: a, in [0, 1): the share of the past.
    """
    found = values.astype(np.float64, copy=True)
    for i in range(1, len(found)):
        found[i] = (1 - weight) * values[i] + weight * found[i - 1]
    return found


def draw_curve(axes: Axes, found: Curve, colour: str, label: str, *, line: str = "-") -> None:
    """Draw a curve, raw (thin and pale) and smoothed; a single value as a dot."""
    if len(found) == 1:
        axes.plot(found.epochs, found.values, "o", color=colour, label=label)
        return
    axes.plot(found.epochs, found.values, line, color=colour, alpha=PALE, linewidth=0.6)
    axes.plot(found.epochs, smoothed(found.values), line, color=colour, label=label)


def label_epochs(axes: Axes) -> None:
    """Make the horizontal axis one of whole epochs."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.set_xlabel("epoch")
