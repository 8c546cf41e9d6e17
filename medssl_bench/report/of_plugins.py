"""What plugins add to a report: figures, and sections of paragraphs and tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from medssl_bench.figures.figure import FORMATS, Rendered, ReportFigure, slug
from medssl_bench.results.grid import Grid

if TYPE_CHECKING:
    from medssl_bench.report.study import Study


@dataclass(frozen=True)
class Section:
    """A section of a report's page, after its figures.

    Attributes:
        title: its heading.
        paragraphs: plain text; no text is markup.
        grids: tables.
    """

    title: str
    paragraphs: Sequence[str] = ()
    grids: Sequence[Grid] = ()

    def __post_init__(self) -> None:
        if isinstance(self.paragraphs, str) or not all(
            isinstance(text, str) for text in (self.title, *self.paragraphs)
        ):
            raise TypeError("the title of a section is a text, and its paragraphs are a list of texts")
        if not all(isinstance(grid, Grid) for grid in self.grids):
            raise TypeError("the tables of a section are of medssl_bench.results.grid.Grid")


@dataclass(frozen=True)
class _Drawn(ReportFigure):
    """A figure that is drawn already."""

    kept: Rendered = field(default_factory=lambda: Rendered({}, ""))

    def render(self, formats: Sequence[str] = FORMATS) -> Rendered:
        return Rendered({form: self.kept.contents[form] for form in formats}, self.kept.missing)


def added_by_plugins(
    study: Study, tell: Callable[[str], None], formats: Sequence[str] = FORMATS, *, figures: bool = True
) -> tuple[list[ReportFigure], list[Section]]:
    """Return what plugins add to a report, by the hook ``medssl_report``.

    A figure is drawn here, once: an error in the code of a plugin leaves out what that plugin adds, and nothing else.

    Args:
        study: what the report is about.
        tell: told, in a line each, what is left out and why.
        formats: that figures are written as.
        figures: whether figures are drawn.
    """
    comparisons = {None, *(table.id for table in study.board.tables)}
    drawn: list[ReportFigure] = []
    sections: list[Section] = []
    for hook in study.suite.plugins.manager.hook.medssl_report.get_hookimpls():
        try:
            added = list(_checked(hook.function(*(study for _ in hook.argnames)), comparisons))
            own = [_draw(part, formats) for part in added if isinstance(part, ReportFigure)] if figures else []
        except Exception as error:  # noqa: BLE001 - whatever a plugin does
            tell(f"left out: what plugin {hook.plugin_name!r} adds: {type(error).__name__}: {error}")
            continue
        drawn += own
        sections += [part for part in added if isinstance(part, Section)]
    return drawn, sections


def _checked(added: object, comparisons: Collection[str | None]) -> Iterator[ReportFigure | Section]:
    if not hasattr(added, "__iter__"):
        raise TypeError(f"medssl_report returns a list, not {type(added).__name__}")
    for part in added:
        if not isinstance(part, ReportFigure | Section):
            raise TypeError(f"medssl_report returns figures and sections, and no {type(part).__name__}")
        if isinstance(part, ReportFigure) and part.comparison not in comparisons:
            raise ValueError(f"figure {part.id!r} is of no comparison of this report, {part.comparison!r}")
        yield part


def _draw(figure: ReportFigure, formats: Sequence[str]) -> ReportFigure:
    kept = figure.render([*dict.fromkeys((*formats, "png"))])
    given = {each.name: getattr(figure, each.name) for each in fields(ReportFigure)}
    return _Drawn(**{**given, "id": slug(figure.id), "only_here": True}, kept=kept)
