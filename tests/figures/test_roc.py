"""ROC curves against scikit-learn, and against the AUROC of the store."""

from __future__ import annotations

import numpy as np
import pytest
from figures.conftest import table_of
from sklearn.metrics import roc_auc_score, roc_curve

from medssl_bench.figures.material import FigureSource
from medssl_bench.figures.roc import mean_roc, roc_figures, rocs


def _scores(classes: int = 4, images: int = 50) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, classes, images)
    scores = generator.random((images, classes)).round(1)
    scores[np.arange(images), truth] += 0.3
    return truth, scores / scores.sum(axis=1, keepdims=True)


def test_each_class_against_the_rest_is_scikit_learns() -> None:
    truth, scores = _scores()
    found = rocs(truth, scores)
    assert list(found) == [0, 1, 2, 3]
    for number, one in found.items():
        false, true, _ = roc_curve(truth == number, scores[:, number])
        assert one.false.tolist() == false.tolist()
        assert one.true.tolist() == true.tolist()
        assert one.area == pytest.approx(roc_auc_score(truth == number, scores[:, number]))


def test_the_mean_is_scikit_learns_macro_average() -> None:
    truth, scores = _scores()
    mean = mean_roc(list(rocs(truth, scores).values()))
    assert mean.area == pytest.approx(roc_auc_score(truth, scores, multi_class="ovr", average="macro"))
    assert (mean.false[0], mean.true[0], mean.false[-1], mean.true[-1]) == (0, 0, 1, 1)
    assert (np.diff(mean.true) >= 0).all()
    assert np.trapezoid(mean.true, mean.false) == pytest.approx(mean.area, abs=0.03)


def test_a_class_without_images_has_no_curve() -> None:
    truth, scores = _scores()
    assert list(rocs(np.where(truth == 2, 1, truth), scores)) == [0, 1, 3]
    assert rocs(np.zeros(50, dtype=np.int64), scores) == {}


def test_a_panel_for_every_arm_with_the_areas_below(source: FigureSource) -> None:
    small, large = roc_figures(source, *table_of(source, "main"))
    assert (small.id, large.id) == ("main-roc-bloodmnist-20", "main-roc-bloodmnist-40")
    panels = [axes for axes in large.draw().axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["supervised", "frozen", "waving, unfrozen"]
    (trial,) = [t for t in source.plan.trials if (t.table, t.arm, t.labels, t.draw) == ("main", "frozen", "40", 0)]
    record = source.results.record(trial.stage)
    arrays = source.predictions(trial.stage)
    assert record is not None
    assert arrays is not None
    labels = [text.get_text() for text in panels[1].get_legend().get_texts()]
    present = sorted(set(arrays["y_true"][:, 0].tolist()))
    assert len(labels) == len(present) + 1
    assert labels[-1] == f"mean {record.metrics['auroc']:.3f}"
    legend = panels[1].get_legend().get_window_extent()
    assert legend.y1 < panels[1].get_window_extent().y0, "it covers no data"
