"""`Leaderboard.plot`: the numbers of the table, and what a reader must know above them."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from results.conftest import PROBE, SUITE, Lab, lab, lab_of, with_printed

from medssl_bench import Leaderboard
from medssl_bench.errors import FontWarning, UserError

__all__ = ["lab", "lab_of"]


@pytest.fixture(scope="session")
def plugins() -> object:
    return with_printed()


def _board(lab: Lab, *, seeds: tuple[int, ...] = (0, 1)) -> Leaderboard:
    for trial in lab.plan.trials:
        share = {"majority class": 20, "supervised": 60, PROBE: 80}.get(trial.arm, 50)
        right = (np.arange(400) * 37 + trial.seed * 3 + trial.draw * 5) % 100 < share
        if trial.seed in seeds:
            lab.predict(trial, right, labelled=100 if trial.labels == "100" else 800)
    return Leaderboard.of(lab.suite, lab.plan, lab.store)


def _points(figure: Figure) -> list[tuple[str, float]]:
    """Return what is drawn as a point: the name of its row, and its place."""
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    lines = [line for line in axes.get_lines() if line.get_marker() == "o"]
    return [(names[int(line.get_ydata()[0])], float(line.get_xdata()[0])) for line in lines]


def _above(figure: Figure) -> list[str]:
    return figure.get_suptitle().split("\n")


def test_each_kind_has_the_numbers_of_the_table(lab: Lab) -> None:
    board = _board(lab)
    cells = {(c.arm, c.labels): c for c in board.cells() if c.metric == "accuracy"}
    differences = board.plot()
    assert _points(differences) == [(PROBE, pytest.approx(cells[PROBE, "100"].difference))]
    assert _above(differences) == [
        "Main <b>*table*</b> | 100 % of a_b & c",
        "epochs selected with all 1,712 validation labels",
        "95 % intervals; blue: better, red: worse, hollow: cannot tell",
    ]
    values = board.plot("values")
    assert _points(values) == [(arm, pytest.approx(cells[arm, "100"].mean)) for arm, labels in cells if labels == "100"]
    labels = board.plot("labels", metric="accuracy")
    (line,) = [line for line in labels.axes[0].get_lines() if line.get_label() == "majority class"]
    arm = cells["majority class", "100"], cells["majority class", "all"]
    assert list(line.get_xdata()) == [100, 800]
    assert list(line.get_ydata()) == pytest.approx([cell.mean for cell in arm])


def test_of_one_seed_and_draw_it_draws_what_is_there_and_says_so(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('labels = [100, "all"]', "labels = [100]").replace('"finetune"', '{ name = "finetune" }')
    lab = lab_of(text, seeds=[0], draws=[0], epochs_scale=0.5)
    drawn = _board(lab).plot()
    assert [name for name, _ in _points(drawn)] == [PROBE]
    assert "SCALED: epochs x 0.5, not comparable with a full run" in _above(drawn)
    assert _above(drawn)[-1] == "95 % intervals; no verdicts: the differences may be luck"

    lab = lab_of(text, seeds=[1], draws=[0])
    for trial in lab.plan.trials:
        lab.finish(trial, accuracy=0.5, auroc=0.5)  # no predictions are kept, so there is no interval
    board = Leaderboard.of(lab.suite, lab.plan, lab.store)
    drawn = board.plot()
    assert [name for name, _ in _points(drawn)] == ["majority class", "supervised", PROBE]
    assert _above(drawn)[-1] == "one value each: one seed and draw"
    for kind, why in (("differences", "it is of differences to a baseline"), ("labels", "two label budgets or more")):
        with pytest.raises(UserError, match=why):
            board.plot(kind)  # type: ignore[arg-type]


def test_what_is_not_there_is_named(lab: Lab) -> None:
    board = Leaderboard.of(lab.suite, lab.plan, lab.store)
    with pytest.raises(UserError, match="there is nothing to plot; 0 of 13 results: 13 to run"):
        board.plot()
    wrong = {"kind": "value", "comparison": "mian", "metric": "acuracy"}
    meant = {"kind": "values", "comparison": "main", "metric": "accuracy"}
    for name, value in wrong.items():
        with pytest.raises(
            UserError, match=rf"{name}: there is no '{value}' \(did you mean '{meant[name]}'\?\); known"
        ):
            board.plot(**{name: value})  # type: ignore[arg-type]


def test_a_notebook_shows_it_in_high_resolution(lab: Lab) -> None:
    png, shown = _board(lab).plot()._repr_png_()  # type: ignore[attr-defined]
    width, _ = Image.open(io.BytesIO(png)).size
    assert shown == {"width": width * 130 // 200}
    assert 800 < shown["width"] < 1000, "as wide as a cell of a notebook"


def test_names_in_any_script_are_drawn_or_told(lab_of: Callable[..., Lab]) -> None:
    board = _board(lab_of(SUITE.replace('title = "Main', 'title = "\U0001f9ff Main')))
    with pytest.warns(FontWarning, match="no font of this machine has"):
        board.plot()
