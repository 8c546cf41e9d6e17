"""Reliability diagrams: how often images are right, against the probability that their class was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.predictions import Shown, shown_predictions
from medssl_bench.figures.style import COLUMN, GREY, PAGE, PALETTE, columns_of, new_figure, styled, wrapped
from medssl_bench.metrics import NotDefined, Predictions
from medssl_bench.metrics.calibration import Bins, fitted_temperature, in_bins, of_calibrated, reliability, tempered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from medssl_bench.results.tables import TableResult
    from medssl_bench.suite.table import Table


@dataclass(frozen=True)
class Reliability:
    """How well the probabilities of an arm are calibrated.

    Attributes:
        bins: its images by the probability of their decided class.
        calibrated: mean and 95 % quantile of the error if the probabilities were exactly right.
        temperature: that validation images choose, or why they do not.
        after: calibration error after it; None without one.
    """

    bins: Bins
    calibrated: tuple[float, float]
    temperature: float | str
    after: float | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """What stands below its diagram, a line each."""
        mean, most = self.calibrated
        seen = "" if self.bins.error > most else ": no miscalibration seen"
        lines = (f"ECE {self.bins.error:.3f}{seen}", f"if calibrated {mean:.3f}, 95 % below {most:.3f}")
        if isinstance(self.temperature, str):
            return lines
        return (*lines, f"temperature {self.temperature:.2f}: ECE {self.after:.3f}")


def reliability_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield a figure for each data set at the smallest and the largest budget that is drawn, with a panel per arm."""
    for shown in shown_predictions(source, table, "reliability diagrams"):
        caption = sentences(
            f"reliability on the {shown.images} test images of {shown.dataset}: share of right images against the mean "
            f"probability of the decided class, in 15 bins; dots are as large as their bin has images; {shown.labels} "
            f"labels; {shown.chance}",
            "ECE: expected calibration error; below it what so many images of a perfectly calibrated classifier have",
            "temperature: fitted on the labelled validation images, where they are 50 or more"
            + (
                ", which have also chosen the epoch"
                if any(c.selection.by == "validation" for c in result.cells())
                else ""
            ),
            *result.marks,
        )
        yield ReportFigure(
            slug(table.id, "reliability", shown.dataset, shown.labels),
            f"{table.title}: reliability on {shown.dataset}, {shown.labels} labels",
            caption,
            table.id,
            partial(_draw, shown),
            source.marks_of(result, shown.dataset),
        )


def reliability_of(given: Predictions) -> Reliability:
    """Return how well probabilities of one class for each image are calibrated."""
    bins, calibrated = reliability(given.labels, given.scores), of_calibrated(given.scores)
    try:
        temperature = fitted_temperature(given)
    except NotDefined as why:
        return Reliability(bins, calibrated, str(why))
    after = tempered(given.task, given.scores, temperature)
    is_right = given.scores.argmax(1) == given.labels[:, 0]
    return Reliability(bins, calibrated, temperature, in_bins(after.max(1), is_right).error)


def _draw(shown: Shown) -> Figure:
    return draw_reliability({arm: reliability_of(shown.given(arm)) for arm in shown.arms})


@styled
def draw_reliability(arms: Mapping[str, Reliability]) -> Figure:
    """Draw reliability diagrams, a panel for each arm, at most three in a row.

    Args:
        arms: by name of the arm.
    """
    columns = columns_of(len(arms))
    rows = -(-len(arms) // columns)
    width = PAGE if columns > 1 else COLUMN
    side = min((width - 0.3) / columns - 0.2, 2.4)
    figure = new_figure(width, (side + 0.9) * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(arms) :]:
        axes.set_axis_off()
    for place, (arm, found) in enumerate(arms.items()):
        _draw_panel(grid.flat[place], found)
        grid.flat[place].set_title(wrapped(arm, 34))
        if place % columns == 0:
            grid.flat[place].set_ylabel("share of right images")
    return figure


def _draw_panel(axes: Axes, found: Reliability) -> None:
    bins = found.bins
    there = bins.images > 0
    sizes = 6 + 90 * np.sqrt(bins.images[there] / bins.images.sum())
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle=":")
    axes.vlines(bins.confidence[there], bins.confidence[there], bins.accuracy[there], color=GREY, linewidth=0.8)
    axes.scatter(bins.confidence[there], bins.accuracy[there], s=sizes, color=PALETTE[0], alpha=0.8, linewidths=0)
    axes.set_aspect("equal")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("\n".join(("probability of the decided class", *found.told)))
