"""Reliability diagrams, and the table of each class, against the predictions of the store."""

from __future__ import annotations

import numpy as np
import pytest
from figures.conftest import Ran, table_of
from sklearn.metrics import recall_score, roc_auc_score

from medssl_bench.datasets import Task
from medssl_bench.figures.material import FigureSource
from medssl_bench.figures.reliability import draw_reliability, reliability_figures, reliability_of
from medssl_bench.metrics import Predictions
from medssl_bench.metrics.calibration import reliability
from medssl_bench.results.by_class import class_tables
from medssl_bench.results.formats.grids import class_grid


def _predictions(power: float, images: int = 400) -> Predictions:
    """Return labels drawn from probabilities, which are then made too sharp by a power."""
    random = np.random.default_rng(0)
    made: list[np.ndarray] = []
    for _ in range(2):
        shares = random.dirichlet(np.ones(3), images)
        labels = (random.random((images, 1)) > shares.cumsum(1)[:, :-1]).sum(1)[:, None]
        told = shares**power
        made += [labels, (told / told.sum(1, keepdims=True)).astype(np.float32)]
    return Predictions(Task.MULTI_CLASS, *made)


def test_what_is_calibrated_is_told_so_and_what_is_not_is_mended_by_a_temperature() -> None:
    right, sharp = reliability_of(_predictions(1.0)), reliability_of(_predictions(3.0))
    assert right.told[0].endswith(": no miscalibration seen")
    assert right.temperature == pytest.approx(1.0, abs=0.15)
    assert sharp.bins.error > 2 * sharp.calibrated[1]
    assert sharp.told[0] == f"ECE {sharp.bins.error:.3f}"
    assert sharp.temperature == pytest.approx(3.0, abs=0.5)
    assert sharp.after is not None
    assert sharp.after < sharp.bins.error / 2


def test_without_validation_images_there_is_no_temperature() -> None:
    given = _predictions(1.0)
    found = reliability_of(Predictions(given.task, given.labels, given.scores))
    assert len(found.told) == 2
    assert len(draw_reliability({"a": found, "b": found}).axes) == 2


def test_a_panel_for_every_arm_with_its_error_below(source: FigureSource) -> None:
    small, large = reliability_figures(source, *table_of(source, "main"))
    assert (small.id, large.id) == ("main-reliability-bloodmnist-20", "main-reliability-bloodmnist-40")
    panels = [axes for axes in large.draw().axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["supervised", "frozen", "waving, unfrozen"]
    (trial,) = [t for t in source.plan.trials if (t.table, t.arm, t.labels, t.draw) == ("main", "frozen", "40", 0)]
    arrays = source.predictions(trial.stage)
    assert arrays is not None
    error = reliability(arrays["y_true"], arrays["y_score"]).error
    assert panels[1].get_xlabel().splitlines()[1].startswith(f"ECE {error:.3f}")
    assert "which have also chosen the epoch" in large.caption


def test_each_class_is_measured_as_scikit_learn_does(ran: Ran, source: FigureSource) -> None:
    (table,) = [table for table in ran.suite.tables if table.id == "main"]
    found = class_tables(table, ran.plan, source.results)
    assert {(each.labels, each.metric) for each in found} == {
        (labels, metric) for labels in ("20", "all") for metric in ("recall", "AUROC")
    }
    by_metric = {each.metric: each for each in found if each.labels == "20"}
    stages = [t.stage for t in ran.plan.trials if (t.table, t.arm, t.labels) == ("main", "frozen", "20")]
    kept = [source.predictions(stage) for stage in stages]
    truth = kept[0]["y_true"][:, 0]
    assert by_metric["recall"].images == tuple(np.bincount(truth, minlength=8))
    place = int(np.bincount(truth).argmax())
    recalls = [recall_score(truth == place, each["y_score"].argmax(1) == place) for each in kept]
    areas = [roc_auc_score(truth == place, each["y_score"][:, place]) for each in kept]
    for metric, values in (("recall", recalls), ("AUROC", areas)):
        mean, spread, number = by_metric[metric].arms["frozen"][place]
        assert (mean, number) == (pytest.approx(np.mean(values)), 2)
        assert spread == pytest.approx(np.std(values, ddof=1))
    grid = class_grid(by_metric["AUROC"])
    assert grid.title == "bloodmnist, 20 labels: AUROC of each class"
    assert grid.rows[0].heads == ("test images",)
    assert len(grid.columns) == 8
