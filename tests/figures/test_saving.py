"""Figures in several processes: the same files, and nothing hidden where one fails."""

from __future__ import annotations

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path

import pytest
from figures.conftest import Ran

from medssl_bench.figures import ReportFigure, all_figures, saving
from medssl_bench.figures.saving import save_figures
from medssl_bench.figures.style import new_figure, styled


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have three processors; return the processes that were started."""
    monkeypatch.setattr(saving.os, "sched_getaffinity", lambda _process: {0, 1, 2}, raising=False)
    started: list[int] = []
    original = saving.DrawingProcess

    class Watched(original):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__()
            started.append(self._process.pid)

    monkeypatch.setattr(saving, "DrawingProcess", Watched)
    return started


@styled
def _draw(name: str):
    figure = new_figure(2, 1)
    figure.subplots().set_title(name)
    return figure


def _draw_unless_elsewhere(home: int, name: str):
    if os.getpid() != home:
        os.kill(os.getpid(), signal.SIGKILL)
    return _draw(name)


def _refuse(_name: str):
    raise ZeroDivisionError("there is nothing to draw")


def _figures(draw, number: int = 8) -> list[ReportFigure]:
    return [ReportFigure(f"f{n}", f"F {n}", "Shown.", None, partial(draw, f"f{n}")) for n in range(number)]


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_all_figures_are_the_same_bytes_in_several_processes_and_in_the_next_report(
    ran: Ran, tmp_path: Path, three: list[int]
) -> None:
    """One of each kind. Maps are computed once: the next report finds them."""

    def figures() -> list[ReportFigure]:
        found = all_figures(ran.suite, ran.plan, ran.store, ran.context, cache=tmp_path / "cache")
        return [figure for figure in found if figure.comparison in {None, "main"} and not figure.id.endswith("-40")]

    first: list[str] = []
    files = save_figures(figures(), tmp_path / "here", ["png", "svg"], first.append)
    assert len(three) == 2
    assert not any(map(_alive, three))
    names = {found.name for figure in figures() for found in figure.maps}
    assert {file.stem for file in (tmp_path / "cache" / "embeddings").iterdir()} == names
    assert first[0] == f"computing {len(names)} maps of test images that no analysis kept; the next report finds them"
    assert sorted(line.partition(": ")[2] for line in first[1:]) == sorted(figure.title for figure in figures())
    assert first[-1].startswith(f"figure {len(files)} of {len(files)}: ")
    for figure, saved in zip(figures(), files, strict=True):
        assert [file.name for file in saved] == [f"{figure.id}.png", f"{figure.id}.svg"]
        alone = figure.save(tmp_path / "alone", ["png", "svg"])
        assert [file.read_bytes() for file in saved] == [file.read_bytes() for file in alone], figure.id
    second: list[str] = []
    mapped = [figure for figure in figures() if figure.maps]
    for figure, (again,) in zip(mapped, save_figures(mapped, tmp_path / "next", ["png"], second.append), strict=True):
        assert again.read_bytes() == (tmp_path / "here" / again.name).read_bytes(), figure.id
    assert not any(line.startswith("computing") for line in second)


def test_a_process_that_dies_takes_no_figure_with_it(tmp_path: Path, three: list[int]) -> None:
    files = save_figures(_figures(partial(_draw_unless_elsewhere, os.getpid())), tmp_path, ["png"])
    assert [[file.name for file in saved] for saved in files] == [[f"f{n}.png"] for n in range(8)]
    assert len(three) == 2


def test_what_cannot_be_given_to_another_process_is_drawn_here(tmp_path: Path, three: list[int]) -> None:
    files = save_figures(_figures(lambda name: _draw(name)), tmp_path, ["png"])  # noqa: PLW0108 - cannot be pickled
    assert len(files) == 8


def test_an_error_of_drawing_is_raised_here_and_ends_all_processes(tmp_path: Path, three: list[int]) -> None:
    with pytest.raises(ZeroDivisionError, match="there is nothing to draw"):
        save_figures(_figures(_refuse), tmp_path / "out", ["png"])
    assert not any(map(_alive, three))
    assert not (tmp_path / "out").exists()


def _interrupt(_line: str) -> None:
    raise KeyboardInterrupt


def test_ctrl_c_ends_all_processes(tmp_path: Path, three: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        save_figures(_figures(_draw), tmp_path, ["png"], _interrupt)
    assert three
    assert not any(map(_alive, three))


def _save(folder: Path, ready: multiprocessing.synchronize.Event) -> None:
    with saving._processes(8) as processes:
        (folder / "pids").write_text(" ".join(str(process._process.pid) for process in processes), "utf-8")
        ready.set()
        signal.pause()


def test_they_end_where_the_process_that_started_them_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr(saving.os, "sched_getaffinity", lambda _process: {0, 1}, raising=False)
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    parent = context.Process(target=_save, args=(tmp_path, ready))
    parent.start()
    assert ready.wait(60)
    (child,) = map(int, (tmp_path / "pids").read_text("utf-8").split())
    assert parent.pid is not None
    os.kill(parent.pid, signal.SIGKILL)
    parent.join()
    end = time.monotonic() + 30
    while _alive(child) and time.monotonic() < end and not _is_zombie(child):
        time.sleep(0.05)
    assert not _alive(child) or _is_zombie(child)


def _is_zombie(process: int) -> bool:
    """Return whether a process has ended and nobody has asked for its status, as in a container without `init`."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(") ")[2].startswith("Z")
    except OSError:
        return False
