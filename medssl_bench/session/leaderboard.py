"""The leaderboard as users hold it: it shows itself on a terminal and in a notebook, and draws itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results import leaderboard

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from medssl_bench.figures.board import Kind


class Leaderboard(leaderboard.Leaderboard):
    """All tables of a suite. `print` draws them as ``medssl-bench leaderboard`` does, and so does a notebook.

    Attributes and `to_frame` as of `medssl_bench.results.leaderboard.Leaderboard`. This is a class of its own as
    pictures and pages are made of leaderboards, which therefore cannot import what draws them.
    """

    def plot(self, kind: Kind | None = None, *, comparison: str | None = None, metric: str | None = None) -> Figure:
        """Return a picture of one comparison, drawn without pyplot.

        Args:
            kind: ``differences``: to the baseline, with 95 % intervals; ``labels``: the metric against the number of
                labelled images; ``values``: means with 95 % intervals, or standard deviations where there are none.
                None: the first of these that the comparison has.
            comparison: id of a comparison; None: the first that has something to plot.
            metric: name of a metric; None: the first one of the comparison, which ranks.

        Returns:
            A figure of matplotlib: `figure.savefig("board.pdf")` writes it. Above it stands what a reader must know,
            such as that data are generated or trainings scaled down.

        Raises:
            UserError: there is nothing of this kind, comparison or metric to plot.
        """
        from medssl_bench.figures.board import plot_board

        return plot_board(self, kind, comparison, metric)

    def _repr_html_(self) -> str:
        """Draw it in a notebook: the first table, and the others below it to be opened."""
        from medssl_bench.results.formats.html import to_html

        return to_html(self)

    def __str__(self) -> str:
        from medssl_bench.results.formats.console import to_text

        return to_text(self)
