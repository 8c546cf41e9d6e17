"""What plugins add to a report, and what is left out where they fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from matplotlib.figure import Figure
from results.conftest import SUITE, Lab, lab_of, plugins  # noqa: F401 - fixtures

from medssl_bench import hookimpl
from medssl_bench.figures import ReportFigure
from medssl_bench.plugin.registry import Plugin
from medssl_bench.report.of_plugins import Section, added_by_plugins
from medssl_bench.report.page.build import page
from medssl_bench.report.study import Study


def _figure(draw: Callable[[], Figure]) -> ReportFigure:
    return ReportFigure("mine", "Mine", "A figure.", None, draw)


def _fails() -> Figure:
    raise ZeroDivisionError("nothing here")


def _cannot_be_written() -> Figure:
    figure = Figure()
    figure.text(0, 0, r"$\frac$")
    return figure


GOOD = [_figure(Figure), Section("More <b>", ("a < b",))]


@pytest.mark.parametrize(
    ("added", "told"),
    [
        (GOOD, ""),
        ([*GOOD, _figure(_fails)], "ZeroDivisionError: nothing here"),
        ([*GOOD, "text"], "TypeError: medssl_report returns figures and sections, and no str"),
        (3, "TypeError: medssl_report returns a list, not int"),
        ([*GOOD, _figure(_cannot_be_written)], "ValueError: "),
        ([*GOOD, replace(GOOD[0], comparison="other")], "ValueError: figure 'mine' is of no comparison of this report"),
    ],
)
def test_a_plugin_adds_all_or_nothing(lab_of: Callable[..., Lab], added: Any, told: str) -> None:  # noqa: F811
    class Adds:
        @hookimpl
        def medssl_report(self, study: Study) -> Any:
            assert study.suite is lab.suite
            return added

    class Few:
        @hookimpl
        def medssl_report(self) -> Any:
            return [Section("Few")]

    lab = lab_of(text=SUITE)
    lab.suite.plugins.add(Plugin("adds", "installed"), Adds)
    lab.suite.plugins.add(Plugin("few", "installed"), Few)
    study, said = Study.of(lab.suite, lab.plan, lab.store), []
    try:
        figures, sections = added_by_plugins(study, said.append)
    finally:
        for name in ("adds", "few"):
            lab.suite.plugins.manager.unregister(name=name)
    assert [figure.id for figure in figures] == ([] if told else ["mine"])
    assert [list(figure.render(["png"]).contents) for figure in figures] == ([] if told else [["png"]])
    assert all(figure.only_here for figure in figures)
    assert [section.title for section in sections] == (["Few"] if told else ["More <b>", "Few"])
    assert len(said) == bool(told)
    assert all(text.startswith(f"left out: what plugin 'adds' adds: {told}") for text in said)
    text = page(study, (), sections)
    assert ("a &lt; b" in text) == (not told)
    assert "More <b>" not in text


@pytest.mark.parametrize("wrong", [{"paragraphs": "text"}, {"paragraphs": [3]}, {"grids": [None]}, {"title": None}])
def test_a_section_that_cannot_be_drawn_is_refused_where_it_is_made(wrong: Any) -> None:
    with pytest.raises(TypeError, match="of a section"):
        Section(**{"title": "Title", **wrong})
