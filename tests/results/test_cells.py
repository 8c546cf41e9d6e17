"""What a cell counts: every result once, paired with the baseline's, and what is missing or has failed."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean, stdev

import pytest
from results.conftest import PROBE, SUITE, Lab

from medssl_bench.results.cells import Cell, Results


def _cell(lab: Lab, arm: str, labels: str = "100", metric: str = "accuracy") -> Cell:
    (found,) = [c for c in lab.board.cells() if (c.arm, c.labels, c.metric) == (arm, labels, metric)]
    return found


def test_mean_and_deviation_over_seeds_and_draws(lab: Lab) -> None:
    values = [0.5, 0.6, 0.7, 0.9]
    for trial, value in zip(lab.trials("supervised"), values, strict=True):
        lab.finish(trial, accuracy=value, auroc=value)
    cell = _cell(lab, "supervised")
    assert (cell.n, cell.expected, cell.failed) == (4, 4, 0)
    assert cell.mean == pytest.approx(mean(values))
    assert cell.std == pytest.approx(stdev(values))
    assert [(value.seed, value.draw, value.value) for value in cell.values] == [
        (0, 0, 0.5), (0, 1, 0.6), (1, 0, 0.7), (1, 1, 0.9),
    ]  # fmt: skip
    assert (cell.scaled, cell.difference) == (None, None), "the baseline differs from nothing"


def test_one_value_has_no_deviation_and_none_has_no_mean(lab: Lab) -> None:
    lab.finish(lab.trials("supervised")[0], accuracy=0.5)
    cell = _cell(lab, "supervised")
    assert (cell.n, cell.expected, cell.mean, cell.std) == (1, 4, 0.5, None)
    empty = _cell(lab, PROBE)
    assert (empty.n, empty.expected, empty.mean, empty.std) == (0, 4, None, None)


def test_what_chance_does_not_tell_apart_counts_once(lab: Lab) -> None:
    lab.fill()
    assert (_cell(lab, "supervised", "all").n, _cell(lab, "supervised", "all").expected) == (2, 2), (
        "two seeds, one draw"
    )
    majority = _cell(lab, "majority class", "all")
    assert (majority.n, majority.expected, majority.std) == (1, 1, None)


def test_the_difference_is_of_pairs(lab: Lab) -> None:
    """Each value minus the baseline's of the same seed and draw; what has no partner does not count."""
    baseline, probe = lab.trials("supervised"), lab.trials(PROBE)
    for trial, value in zip(baseline, [0.1, 0.2, 0.3, 0.4], strict=True):
        lab.finish(trial, accuracy=value)
    for trial, value in zip(probe[:2], [0.15, 0.35], strict=True):
        lab.finish(trial, accuracy=value)
    cell = _cell(lab, PROBE)
    assert cell.difference == pytest.approx((0.05 + 0.15) / 2)
    assert cell.mean is not None
    assert cell.difference != pytest.approx(cell.mean - 0.25), "not the difference of the means"


def test_no_pair_no_difference(lab: Lab) -> None:
    lab.finish(lab.trials("supervised")[0], accuracy=0.5)
    lab.finish(lab.trials(PROBE)[3], accuracy=0.5)
    assert _cell(lab, PROBE).difference is None


def test_a_floor_without_seeds_is_paired_with_every_seed(lab: Lab) -> None:
    lab.fill()
    cell = _cell(lab, "majority class")
    assert cell.n == 1
    values = [value.value for value in _cell(lab, "supervised").values]
    (floor,) = [value.value for value in cell.values]
    assert cell.difference == pytest.approx(floor - mean(values))
    assert cell.pairs == 4


def test_failed_and_blocked_cells(lab: Lab) -> None:
    first, second, *_ = lab.trials(PROBE)
    (embedded,) = lab.plan.stages[first.stage].parents
    (pretrained,) = lab.plan.stages[embedded].parents
    lab.fail(pretrained)
    blocked = _cell(lab, PROBE)
    assert (blocked.n, blocked.failed, blocked.blocked, blocked.expected) == (0, 0, 2, 4), (
        "the two draws of the seed whose pretraining failed"
    )
    assert [trial.seed for trial in (first, second)] == [0, 0]
    lab.finish(first, accuracy=0.5)
    assert (_cell(lab, PROBE).n, _cell(lab, PROBE).blocked, _cell(lab, PROBE).is_waiting) == (1, 1, True)
    lab.fail(lab.trials("supervised")[2].stage)
    assert _cell(lab, "supervised").failed == 1


def test_a_failure_that_was_made_good_is_none(lab: Lab) -> None:
    trial = lab.trials("supervised")[0]
    lab.fail(trial.stage)
    assert _cell(lab, "supervised").failed == 1
    lab.finish(trial, accuracy=0.5)
    assert (_cell(lab, "supervised").failed, _cell(lab, "supervised").n) == (0, 1)


def test_a_metric_that_could_not_be_measured(lab: Lab) -> None:
    lab.finish(lab.trials("supervised")[0], accuracy=0.5, auroc=None)
    cell = _cell(lab, "supervised", metric="auroc")
    assert (cell.n, cell.failed, cell.mean) == (0, 0, None)


def test_results_that_come_later_are_seen(lab: Lab) -> None:
    results = Results(lab.plan, lab.store)
    trials = lab.trials("supervised")
    assert results.cell(trials, "accuracy").n == 0
    lab.finish(trials[0], accuracy=0.5)
    assert results.cell(trials, "accuracy").n == 1


def test_scaled_results_enter_no_full_table_and_full_ones_no_scaled_table(lab_of: Callable[..., Lab]) -> None:
    full, half, quarter = lab_of(), lab_of(epochs_scale=0.5), lab_of(epochs_scale=0.25)
    half.fill(lambda _: 0.4)
    assert full.board.is_empty
    assert quarter.board.is_empty
    cells = half.board.cells()
    assert {cell.scaled for cell in cells} == {0.5}
    assert all(cell.n == cell.expected for cell in cells)
    full.fill(lambda _: 0.8)
    for lab, value in ((full, 0.8), (half, 0.4)):
        assert all(cell.mean == pytest.approx(value) for cell in lab.board.cells() if cell.metric == "accuracy")
    assert {cell.scaled for cell in full.board.cells()} == {None}
    assert (full.board.scaled, half.board.scaled) == (None, 0.5)


def test_a_cell_as_data(lab: Lab) -> None:
    lab.fill()
    data = _cell(lab, PROBE).to_data()
    assert list(data) == [
        "comparison", "dataset", "labels", "labelled", "arm", "metric", "higher_is_better", "n", "mean", "std",
        "values", "expected", "failed", "blocked", "reference", "difference", "pairs", "low", "high", "difference_low",
        "difference_high", "df", "p", "p_holm", "verdict", "among_best", "needed_seeds", "needed_draws", "reruns_won",
        "sd_seed", "sd_draw", "sd_cell", "sd_image", "left_out", "no_interval", "selection", "select_by",
        "validation_labels", "scaled", "generated", "leaks",
    ]  # fmt: skip
    assert data["values"][1] == {
        "seed": 0,
        "draw": 1,
        "fold": None,
        "value": pytest.approx(0.74),
        "flags": {},
        "tuned": {},
    }
    assert (data["n"], len(data["values"])) == (4, 4)


def test_published_numbers_stand_at_their_cells(lab: Lab) -> None:
    found = {(c.arm, c.labels, c.metric): c.reference for c in lab.board.cells() if c.reference is not None}
    assert found == {("supervised", "100", "accuracy"): 0.75, ("supervised", "all", "auroc"): 0.95}


def test_only_part_of_a_suite(lab_of: Callable[..., Lab]) -> None:
    lab_of().fill()
    part = lab_of(only=(PROBE,), seeds=(1,))
    cells = part.board.cells()
    assert {cell.arm for cell in cells} == {PROBE}
    assert {value.seed for cell in cells for value in cell.values} == {1}
    assert {cell.difference for cell in cells} == {None}, "the baseline is not among what is shown"


def test_a_table_without_a_baseline(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE.replace('baseline = "supervised"\n', ""))
    lab.fill()
    assert {cell.difference for cell in lab.board.cells()} == {None}
