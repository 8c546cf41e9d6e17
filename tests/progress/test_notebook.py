"""The view in a notebook: what it says while stages are at work, and of many of them how many there are."""

from __future__ import annotations

import io
import re

import pytest
from progress.test_live import RUN, STAGES, _board
from rich.console import Console
from test_markup import Reader

from medssl_bench.plugin.watching import Epoch, Outcome
from medssl_bench.progress import watcher
from medssl_bench.progress.notebook import NotebookView


class _Drawn(NotebookView):
    """Keeps what it draws, as a notebook does; `tests/docs/test_notebook` has a real one."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[str] = []

    def _begins(self) -> None:
        self._shown = True
        self._draw(self._html(), self._plain())

    def _draw(self, html: str, _plain: str) -> None:
        self.states.append(html)


@pytest.fixture
def view() -> _Drawn:
    return _Drawn()


def test_it_is_the_view_of_notebooks() -> None:
    assert isinstance(watcher(Console(file=io.StringIO(), force_jupyter=True)), NotebookView)


def test_it_shows_what_is_done_at_work_and_lost(view: _Drawn) -> None:
    view.medssl_run_begins(RUN, lambda: _board(3, 2, complete=1))
    for stage in STAGES:
        view.medssl_stage_begins(stage)
    view.medssl_stage_ends(STAGES[0], Outcome(STAGES[0], "failed", reason="<out of> memory"))
    view.medssl_stage_ends(STAGES[1], Outcome(STAGES[1], "blocked"))
    view.medssl_stage_queued(STAGES[2], "Priority")
    read = Reader(view.states[-1])
    words = read.of("span")[0]
    assert words.startswith("2/11 · ")
    assert words.endswith("1 failed · 1 blocked · 1 queued (Priority)")
    assert '<progress value="4" max="11">' in view.states[-1], "what failed is over too"
    assert read.elements.count("progress") == 7, "six stages, and the run"
    assert f"failed: {STAGES[0].title}: <out of> memory" in read.of("p")
    assert "Table 1" in read.of("b"), "what is filling in comes first"
    assert read.of("p")[-1] == "... and 2 more tables, 1 of them complete"
    for stage in STAGES[3:]:
        view.medssl_stage_ends(stage, Outcome(stage, "failed", reason="no"))
    view.medssl_stage_waits(STAGES[2], "another process")
    assert f"waiting for another process: {STAGES[2].title}".strip() in Reader(view.states[-1]).of("p")
    view.medssl_run_ends(RUN, [Outcome(STAGES[0], "failed")])
    end = Reader(view.states[-1])
    assert "progress" not in end.elements
    assert end.of("b")[0].startswith(f"{RUN.suite}: 0 done, 1 failed in ")
    assert len(end.of("p")) == 7, "failures stay"


def test_epochs_are_not_drawn_more_often_than_a_reader_sees(view: _Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("medssl_bench.progress.notebook.time.monotonic", lambda: now[0])
    view.medssl_run_begins(RUN, lambda: _board(1, 1))
    view.medssl_stage_begins(STAGES[0])
    before = len(view.states)
    for index in range(100):
        now[0] += 0.01
        view.medssl_epoch_ends(STAGES[0], Epoch(index, 100, {"loss": 1.5}, 1234.0))
    assert 2 <= len(view.states) - before <= 4
    (done,) = re.findall(
        r'<progress value="(\d+)" max="100"></progress> <span class="quiet">\1/100 · ', view.states[-1]
    )
    assert int(done) >= 70
    assert "loss 1.500 · 1,234 images/s" in view.states[-1]
