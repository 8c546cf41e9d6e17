"""The live view: never taller than the terminal, it says what it hides, and counts failures."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from medssl_bench.plugin.watching import Epoch, Outcome, RunInfo, StageInfo
from medssl_bench.progress import watcher
from medssl_bench.progress.lines import PlainLines
from medssl_bench.progress.live import LiveView
from medssl_bench.results.cells import Cell
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.results.tables import Panel, TableResult
from medssl_bench.results.value import Value

STAGES = tuple(
    StageInfo(str(n), "evaluate", f"stage number {n} of \\[bold] with a long title " * 4, 60.0) for n in range(9)
)
RUN = RunInfo(
    "a suite with a name that is as long as it may be, which is 80 letters and more", Path("store"), STAGES, 2
)


def _board(tables: int, arms: int, *, complete: int = 0) -> Leaderboard:
    made = []
    for number in range(tables):
        cells = {}
        for arm in range(arms):
            values = [Value(0, 0, 0.5)] if number < complete else []
            cells[f"arm {arm}", "all"] = Cell(
                f"t{number}", "cells", "all", f"arm {arm}", "accuracy", values, expected=1
            )
        panel = Panel("cells", "accuracy", ["all"], [f"arm {arm}" for arm in range(arms)], set(), cells)
        made.append(
            TableResult(
                id=f"t{number}",
                title=f"Table {number}",
                marks=[],
                baseline=None,
                citation="",
                panels=[panel],
                analyses=[],
            )
        )
    return Leaderboard("suite", made, [])


@pytest.fixture(params=[(80, 24), (200, 50), (40, 10), (20, 5)], ids=lambda size: f"{size[0]}x{size[1]}")
def console(request: pytest.FixtureRequest) -> Console:
    width, height = request.param
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)


@pytest.fixture
def view(console: Console) -> Iterator[LiveView]:
    view = LiveView(console)
    yield view
    if view._live is not None:
        view._live.stop()


def _drawn(view: LiveView, console: Console) -> list[str]:
    """Return the lines of the view; none of them is cut off by rich."""
    lines = console.render_lines(view, console.options.update(height=None), pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


@pytest.mark.parametrize("at_work", [0, 1, 8])
@pytest.mark.parametrize(("tables", "arms"), [(1, 2), (3, 40), (30, 3)])
def test_it_is_never_taller_or_wider_than_the_terminal(
    tables: int, arms: int, at_work: int, view: LiveView, console: Console
) -> None:
    view.medssl_run_begins(RUN, lambda: _board(tables, arms))
    for stage in STAGES[:at_work]:
        view.medssl_stage_begins(stage)
        view.medssl_epoch_ends(stage, Epoch(3, 10, {"loss": 1.0, "top1": 0.5}, 1234.0))
    lines = _drawn(view, console)
    assert len(lines) < console.height
    assert max(map(len, lines)) <= console.width
    if console.height > 12 and len(lines) == console.height - 1:
        assert lines[-1].startswith("..."), "it says what it hides"


def test_it_says_that_it_starts_until_the_first_stage_is_at_work(view: LiveView, console: Console) -> None:
    view.medssl_run_begins(RUN, lambda: _board(1, 2))
    assert "starting" in _drawn(view, console)
    view.medssl_stage_begins(STAGES[0])
    view.medssl_stage_ends(STAGES[0], Outcome(STAGES[0], "done", 1.0))
    assert "starting" not in _drawn(view, console)


def test_it_says_what_it_hides() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24, color_system=None)
    view = LiveView(console)
    view._board = _parts(_board(5, 3, complete=2))
    text = _drawn(view, console)
    assert "Table 2" in text, "what is filling in comes first"
    assert text[-1] == "... and 3 more tables, 2 of them complete"
    view._board = _parts(_board(1, 40))
    text = _drawn(view, console)
    shown = sum(line.strip().startswith("arm ") and "–" in line for line in text)
    assert text[-1] == f"... and {40 - shown + 1} more lines"
    for stage in STAGES[:8]:
        view.medssl_stage_begins(stage)
    assert "... and 3 more stages at work" in _drawn(view, console)


def test_a_table_whose_last_number_is_blocked_is_complete() -> None:
    board = _board(1, 2, complete=1)
    cell = board.tables[0].panels[0].cells["arm 1", "all"]
    cell.values.clear()
    assert not _parts(board)[0].is_complete
    cell.lost["stage"] = "blocked"
    assert _parts(board)[0].is_complete


def _parts(board: Leaderboard) -> list:
    from medssl_bench.progress.board import parts_of

    return parts_of(board)


def test_failures_are_counted(view: LiveView, console: Console) -> None:
    view.medssl_run_begins(RUN, lambda: _board(1, 1))
    outcomes = [Outcome(STAGES[0], "failed", reason="no"), Outcome(STAGES[1], "blocked"), Outcome(STAGES[2], "done")]
    for outcome in outcomes:
        view.medssl_stage_begins(outcome.stage)
        view.medssl_stage_ends(outcome.stage, outcome)
    if console.width >= 80:
        first = _drawn(view, console)[0]
        assert "3/11" in first, "two were done before"
        assert "1 failed  1 blocked" in first
    view.medssl_run_ends(RUN, outcomes)
    assert ": 1 done, 1 failed, 1 blocked in " in console.file.getvalue()  # type: ignore[attr-defined]


def test_lines_where_there_is_no_terminal() -> None:
    assert isinstance(watcher(Console(file=io.StringIO())), PlainLines)
    assert isinstance(watcher(Console(file=io.StringIO(), force_terminal=True)), LiveView)
