"""What a comparison says in sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from results.conftest import PROBE, SUITE, Lab
from results.test_best import OTHER, THREE
from results.test_judging import cells_of, filled

from medssl_bench.results.formats.answer_json import answer_to_json
from medssl_bench.results.formats.answers import answers


def _said(lab: Lab) -> list[str]:
    board = lab.board
    (only,) = json.loads(answer_to_json(board))["answers"]
    assert only == {"comparison": "main", "sentences": answers(board.tables[0])}
    return answers(board.tables[0])


def test_each_arm_stands_with_its_word_difference_and_interval(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(text=THREE), {OTHER: 0.51})
    few, many = _said(lab)
    assert few.startswith("With 100 labels, compared with “supervised” (accuracy): better: “probe")
    assert many.startswith("With all labels, compared with ")
    cell = cells_of(lab.board)[PROBE, "100"]
    assert cell.judged.difference is not None
    low, high = cell.judged.difference.interval()
    assert f"“{PROBE}” +{cell.difference:.3f} [+{low:.3f}, +{high:.3f}]" in few
    assert re.search(f"; cannot tell: “{OTHER}” [+−]0", few)
    assert "majority class" not in few + many, "floors have no verdicts"


def test_several_data_sets_are_counted(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('["bloodmnist"]', '["bloodmnist", "dermamnist"]').replace(
        'labels = [100, "all"]', "labels = [100]"
    )
    (said,) = _said(filled(lab_of(text=text.replace('reference = "printed:main"\n', ""))))
    assert said == f"With 100 labels, compared with “supervised” (accuracy, 2 data sets): better: “{PROBE}” on 2."


def test_a_data_set_that_is_too_small_for_a_label_budget_does_not_count_there(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('["bloodmnist"]', '["retinamnist", "bloodmnist"]').replace('reference = "printed:main"\n', "")
    text = text.replace('labels = [100, "all"]', 'labels = [100, { count = 2000, short = "skip" }]')
    for order in ('["retinamnist", "bloodmnist"]', '["bloodmnist", "retinamnist"]'):
        few, many = _said(filled(lab_of(text=text.replace('["retinamnist", "bloodmnist"]', order))))
        assert few.startswith("With 100 labels, compared with “supervised” (accuracy, 2 data sets): ")
        assert many.startswith("With 2000 labels, compared with “supervised” (accuracy, bloodmnist): ")
        assert f"“{PROBE}” +" in many


def test_why_there_is_no_answer(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of()
    assert _said(lab) == ["There is no answer yet: 0 of 14 results are there."]
    assert _said(filled(lab_of(seeds=(0,)))) == [
        "One training seed cannot tell a difference from luck, so nothing is said of the arms."
    ]
    alone = filled(lab_of(text=SUITE.replace('baseline = "supervised"\n', "")))
    assert "No arm is the baseline of the others" in _said(alone)[0]
