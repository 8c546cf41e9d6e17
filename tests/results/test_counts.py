"""Results and stages are counted in one way, whoever says it."""

from __future__ import annotations

from results.conftest import PROBE, Lab

from medssl_bench.report.study import Study
from medssl_bench.results.counts import Counts


def test_results_that_failed_or_are_blocked_and_stages_that_failed(lab: Lab) -> None:
    """13 results: 1 of the majority class, 4 + 2 of each arm. A pretraining that fails blocks the 3 of its seed."""
    assert lab.board.counts == Counts(13, 0, 0, 0, 0)
    assert lab.board.counts.text == "0 of 13 results: 13 to run"
    first, *_ = lab.trials(PROBE)
    (embedded,) = lab.plan.stages[first.stage].parents
    (pretrained,) = lab.plan.stages[embedded].parents
    lab.fail(pretrained)
    supervised = lab.trials("supervised")
    lab.fail(supervised[0].stage)
    lab.finish(supervised[1], accuracy=0.5)
    counts = lab.board.counts
    assert (counts.done, counts.failed, counts.blocked, counts.waiting, counts.failed_stages) == (1, 1, 3, 8, 2)
    assert counts.text == "1 of 13 results: 1 failed, 3 blocked, 8 to run (2 stages failed)"
    study = Study.of(lab.suite, lab.plan, lab.store)
    assert len(study.failures) == counts.failed_stages
    cells = [cell for cell in lab.board.cells() if cell.metric == "accuracy"]
    assert sum(cell.failed for cell in cells) == counts.failed
    assert sum(cell.blocked for cell in cells) == counts.blocked
    assert sum(cell.n for cell in cells) == counts.done


def test_when_all_is_done_only_that_is_said(lab: Lab) -> None:
    lab.fill()
    assert lab.board.counts.text == "13 of 13 results"
    (analysed, *_) = lab.plan.analyses
    lab.fail(analysed.stage)
    assert lab.board.counts.text == "13 of 13 results (1 stage failed)", "an analysis is no result, and is told"
