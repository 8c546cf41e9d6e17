"""Columns that need scores of validation images, that have parameters, or whose intervals are made by resampling."""

from __future__ import annotations

import numpy as np
import pytest
from leased import leased

from medssl_bench.datasets import Task
from medssl_bench.errors import SuiteError
from medssl_bench.metrics import Predictions
from medssl_bench.metrics.calibration import ece
from medssl_bench.metrics.operating_point import sensitivity
from medssl_bench.results.formats.text import notes
from medssl_bench.store.record import Record

TEXT = """\
schema = 1
name = "columns"
seeds = [0, 1]
floors = []

[[comparison]]
id = "main"
datasets = ["bloodmnist"]
labels = [100]
metrics = {metrics}
baseline = "probe"

  [[comparison.arm]]
  name = "probe"
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "neighbours"
  evaluator = "knn"
"""


def _arrays(number: int, skill: float, *, images: int = 60, val: int = 80) -> dict[str, np.ndarray]:
    found = {}
    for split, count in {"y": images, "val": val}.items():
        truth = np.arange(count) % 8
        random = np.random.default_rng([number, count])
        made = np.exp(skill * np.eye(8)[truth] + random.normal(size=(count, 8)))
        found |= {f"{split}_true": truth[:, None], f"{split}_score": (made / made.sum(1, keepdims=True)).astype("f4")}
    return found


def _fill(lab, *, without: bool = False, groups: bool = False, **sizes: int) -> None:
    stages = {trial.stage: trial for trial in lab.plan.trials}
    for key, trial in stages.items():
        arrays = _arrays(trial.seed, 2.0 if trial.arm == "probe" else 1.0, **sizes)
        if without:
            del arrays["val_true"], arrays["val_score"]
        if groups:
            arrays["group"] = np.arange(len(arrays["y_true"])) // 3
        stage = lab.plan.stages[key]
        with leased(lab.store, key) as lease:
            np.savez(lease.files / "predictions.npz", **arrays)
            record = Record(key, stage.kind, stage.title, "done", stage.identity, {"accuracy": 0.5})
            lab.store.finish(record, lease)


def test_a_column_with_parameters_is_what_its_function_says(lab_of) -> None:
    lab = lab_of(
        TEXT.format(metrics='["accuracy", { name = "sensitivity", specificity = 0.8 }, { name = "ece", bins = 5 }]')
    )
    _fill(lab)
    (table,) = lab.board.tables
    cell = table.panel("bloodmnist", "sensitivity specificity=0.8").cells["probe", "100"]
    arrays = _arrays(0, 2.0)
    given = Predictions(Task.MULTI_CLASS, *(arrays[n] for n in ("y_true", "y_score", "val_true", "val_score")))
    assert list(cell.values[0].classes.values()) == pytest.approx(sensitivity(given, 0.8))
    assert cell.judged.own is not None
    assert cell.judged.own.mean == pytest.approx(cell.mean)
    cell = table.panel("bloodmnist", "ece bins=5").cells["probe", "100"]
    assert cell.values[0].value == pytest.approx(ece(given, 5))
    line = "Decided by the labelled validation images: sensitivity (specificity=0.8)"
    assert f"{line}; the same images have selected the epochs." in notes(table)


def test_the_default_settings_and_others_stand_side_by_side(lab_of) -> None:
    lab = lab_of(TEXT.format(metrics='["ece", { name = "ece", bins = 5 }]'))
    assert list(lab.suite.tables[0].metrics) == ["ece", "ece bins=5"]
    assert lab.suite.tables[0].model.metrics == ["ece", "ece bins=5"]


def test_a_resampled_metric_has_an_interval_and_a_word(lab_of) -> None:
    lab = lab_of(TEXT.format(metrics='["ece"]'))
    _fill(lab)
    (table,) = lab.board.tables
    cells = table.panel("bloodmnist", "ece").cells
    cell = cells["neighbours", "100"]
    low, high = cell.judged.own.interval()
    assert low < cell.mean < high
    assert cell.judged.own.shape[2] == 60, "test images, not resamples"
    assert cell.judged.difference.mean == pytest.approx(cell.difference)
    data = cell.to_data()
    assert data["difference_low"] < data["difference_high"]
    assert 0 < data["p"] <= data["p_holm"] <= 1
    assert cell.judged.told in {"better", "worse", "cannot tell"}
    assert cells["probe", "100"].judged.own.interval() != (low, high)


def test_groups_are_resampled_together(lab_of) -> None:
    lab = lab_of(TEXT.format(metrics='["ece"]'))
    _fill(lab, groups=True)
    own = lab.board.tables[0].panel("bloodmnist", "ece").cells["probe", "100"].judged.own
    assert own.groups
    assert own.shape[2] == 20


def test_a_store_of_an_older_release_says_what_it_lacks_in_one_line(lab_of) -> None:
    lab = lab_of(TEXT.format(metrics='["accuracy", "loss", "loss_after_temperature", "sensitivity"]'))
    _fill(lab, without=True)
    (table,) = lab.board.tables
    assert all(cell.n for cell in table.cells() if cell.metric in {"accuracy", "loss"})
    (lacking,) = [line for line in notes(table) if "missing" in line]
    assert lacking.startswith(
        "loss after temperature, sensitivity (specificity=0.9) are missing for 4 finished results: no scores of "
    )


def test_too_few_validation_images_are_told_below_the_table(lab_of) -> None:
    lab = lab_of(TEXT.format(metrics='["accuracy", "loss_after_temperature", "sensitivity"]'))
    _fill(lab, val=16)
    found = notes(lab.board.tables[0])
    assert any("a temperature needs 50 labelled validation images or more, there are 16." in line for line in found)
    assert any(
        "a threshold needs 20 validation images without the class or more, there are 14." in line for line in found
    )


@pytest.mark.parametrize(
    ("metrics", "complaint"),
    [
        ('[{ name = "sensitivity", specificity = 1.5 }]', "comparison[0].metrics[0].specificity: "),
        ('[{ name = "sensitivity", at = 0.5 }]', "comparison[0].metrics[0].at: "),
        ('[{ bins = 5 }]', "comparison[0].metrics[0]: "),
        ('["ece", { name = "ece" }]', "comparison[0].metrics[1]: 'ece' is there already"),
        ('[{ name = "loss_gap" }]', "comparison[0].metrics[0].name: there is no metric "),
        ('["qwk"]', "comparison[0].metrics[0]: metric 'qwk' is not defined for "),
    ],
)  # fmt: skip
def test_what_is_no_column_is_refused_in_one_line(lab_of, metrics: str, complaint: str) -> None:
    with pytest.raises(SuiteError) as caught:
        lab_of(TEXT.format(metrics=metrics))
    (line,) = str(caught.value).splitlines()
    assert complaint in line


def test_an_epoch_is_not_chosen_by_what_needs_other_validation_images(lab_of) -> None:
    text = TEXT.format(metrics='["accuracy"]').replace("baseline =", 'select_by = "sensitivity"\nbaseline =')
    with pytest.raises(SuiteError, match="needs validation images beside those that it measures"):
        lab_of(text)
