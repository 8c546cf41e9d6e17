"""Mean ranks of arms over data sets, with lines that join those that are not told apart (Demsar 2006)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.figures.figure import ReportFigure, slug
from medssl_bench.figures.material import FigureSource, sentences
from medssl_bench.figures.style import GREY, PAGE, new_figure, shortened, styled
from medssl_bench.results.formats.across_text import p_text
from medssl_bench.results.metric_names import metric_name
from medssl_bench.statistics.verdict import ALPHA

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAME = 40
"""Letters of a name, at most."""

_WIDTH = PAGE - 0.1
"""Inches, without margins."""

_ROW, _TOP, _STEP = 0.16, 0.62, 0.07
"""Inches of a row of names, above the axis, and between lines that join arms."""


def critical_difference_figures(source: FigureSource) -> Iterator[ReportFigure]:
    """Yield a figure for each ranking with a Friedman test."""
    for ranking in source.board.rankings:
        together = ranking.across
        if together is None or together.friedman is None:
            continue
        found, name = together.friedman, metric_name(ranking.metric)
        caption = sentences(
            f"mean ranks by test {name} over {len(together.datasets)} data sets ({', '.join(together.datasets)}); 1 is "
            "best. A data set counts once, by the means over its label budgets, without floors",
            "a thick line joins arms whose mean ranks differ by no more than the critical difference "
            f"{found.critical_difference:.2f} (Nemenyi, 5 %): these are not told apart",
            f"Friedman's test: {p_text(found.f_p)}{'' if found.f_p < ALPHA else ', so no arms are shown to differ'}",
            "each mean counts as exact",
            *ranking.marks,
        )
        title = " and ".join(f"“{title}”" for title in ranking.tables)
        yield ReportFigure(
            slug(together.comparisons[0], "critical-difference", ranking.metric),
            f"Mean ranks over data sets by {name}: {title}",
            caption,
            together.comparisons[0],
            partial(draw_critical_difference, together.arms, found.mean_ranks, found.critical_difference),
            tuple(source.marks(*together.datasets)),
        )


def groups_of(ranks: Sequence[float], critical: float) -> list[tuple[float, float]]:
    """Return the first and the last rank of each largest group of arms that are not told apart, two arms or more."""
    ordered = sorted(ranks)
    spans = [(low, max(rank for rank in ordered if rank - low <= critical)) for low in ordered]
    found: list[tuple[float, float]] = []
    for low, high in dict.fromkeys(spans):
        if sum(low <= rank <= high for rank in ranks) > 1 and not any(high <= last for _, last in found):
            found.append((low, high))
    return found


@styled
def draw_critical_difference(arms: Sequence[str], ranks: Sequence[float], critical: float) -> Figure:
    """Draw an axis of ranks, the best at the left, each arm on it, and its name at the nearer side.

    Args:
        arms: their names, two or more.
        ranks: their mean ranks.
        critical: two arms whose ranks differ by no more are joined.
    """
    count, order = len(arms), sorted(range(len(arms)), key=lambda place: ranks[place])
    half = -(-count // 2)
    left, right = (0.055 * max(len(_name(arms[arm])) for arm in side) + 0.6 for side in (order[:half], order[half:]))
    groups = groups_of(ranks, critical)
    below = _TOP + _STEP * (len(groups) + 1)
    height = below + _ROW * half
    figure = new_figure(_WIDTH, height)
    figure.set_layout_engine(None)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, _WIDTH), ylim=(height, 0))

    def at(rank: float) -> float:
        return left + (rank - 1) / (count - 1) * (_WIDTH - left - right)

    for tick in range(1, count + 1):
        axes.plot([at(tick)] * 2, [_TOP - 0.05, _TOP], color="black", linewidth=0.8)
        axes.text(at(tick), _TOP - 0.08, str(tick), ha="center", va="bottom", fontsize=6.5)
    axes.plot([at(1), at(count)], [_TOP, _TOP], color="black", linewidth=0.8)
    axes.plot([at(1), min(at(1 + critical), at(count))], [0.25, 0.25], color=GREY, linewidth=1.5)
    axes.text(at(1), 0.2, f"critical difference {critical:.2f}", va="bottom", fontsize=6.5, color=GREY)
    for number, (low, high) in enumerate(groups):
        y = _TOP + _STEP * (number + 1)
        axes.plot([at(low) - 0.03, at(high) + 0.03], [y, y], color="black", linewidth=2.5)
    for number, arm in enumerate(order):
        first = number < half
        y = below + _ROW * (number if first else count - 1 - number)
        edge, side = (left - 0.08, "right") if first else (_WIDTH - right + 0.08, "left")
        axes.plot([at(ranks[arm])] * 2 + [edge], [_TOP, y, y], color=GREY, linewidth=0.6)
        parts = (_name(arms[arm]), f"{ranks[arm]:.2f}")
        axes.text(edge, y, f" {'  '.join(parts if first else parts[::-1])} ", ha=side, va="center", fontsize=6.5)
    return figure


def _name(arm: str) -> str:
    return shortened(arm, _NAME)
