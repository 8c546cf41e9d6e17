"""A picture of one comparison of a leaderboard, from its numbers alone."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, get_args

from medssl_bench.errors import FontWarning, UserError, did_you_mean, quoted
from medssl_bench.figures.fonts import choose_fonts, told_missing
from medssl_bench.figures.forest import draw_forest, forest_panels, value_panels
from medssl_bench.figures.label_efficiency import draw_label_efficiency, efficiency_panel
from medssl_bench.figures.style import looks, styled, wrapped
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.results.tables import Panel, TableResult

Kind = Literal["differences", "labels", "values"]
Drawn = tuple["Figure", str]
"""A figure, and what is said of its lines and colours."""

_INK = "#404040"
_LETTER = 0.062
"""Inches that a letter of a title takes."""


def plot_board(board: Leaderboard, kind: Kind | None, comparison: str | None, metric: str | None) -> Figure:
    """Return a picture of one comparison; arguments and errors as of `medssl_bench.Leaderboard.plot`."""
    if kind is not None and kind not in get_args(Kind):
        raise UserError(_unknown("kind", kind, get_args(Kind)))
    tables = [table for table in board.tables if comparison in {None, table.id}]
    if not tables:
        raise UserError(_unknown("comparison", comparison, [table.id for table in board.tables]))
    metrics = list(dict.fromkeys(panel.metric for table in tables for panel in table.panels))
    if metric is not None and metric not in metrics:
        raise UserError(_unknown("metric", metric, metrics))
    for table in tables:
        shown = metric or table.panels[0].metric
        panels = [panel for panel in table.panels if panel.metric == shown]
        for each in get_args(Kind) if kind is None else (kind,):
            drawn = _DRAW[each](table, panels)
            if drawn is not None:
                return _titled(drawn[0], table, drawn[1])
    what = "" if kind is None else f" of kind {kind!r}: {_NEEDS[kind]}"
    raise UserError(f"{board.suite}: there is nothing to plot{what}; {board.counts.text}")


def _unknown(what: str, name: object, known: Sequence[str]) -> str:
    return f"{what}: there is no {name!r}{did_you_mean(str(name), known)}; known here: {quoted(known)}"


def _differences(table: TableResult, panels: Sequence[Panel]) -> Drawn | None:
    shown = [found for panel in panels for found in forest_panels(panel)]
    if not shown:
        return None
    arms = list(dict.fromkeys(row.arm for panel in shown for row in panel.rows))
    told = any(row.told for panel in shown for row in panel.rows)
    key = "blue: better, red: worse, hollow: cannot tell" if told else "no verdicts: the differences may be luck"
    name = f"{_name(panels)} minus that of {table.baseline}"
    return draw_forest(shown, arms, name, table.margin), f"95 % intervals; {key}"


def _labels(table: TableResult, panels: Sequence[Panel]) -> Drawn | None:
    found = [efficiency_panel(table, panel) for panel in panels]
    shown = [panel for panel in found if len(panel.ticks) > 1]
    if not shown:
        return None
    arms = [arm for panel in panels for arm in panel.arms if arm not in panel.floors]
    return draw_label_efficiency(shown, looks(arms), _name(panels)), _spread(panels)


def _values(_table: TableResult, panels: Sequence[Panel]) -> Drawn | None:
    shown = [found for panel in panels for found in value_panels(panel)]
    if not shown:
        return None
    arms = list(dict.fromkeys(arm for panel in panels for arm in panel.arms))
    floors = {arm for panel in panels for arm in panel.floors}
    return draw_forest(shown, arms, f"test {_name(panels)}", floors=floors), _spread(panels)


def _spread(panels: Sequence[Panel]) -> str:
    """Return what the lines on both sides of a value are."""
    cells = [cell for panel in panels for cell in panel.cells.values()]
    known = [cell for cell in cells if cell.judged.own or cell.std is not None]
    kinds = dict.fromkeys("95 % intervals" if cell.judged.own else "standard deviations" for cell in known)
    return f"with {' or '.join(kinds)}" if kinds else "one value each: one seed and draw"


_DRAW = {"differences": _differences, "labels": _labels, "values": _values}
_NEEDS: dict[Kind, str] = {
    "differences": "it is of differences to a baseline that have intervals",
    "labels": "it is of results with two label budgets or more",
    "values": "no result is there",
}


def _name(panels: Sequence[Panel]) -> str:
    better = "" if panels[0].higher_is_better else " (lower is better)"
    return metric_name(panels[0].metric) + better


@styled
def _titled(figure: Figure, table: TableResult, note: str) -> Figure:
    """Put above a figure what it shows and what a reader must know of it, and give its texts their fonts."""
    width = int(figure.get_size_inches()[0] / _LETTER)
    lines = [wrapped(table.title, width), *(wrapped(text, width) for text in (*table.marks, note))]
    count = sum(line.count("\n") + 1 for line in lines)
    figure.set_figheight(figure.get_figheight() + 0.13 * count)
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=7, color=_INK)
    if missing := choose_fonts(figure):
        warnings.warn(told_missing(missing), FontWarning, stacklevel=4)
    return figure
