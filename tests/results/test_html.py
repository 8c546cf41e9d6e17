"""The leaderboard in a notebook: the numbers of the console, what is missing, and nothing that is read as HTML."""

from __future__ import annotations

import numpy as np
from results.conftest import PROBE, SUITE, Lab
from test_markup import Reader

from medssl_bench.results.formats.answers import answers
from medssl_bench.results.formats.console import to_text
from medssl_bench.results.formats.html import to_html
from medssl_bench.results.leaderboard import Leaderboard

TITLE = "Main <b>*table*</b> | 100 % of a_b & c"


def _filled(lab: Lab) -> Lab:
    for trial in lab.plan.trials:
        place = np.arange(400)
        share = {"majority class": 20, "supervised": 60, PROBE: 80}.get(trial.arm, 50)
        lab.predict(trial, (place * 37 + trial.seed * 3 + trial.draw * 5) % 100 < share)
    return lab


def test_it_has_the_first_table_of_the_console_and_the_others_below(lab: Lab) -> None:
    board = _filled(lab).board
    drawn = to_html(board)
    read = Reader(drawn)
    (cell,) = [c for c in board.cells() if (c.arm, c.labels, c.metric) == (PROBE, "100", "accuracy")]
    assert cell.judged.told == "better"
    assert f'<span class="good">better</span><span class="line">+{cell.difference:.3f} ± ' in drawn
    assert f"<b>{cell.mean:.3f}</b>" in drawn
    assert read.texts[1] == ("b", f"odd_&_ends: {TITLE} — epochs selected with all 1,712 validation labels")
    assert read.of("p")[0] == "13 of 13 results"
    assert read.of("caption")[:2] == [
        "bloodmnist: accuracy",
        f"{TITLE}: bloodmnist: AUROC — epochs selected with all 1,712 validation labels",
    ]
    assert read.of("summary") == ["2 more tables"]
    said = answers(board.tables[0])
    assert len(said) == 2
    assert read.of("p")[1:3] == said, "what the comparison says stands above its table"
    console = " ".join(to_text(board).split())
    for text in (*read.of("th", "td"), *read.of("p")):
        assert text in said or " ".join(text.split()) in console


def test_it_says_what_is_missing_and_scaled(lab_of: object) -> None:
    lab: Lab = lab_of(epochs_scale=0.5)  # type: ignore[operator]
    (trial, *_) = lab.trials("supervised")
    lab.fail(trial.stage)
    read = Reader(to_html(lab.board))
    assert read.of("p")[0] == "0 of 13 results: 1 failed, 12 to run (1 stage failed)"
    assert "SCALED: epochs x 0.5, not comparable with a full run" in read.of("b")[0]
    assert "failed" in read.of("span")


def test_of_many_tables_it_shows_some_and_counts_the_others(lab_of: object) -> None:
    sets = ", ".join(f'{{ name = "phantom_cells", seed = {seed} }}' for seed in range(25))
    lab: Lab = lab_of(SUITE.replace('["bloodmnist"]', f"[{sets}]"))  # type: ignore[operator]
    read = Reader(to_html(lab.board))
    assert len(read.of("caption")) == 41
    assert read.of("p")[-1] == "... and 9 tables that make_report and to_frame() have"


def test_a_board_without_tables_says_so() -> None:
    assert "no table" in to_html(Leaderboard("empty", [], []))
