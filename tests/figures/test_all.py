"""All figures of a suite: which there are, that they can be drawn, and which are left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from figures.conftest import Ran

from medssl_bench.datasets import DatasetContext
from medssl_bench.figures import ReportFigure, all_figures
from medssl_bench.figures.all import with_unique_ids
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.selection import Selection
from medssl_bench.store.store import Store

IDS = [
    "main-label-efficiency-accuracy",
    "main-label-efficiency-auroc",
    "main-forest-accuracy",
    "main-downstream-bloodmnist",
    "main-confusion-bloodmnist-20",
    "main-confusion-bloodmnist-40",
    "main-roc-bloodmnist-20",
    "main-roc-bloodmnist-40",
    "main-reliability-bloodmnist-20",
    "main-reliability-bloodmnist-40",
    "main-embedding-bloodmnist",
    "chain-confusion-second-20",
    "chain-roc-second-20",
    "chain-reliability-second-20",
    "chain-embedding-second",
    "depth-encoders-all",
    "depth-confusion-bloodmnist-all",
    "depth-confusion-second-all",
    "depth-roc-bloodmnist-all",
    "depth-roc-second-all",
    "depth-reliability-bloodmnist-all",
    "depth-reliability-second-all",
    "pretraining-bloodmnist",
    "pretraining-second-after-first-on-bloodmnist",
    "augmentation-first-bloodmnist",
    "augmentation-waving-second",
    "main-perplexity-bloodmnist-frozen",
]
"""Results first, then how encoders came about, then how a map depends on its settings."""

VIEWS = ["augmentation-first-bloodmnist", "augmentation-waving-second"]


def _all(ran: Ran, **options: object) -> list[ReportFigure]:
    return all_figures(ran.suite, ran.plan, ran.store, ran.context, **options)  # type: ignore[arg-type]


def test_every_figure_and_a_reason_for_each_that_is_left_out(ran: Ran) -> None:
    reasons: list[str] = []
    found = _all(ran, left_out=reasons.append)
    assert [figure.id for figure in found] == IDS
    assert [reason.partition(":")[0] for reason in reasons] == ["chain", "chain", "depth", "depth", "depth", "depth"]
    for figure in found:
        assert figure.comparison in {None, "main", "chain", "depth"}
        assert figure.title
        assert "Generated data." in figure.caption
        assert "\n" not in figure.title + figure.caption


@pytest.mark.slow
def test_every_figure_fits_a_page_and_has_the_mark_inside(ran: Ran, tmp_path: Path) -> None:
    """With all its names and legends, as it is saved."""
    for figure in _all(ran, cache=tmp_path):
        drawn = figure.draw()
        drawn.draw_without_rendering()
        assert drawn.get_tightbbox().width <= 6.9, figure.id
        (file,) = figure.save(tmp_path, ["svg"])
        assert ">generated data<" in file.read_text("utf-8"), figure.id


def test_an_empty_store_gives_views_alone(ran: Ran, tmp_path: Path) -> None:
    reasons: list[str] = []
    found = all_figures(ran.suite, ran.plan, Store(tmp_path / "none"), ran.context, left_out=reasons.append)
    assert [figure.id for figure in found] == VIEWS
    assert "pretraining on bloodmnist: no pretraining is finished" in reasons
    assert "main: confusion matrices of bloodmnist: no arm has predictions" in reasons


def test_scaled_results_are_marked(ran: Ran, tmp_path: Path) -> None:
    context = DatasetContext(tmp_path, tmp_path)
    scaled = build_plan(ran.suite, context, Selection(epochs_scale=0.5))
    (found, *_) = all_figures(ran.suite, scaled, ran.store, context)
    assert found.id == VIEWS[0]
    assert "SCALED" not in found.caption, "views are as of a full run"
    assert found.marks == ("generated data",)
    source = Ran(ran.suite, scaled, ran.store, context).source()
    assert source.marks_of(next(source.tables())[1]) == ("SCALED: epochs x 0.5, not comparable with a full run",)


@pytest.mark.parametrize("number", [2, 3])
def test_names_that_differ_never_share_a_file(number: int) -> None:
    figure = ReportFigure("a", "A", "", None, lambda: None)  # type: ignore[arg-type, return-value]
    assert [found.id for found in with_unique_ids([figure] * number)] == ["a", "a-2", "a-3"][:number]
