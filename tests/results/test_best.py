"""Which arms are in bold, and every two arms against each other."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from results.conftest import PROBE, SUITE, Lab
from results.test_judging import cells_of, filled, text_of

from medssl_bench.report.page.build import page
from medssl_bench.report.study import Study
from medssl_bench.results import records
from medssl_bench.results.any_two import any_two
from medssl_bench.results.formats.any_two import any_two_grids
from medssl_bench.results.tables import Panel
from medssl_bench.statistics.verdict import holm

OTHER = "nearest"
THREE = SUITE + f'\n  [[comparison.arm]]\n  name = "{OTHER}"\n  pretraining = ["nat"]\n  evaluator = "knn"\n'


def _panel(lab: Lab, metric: str = "accuracy") -> Panel:
    panel = lab.board.tables[0].panel("bloodmnist", metric)
    assert panel is not None
    return panel


def test_bold_is_every_arm_that_is_not_told_apart_from_the_best(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(text=THREE), {OTHER: 0.69})
    panel = _panel(lab)
    assert panel.best("100") == {PROBE, OTHER}
    told = {
        (row["arm"], row["labels"], row["metric"]): row["among_best"] for row in json.loads(records.to_json(lab.board))
    }
    assert [told[arm, "100", "accuracy"] for arm in (PROBE, OTHER, "supervised", "majority class")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert told[PROBE, "100", "auroc"] is None, "verdicts are for the first metric"
    text = text_of(lab)
    assert "Bold of accuracy: the highest mean of a data set and label budget, and every one that is not told" in text
    assert "Bold of AUROC: the highest mean of a column, of two values or more" in text


def test_its_p_values_are_those_of_the_contrasts_with_the_best(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(text=THREE), {OTHER: 0.65, PROBE: 0.67})
    board = lab.board
    assert board.intervals is not None
    cells = {arm: cell for (arm, labels), cell in cells_of(board).items() if labels == "100"}
    best = max(cells.values(), key=lambda cell: cell.mean or 0)
    found = [board.intervals.of([(1, cell), (-1, best)]) for cell in cells.values() if cell is not best]
    adjusted = holm([each.p for each in found if not isinstance(each, str)])
    others = [cell.judged.among_best for cell in cells.values() if cell is not best]
    assert others == [p >= 0.05 for p in adjusted]
    assert len(others) == 3, "the floor is one of them"


def test_an_arm_that_has_failed_is_not_bold_and_counts(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(text=THREE)
    filled(lab, {OTHER: 0.69}, without=OTHER)
    for trial in [*lab.trials(OTHER), *lab.trials(OTHER, "all")]:
        lab.fail(trial.stage)
    assert _panel(lab).best("100") == {PROBE}


@pytest.mark.parametrize("what", ["one seed", "no predictions"])
def test_without_verdicts_bold_is_as_ever(lab_of: Callable[..., Lab], what: str) -> None:
    lab = lab_of(seeds=(0,)) if what == "one seed" else lab_of()
    if what == "one seed":
        filled(lab)
    else:
        lab.fill()
    assert _panel(lab).best("100") == {PROBE}
    assert {cell.judged.among_best for cell in lab.board.cells()} == {None}
    assert "Bold: the highest mean of a column, of two values or more, where the arm is ahead" in text_of(lab)


def test_any_two_arms_are_a_family(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(text=THREE), {OTHER: 0.69})
    board = lab.board
    assert board.intervals is not None
    pairs = any_two(_panel(lab), "100", board.intervals)
    assert list(pairs) == [(PROBE, "supervised"), (OTHER, "supervised"), (OTHER, PROBE)]
    assert [pair.verdict.p for pair in pairs.values()] == holm([pair.difference.p for pair in pairs.values()])
    assert [pair.verdict.word for pair in pairs.values()] == ["better", "better", "cannot tell"]
    of_table = cells_of(board)[PROBE, "100"].judged
    assert pairs[PROBE, "supervised"].difference == of_table.difference
    with_margin = any_two(_panel(lab), "100", board.intervals, margin=0.2)
    assert with_margin[OTHER, PROBE].verdict.word == "no difference that matters"


def test_the_page_has_a_grid_for_each_column(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(text=THREE), {OTHER: 0.69})
    board = lab.board
    first, second = any_two_grids(board.tables[0], board.intervals)
    assert first.title == "bloodmnist: accuracy of any two arms, 100 labels"
    assert second.title.endswith("all labels")
    assert [row.heads[0] for row in first.rows] == [PROBE, OTHER]
    assert [[cell.verdict for cell in row.cells] for row in first.rows] == [["better", ""], ["better", "cannot tell"]]
    assert any_two_grids(board.tables[0], None) == []
    assert "Any two arms" in page(Study.of(lab.suite, lab.plan, lab.store))


def test_two_arms_or_an_unfinished_column_have_none(lab: Lab) -> None:
    filled(lab)
    board = lab.board
    assert any_two_grids(board.tables[0], board.intervals) == []
    assert "Any two arms" not in page(Study.of(lab.suite, lab.plan, lab.store))
