"""Arms in the place of several variants: validation images choose, test images do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from leased import leased

from medssl_bench.plan.stage import Trial
from medssl_bench.report.study import Study
from medssl_bench.results.chosen import with_chosen
from medssl_bench.results.formats.text import notes
from medssl_bench.store.record import Record

TEXT = """\
schema = 1
name = "rates"
seeds = [0]
draws = [0, 1]
floors = []

[pretraining.simclr]
augmentation = "simclr"
epochs = 2
sweep = { "optimizer.lr" = [0.001, 0.01] }
choose = "validation"

[[comparison]]
id = "main"
datasets = ["bloodmnist"]
labels = [100]
metrics = ["accuracy"]
baseline = "supervised"

  [[comparison.arm]]
  name = "SimCLR"
  pretraining = ["simclr"]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "supervised"
  evaluator = "finetune"
"""

LOW, HIGH = "SimCLR lr=0.001", "SimCLR lr=0.01"


def _put(lab, trial: Trial, *, test: float, val: float | None) -> None:
    """Put a result into the store that is right for a share of its test images and of its validation images."""
    arrays = {}
    for split, share in {"y": test, "val": val}.items():
        if share is not None:
            truth = np.arange(80)[:, None] % 8
            scores = np.full((80, 8), 0.1, np.float32)
            scores[np.arange(80), (truth[:, 0] + (np.arange(80) >= 80 * share)) % 8] = 0.3
            arrays |= {f"{split}_true": truth, f"{split}_score": scores}
    stage = lab.plan.stages[trial.stage]
    with leased(lab.store, stage.key) as lease:
        np.savez(lease.files / "predictions.npz", **arrays)
        record = Record(stage.key, stage.kind, stage.title, "done", stage.identity, {"accuracy": test})
        lab.store.finish(record, lease)


def _fill(lab, *, without: str = "") -> None:
    """The low rate is better on test images, and the high one on the validation images of the second draw."""
    shares = {LOW: (0.9, (0.6, 0.6)), HIGH: (0.5, (0.4, 0.8)), "supervised": (0.7, (0.5, 0.5))}
    for trial in lab.plan.trials:
        test, val = shares[trial.arm]
        if trial.arm != without:
            _put(lab, trial, test=test, val=val[trial.draw])


def test_validation_images_choose_for_each_result(lab_of: Callable) -> None:
    lab = lab_of(TEXT)
    _fill(lab)
    (table,) = lab.board.tables
    panel = table.panel("bloodmnist", "accuracy")
    assert panel.arms == ["SimCLR", "supervised"], "its variants are no rows of their own"
    cell = panel.cells["SimCLR", "100"]
    assert [value.value for value in cell.values] == [0.9, 0.5], "that of the second draw is worse on test images"
    assert [value.tuned for value in cell.values] == [{"variant": "lr=0.001"}, {"variant": "lr=0.01"}]
    assert cell.difference == pytest.approx(0.0)
    assert cell.judged.difference is not None, "it is paired and judged as any arm"
    chosen = "variant = lr=0.001 (1 of 2), or variant = lr=0.01 (1 of 2)"
    assert f"Chosen for 'SimCLR' by validation labels: at 100 labels {chosen}." in notes(table)


def test_a_result_is_missing_while_a_variant_is(lab_of: Callable) -> None:
    lab = lab_of(TEXT)
    _fill(lab, without=HIGH)
    cell = lab.board.tables[0].panel("bloodmnist", "accuracy").cells["SimCLR", "100"]
    assert (cell.n, cell.expected) == (0, 2)
    assert lab.board.counts.expected == 6
    for trial in lab.trials(HIGH):
        lab.fail(trial.stage)
    cell = lab.board.tables[0].panel("bloodmnist", "accuracy").cells["SimCLR", "100"]
    assert cell.failed == 2, "no other variant takes the place of one that failed"


def test_variants_stand_alone_where_only_some_are_planned(lab_of: Callable) -> None:
    lab = lab_of(TEXT, only=(LOW, "supervised"))
    assert {trial.arm for trial in lab.plan.trials} == {LOW, "supervised"}
    _fill(lab)
    assert lab.board.tables[0].panel("bloodmnist", "accuracy").arms == [LOW, "supervised"]
    assert {trial.arm for trial in lab_of(TEXT, only=("SimCLR",)).plan.trials} == {LOW, HIGH}


def test_a_result_without_scores_of_validation_images_is_told(lab_of: Callable) -> None:
    lab = lab_of(TEXT)
    _fill(lab, without=HIGH)
    for trial in lab.trials(HIGH):
        _put(lab, trial, test=0.5, val=None)
    (table,) = lab.board.tables
    assert table.panel("bloodmnist", "accuracy").arms == ["supervised"]
    assert f"SimCLR: nothing could be chosen: {HIGH}: it keeps no scores of validation images" in table.marks


def test_other_images_are_predicted_by_the_chosen_variant_of_each_draw(lab_of: Callable) -> None:
    """With all labels the draws share their stages, and each still has its own place in the table."""
    text = TEXT.replace(
        "labels = [100]", 'labels = [100, "all"]\ncorrupted = { ops = ["gaussian_noise"], severities = [3] }'
    )
    lab = lab_of(text)
    for trial in {trial.stage: trial for trial in lab.plan.trials}.values():
        _put(lab, trial, test=0.5, val=0.8 if trial.arm == HIGH else 0.6)
    suite, plan = with_chosen(lab.suite, lab.plan, lab.store)
    ours = [found.trial for found in plan.retests if found.trial.arm == "SimCLR"]
    assert {(trial.labels, trial.draw) for trial in ours} == {("100", 0), ("100", 1), ("all", 0), ("all", 1)}
    stages = {found.trial.stage: found.stage for found in lab.plan.retests if found.trial.arm == HIGH}
    assert {found.stage for found in plan.retests if found.trial.arm == "SimCLR"} == set(stages.values())
    assert with_chosen(suite, plan, lab.store) == (suite, plan), "nothing is chosen twice"


def test_a_report_counts_the_results_of_all_variants(lab_of: Callable) -> None:
    lab = lab_of(TEXT)
    _fill(lab)
    assert Study.of(lab.suite, lab.plan, lab.store).board.counts == lab.board.counts
