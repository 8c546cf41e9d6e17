"""All figures of a suite for which a store has what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.figures.augmentations import augmentation_figures
from medssl_bench.figures.confusion import confusion_figures
from medssl_bench.figures.critical_difference import critical_difference_figures
from medssl_bench.figures.differences import difference_figures
from medssl_bench.figures.downstream import downstream_figures
from medssl_bench.figures.embedding_panels import embedding_figures, sweep_figures
from medssl_bench.figures.forest import forest_figures
from medssl_bench.figures.label_efficiency import label_efficiency_figures
from medssl_bench.figures.material import FigureSource
from medssl_bench.figures.pretraining import pretraining_figures
from medssl_bench.figures.price import price_figures
from medssl_bench.figures.reliability import reliability_figures
from medssl_bench.figures.robustness import robustness_figures
from medssl_bench.figures.roc import roc_figures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets import DatasetContext
    from medssl_bench.figures.figure import ReportFigure
    from medssl_bench.plan.stage import Plan
    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite

_OF_A_COMPARISON = (
    label_efficiency_figures,
    forest_figures,
    difference_figures,
    price_figures,
    robustness_figures,
    downstream_figures,
    confusion_figures,
    roc_figures,
    reliability_figures,
    embedding_figures,
)
_OF_A_SUITE = (critical_difference_figures, pretraining_figures, augmentation_figures, sweep_figures)


def all_figures(
    suite: Suite,
    plan: Plan,
    store: Store,
    context: DatasetContext,
    *,
    board: Leaderboard | None = None,
    cache: Path | None = None,
    left_out: Callable[[str], None] = lambda _reason: None,
    without: Mapping[str, NDArray[np.int64]] | None = None,
) -> list[ReportFigure]:
    """Return every figure of a suite that can be drawn: results by comparison, then what the comparisons share.

    Nothing is drawn yet.

    Args:
        suite: the suite.
        plan: its plan, or that of a part of it.
        store: finished stages.
        context: where data sets keep files; they are read for pictures of augmentations alone.
        cache: folder in which maps that no analysis kept and pictures of views are remembered; None: in memory alone.
        left_out: told, in a line each, which figures cannot be drawn and why.
        without: places of test images that no number and no curve is of, as of `Leaderboard.of`.
        board: the tables of the suite, where they are made already; None: they are made here.
    """
    source = FigureSource(suite, plan, store, context, board=board, cache=cache, left_out=left_out, without=without)
    found = []
    for table, result in source.tables():
        found += [figure for figures in _OF_A_COMPARISON for figure in figures(source, table, result)]
    found += [figure for figures in _OF_A_SUITE for figure in figures(source)]
    return with_unique_ids(found)


def with_unique_ids(figures: list[ReportFigure]) -> list[ReportFigure]:
    """Return the figures; where names that differ give one id, the later ones get a number."""
    taken: set[str] = set()
    found = []
    for figure in figures:
        name, number = figure.id, 1
        while name in taken:
            number += 1
            name = f"{figure.id}-{number}"
        taken.add(name)
        found.append(replace(figure, id=name))
    return found
