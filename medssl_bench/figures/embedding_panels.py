"""Test images in the plane, coloured by class (fig. 7.3 to 7.9 of [Jiang 2023])."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.errors import StoreError
from medssl_bench.evaluators.components import PERPLEXITIES, clipped
from medssl_bench.figures.embedding import EmbeddedArm, embedded_arms, labels_of_test_images, map_of, shown_labels
from medssl_bench.figures.embedding_map import COMPONENTS, Embedding, EmbeddingMap, EmbeddingMethod
from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.style import COLUMN, PAGE, YELLOW, legend_below, look, new_figure, styled, wrapped

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from medssl_bench.results.tables import TableResult
    from medssl_bench.suite.table import Table

_METHODS: dict[EmbeddingMethod, str] = {"pca": "PCA", "tsne": "t-SNE"}
_MOST = 4


@dataclass(frozen=True)
class EmbeddingPanel:
    """An embedding and its heading."""

    heading: str
    embedding: Embedding


def embedding_figures(source: FigureSource, table: Table, result: TableResult) -> Iterator[ReportFigure]:
    """Yield a figure for each data set, of PCA and t-SNE of every arm; without its majority class a second one.

    The latter only where more than half of the points are of one class (as of dermamnist), which hides the others.
    """
    for dataset in source.datasets(table):
        arms = [arm for arm in embedded_arms(source, table, dataset) if len(shown_labels(source, arm.stage))]
        if not arms:
            source.left_out(f"{table.id}: embeddings of {dataset}: there are no features and classes in the store")
            continue
        majority = majority_class(source, arms[0].stage)
        for without in ((), (majority,)) if majority else ((),):
            yield _figure(source, table, result, dataset, arms, without)


def sweep_figures(source: FigureSource) -> Iterator[ReportFigure]:
    """Yield t-SNE of the first pretrained encoder of the suite by perplexity (fig. 7.4)."""
    for table, result in source.tables():
        chained = {arm.name for arm in table.arms if arm.chain}
        for dataset in source.datasets(table):
            for arm in embedded_arms(source, table, dataset):
                if chained & set(arm.arms) and len(shown_labels(source, arm.stage)):
                    figure = perplexity_sweep(source, table, result, arm)
                    if all(found.is_available() for found in figure.maps):
                        yield figure
                    else:  # a store of an older version, or the first pretrained encoder was another one then
                        reason = "no analysis kept these maps, and the features were deleted"
                        source.left_out(f"{table.id}: t-SNE of {dataset} by perplexity: {reason}")
                    return


def perplexity_sweep(
    source: FigureSource,
    table: Table,
    result: TableResult,
    arm: EmbeddedArm,
    perplexities: Sequence[float] = PERPLEXITIES,
) -> ReportFigure:
    """Return a figure of t-SNE of one encoder, a panel for each perplexity.

    Args:
        source: plan and store.
        table: the comparison.
        result: its numbers.
        arm: the encoder.
        perplexities: in the order of the panels; those that the points are too few for are clipped, each once.
    """
    points = len(shown_labels(source, arm.stage))
    wanted: dict[float, float] = {}
    for perplexity in perplexities:
        wanted.setdefault(clipped(perplexity, points), perplexity)
    rows = _rows_of_sweep(source, arm.stage, wanted)
    values = ", ".join(f"{value:.3g}" for value in wanted)
    caption = sentences(
        f"{points} test images of {arm.dataset} by t-SNE, after PCA to {COMPONENTS['tsne']}, by perplexity ({values}); "
        f"encoder of {_named(arm)}; {_shaped(arm)}",
        *result.marks,
    )
    return ReportFigure(
        slug(table.id, "perplexity", arm.dataset, *arm.arms[:1]),
        f"{table.title}: t-SNE of {arm.dataset} by perplexity",
        caption,
        table.id,
        partial(_draw, rows, (), scored=False),
        source.marks_of(result, arm.dataset),
        _maps(rows),
    )


def majority_class(source: FigureSource, stage: str) -> str | None:
    """Return the class that more than half of an encoder's points are of, or None."""
    _, classes = labels_of_test_images(source, stage)
    counts = np.bincount(shown_labels(source, stage), minlength=len(classes))
    return classes[int(counts.argmax())] if counts.max() * 2 > counts.sum() else None


def _figure(
    source: FigureSource,
    table: Table,
    result: TableResult,
    dataset: str,
    arms: list[EmbeddedArm],
    without: Sequence[str],
) -> ReportFigure:
    points = len(shown_labels(source, arms[0].stage))
    left = f" without {', '.join(without)}" if without else ""
    tuned = [arm for arm in arms if arm.labels is not None]
    rows = _rows_of_arms(source, arms)
    caption = sentences(
        f"{points} test images of {dataset} by PCA (2 components, fitted on all training features) and t-SNE (after "
        f"PCA to {COMPONENTS['tsne']}, perplexity 30), coloured by class; {arms[0].chance}",
        f"encoders trained with labels ({', '.join(map(_named, tuned))}): {tuned[0].labels} labels" if tuned else "",
        "the number s is the silhouette coefficient of the classes in the 2 components (PCA) or in the 50 (t-SNE)",
        f"not shown: {', '.join(without)}; the coefficients include it" if without else "",
        *result.marks,
    )
    return ReportFigure(
        slug(table.id, "embedding", dataset, *(["without", *without] if without else [])),
        f"{table.title}: PCA and t-SNE of {dataset}{left}",
        caption,
        table.id,
        partial(_draw, rows, without, scored=True),
        source.marks_of(result, dataset),
        _maps(rows),
    )


def _named(arm: EmbeddedArm) -> str:
    return " / ".join(arm.arms)


def _shaped(arm: EmbeddedArm) -> str:
    return f"{arm.chance}" if arm.labels is None else f"{arm.labels} labels, {arm.chance}"


Shown = list[list[tuple[str, EmbeddingMap]]]
"""Rows of panels: heading and map."""


def _maps(rows: Shown) -> tuple[EmbeddingMap, ...]:
    return tuple(found for row in rows for _, found in row)


def _rows_of_arms(source: FigureSource, arms: list[EmbeddedArm]) -> Shown:
    rows: Shown = []
    for first in range(0, len(arms), _MOST):
        for method, name in _METHODS.items():
            row = []
            for arm in arms[first : first + _MOST]:
                found = map_of(source, arm.stage, method)
                assert found is not None
                row.append((f"{wrapped(_named(arm), 30)}\n{name}", found))
            rows.append(row)
    return rows


def _rows_of_sweep(source: FigureSource, stage: str, perplexities: Mapping[float, float]) -> Shown:
    panels = []
    for value, perplexity in perplexities.items():
        found = map_of(source, stage, "tsne", perplexity=perplexity)
        assert found is not None
        panels.append((f"perplexity {value:.3g}", found))
    most = 3
    return [panels[first : first + most] for first in range(0, len(panels), most)]


def _draw(rows: Shown, without: Sequence[str], *, scored: bool) -> Figure:
    return draw_embeddings([[_panel(heading, found, scored=scored) for heading, found in row] for row in rows], without)


def _panel(heading: str, kept: EmbeddingMap, *, scored: bool) -> EmbeddingPanel:
    found = kept.embedding()
    if found is None:
        raise StoreError(f"{kept.features}: it has gone while the report was made; make the report again")
    score = f", s = {found.silhouette:.3f}" if scored and found.silhouette is not None else ""
    return EmbeddingPanel(f"{heading}{score}", found)


@styled
def draw_embeddings(bands: Sequence[Sequence[EmbeddingPanel]], without: Sequence[str] = ()) -> Figure:
    """Draw embeddings in rows.

    Args:
        bands: the rows; all embeddings are of one data set.
        without: names of classes whose points are left out.
    """
    columns = max(map(len, bands))
    width = PAGE if columns > 1 else COLUMN
    classes = bands[0][0].embedding.classes
    figure = new_figure(width, (width / max(columns, 2) + 0.25) * len(bands))
    grid = figure.subplots(len(bands), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    handles: dict[str, Artist] = {}
    for row, band in zip(grid, bands, strict=True):
        for axes, panel in zip(row, band, strict=False):
            axes.set_axis_on()
            handles |= _scatter(axes, panel.embedding, without)
            axes.set_title(panel.heading, fontsize=6.5)
    legend_below(figure, {name: handles[name] for name in classes if name in handles}, markerscale=1.6)
    return figure


def _scatter(axes: Axes, found: Embedding, without: Sequence[str]) -> dict[str, Artist]:
    """Draw the points of each class; the axes have no ticks, for only distances between points mean something."""
    handles: dict[str, Artist] = {}
    size = float(np.clip(2500 / len(found.points), 2, 9))
    for number, name in enumerate(found.classes):
        ours = found.labels == number
        if name in without or not ours.any():
            continue
        style = look(number)
        handles[name] = axes.scatter(
            found.points[ours, 0],
            found.points[ours, 1],
            s=size,
            color=style.colour,
            marker=style.marker,
            linewidths=0.3 if style.colour == YELLOW else 0,
            edgecolors="#7A7000",
            alpha=0.8,
            label=name,
        )
    axes.set_xticks([])
    axes.set_yticks([])
    kind = "component" if found.method == "pca" else "t-SNE"
    axes.set_xlabel(f"{kind} 1", labelpad=2)
    axes.set_ylabel(f"{kind} 2", labelpad=2)
    return handles
