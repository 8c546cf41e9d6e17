"""What plugins add to a report: figures, and sections of paragraphs and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medssl_bench.figures.figure import ReportFigure

if TYPE_CHECKING:
    from medssl_bench.report.study import Study
    from medssl_bench.results.grid import Grid


@dataclass(frozen=True)
class Section:
    """A section of a report's page, after its figures.

    Attributes:
        title: its heading.
        paragraphs: plain text; no text is markup.
        grids: tables.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()


def added_by_plugins(study: Study, tell: Callable[[str], None]) -> tuple[list[ReportFigure], list[Section]]:
    """Return what plugins add to a report, by the hook ``medssl_report``.

    A figure is drawn here, once: an error in the code of a plugin leaves out what that plugin adds, and nothing else.

    Args:
        study: what the report is about.
        tell: told, in a line each, what is left out and why.
    """
    figures: list[ReportFigure] = []
    sections: list[Section] = []
    for hook in study.suite.plugins.manager.hook.medssl_report.get_hookimpls():
        try:
            added = list(_drawn(hook.function(*(study for _ in hook.argnames))))
        except Exception as error:  # noqa: BLE001 - whatever a plugin does
            tell(f"left out: what plugin {hook.plugin_name!r} adds: {type(error).__name__}: {error}")
            continue
        figures += [part for part in added if isinstance(part, ReportFigure)]
        sections += [part for part in added if isinstance(part, Section)]
    return figures, sections


def _drawn(added: object) -> Iterator[ReportFigure | Section]:
    if not hasattr(added, "__iter__"):
        raise TypeError(f"medssl_report returns a list, not {type(added).__name__}")
    for part in added:
        if isinstance(part, Section):
            yield part
        elif isinstance(part, ReportFigure):
            drawn = part.draw()
            yield replace(part, draw=lambda drawn=drawn: drawn, only_here=True)  # type: ignore[misc]
        else:
            raise TypeError(f"medssl_report returns figures and sections, and no {type(part).__name__}")
