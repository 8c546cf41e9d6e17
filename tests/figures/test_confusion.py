"""Confusion matrices against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from figures.conftest import table_of
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix as scikit_learns

from medssl_bench.figures.confusion import confusion_figures, confusion_matrix, draw_confusion
from medssl_bench.figures.material import FigureSource


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=40))
def test_it_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    found = confusion_matrix(truth, predicted, 5)
    expected = scikit_learns(truth, predicted, labels=range(5)) if pairs else np.zeros((5, 5))
    assert found.tolist() == expected.tolist()


def test_a_panel_for_every_arm_at_the_smallest_and_largest_drawn_budget(source: FigureSource) -> None:
    small, large = confusion_figures(source, *table_of(source, "main"))
    assert [small.id, large.id] == ["main-confusion-bloodmnist-20", "main-confusion-bloodmnist-40"]
    assert "60 test images of bloodmnist; 20 labels; seed 0, draw 0" in small.caption
    panels = [axes for axes in small.draw().axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["supervised", "frozen", "waving, unfrozen"]
    (trial,) = [t for t in source.plan.trials if (t.table, t.arm, t.labels, t.draw) == ("main", "frozen", "20", 0)]
    arrays = source.predictions(trial.stage)
    assert arrays is not None
    expected = scikit_learns(arrays["y_true"][:, 0], arrays["y_score"].argmax(axis=1), labels=range(8))
    assert [int(text.get_text()) for text in panels[1].texts] == expected.ravel().tolist()
    shares = panels[1].images[0].get_array()
    totals = np.maximum(expected.sum(axis=1, keepdims=True), 1)
    assert np.asarray(shares) == pytest.approx(expected / totals)
    record = source.results.record(trial.stage)
    assert record is not None
    assert np.trace(expected) / 60 == pytest.approx(record.metrics["accuracy"])


def test_a_comparison_without_drawn_budgets_is_shown_at_what_it_has(source: FigureSource) -> None:
    ids = [figure.id for figure in confusion_figures(source, *table_of(source, "depth"))]
    assert ids == ["depth-confusion-bloodmnist-all", "depth-confusion-second-all"]


def test_class_names_stand_at_the_edge_and_many_classes_have_no_counts() -> None:
    matrix = np.eye(3, dtype=np.int64)
    figure = draw_confusion({"a": matrix, "b": matrix, "c": matrix}, ["one", "two", "three" * 9])
    left, middle = figure.axes[:2]
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["one", "two", "threethreethreethreet…"]
    assert [tick.get_text() for tick in middle.get_yticklabels() if tick.get_text()] == []
    assert [tick.get_text() for tick in middle.get_xticklabels()][:2] == ["one", "two"]
    many = draw_confusion({"a": np.eye(20, dtype=np.int64)}, [str(number) for number in range(20)])
    assert not many.axes[0].texts
