"""Validation accuracy by epoch: whose curves stand where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from figures.conftest import table_of

from medssl_bench.figures.downstream import compared_encoders, downstream_figures
from medssl_bench.figures.material import FigureSource


def test_a_panel_for_each_budget_and_a_line_for_each_arm(source: FigureSource) -> None:
    (figure,) = downstream_figures(source, *table_of(source, "main"))
    assert (figure.id, figure.comparison) == ("main-downstream-bloodmnist", "main")
    assert "seed 0, draw 0" in figure.caption
    assert "Generated data." in figure.caption
    drawn = figure.draw()
    assert [axes.get_title() for axes in drawn.axes] == ["20 labels", "40 labels", "all labels"]
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["supervised", "frozen", "waving, unfrozen"]
    (trial,) = [t for t in source.plan.trials if (t.table, t.arm, t.labels, t.draw) == ("main", "frozen", "40", 0)]
    history = source.history(trial.stage)
    raw, smooth = drawn.axes[1].lines[2:4]
    assert smooth.get_label() == "frozen"
    assert raw.get_xdata() == pytest.approx(range(1, 13))
    assert raw.get_ydata() == pytest.approx([row["val_accuracy"] for row in history])
    assert drawn.axes[0].get_ylabel() == "validation accuracy"
    assert len({axes.get_ylim() for axes in drawn.axes}) == 1


def test_arms_that_differ_in_encoder_alone_stand_in_one_figure_over_data_sets(source: FigureSource) -> None:
    table, result = table_of(source, "depth")
    assert compared_encoders(table) == ["small", "other"]
    (figure,) = downstream_figures(source, table, result)
    assert figure.id == "depth-encoders-all"
    drawn = figure.draw()
    assert [axes.get_title() for axes in drawn.axes] == ["bloodmnist", "second"]
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["small", "other"]
    for axes, dataset in zip(drawn.axes, ("bloodmnist", "second"), strict=True):
        trial = next(t for t in source.plan.trials if (t.table, t.arm, t.dataset) == ("depth", "other", dataset))
        accuracies = [row["val_accuracy"] for row in source.history(trial.stage)]
        assert axes.lines[2].get_ydata() == pytest.approx(accuracies)


def test_arms_of_one_encoder_are_no_comparison_of_encoders(source: FigureSource) -> None:
    assert compared_encoders(table_of(source, "main")[0]) == []


def test_what_has_no_epochs_is_left_out_with_a_reason(source: FigureSource) -> None:
    reasons: list[str] = []
    source.left_out = reasons.append
    assert list(downstream_figures(source, *table_of(source, "chain"))) == []
    assert reasons == ["chain: downstream training on second: no history of two epochs or more"]


def test_an_accuracy_that_was_selected_on_test_is_called_so(source: FigureSource) -> None:
    table, result = table_of(source, "main")
    optimistic = replace(table, model=table.model.model_copy(update={"selection": "test"}))
    (figure,) = downstream_figures(source, optimistic, result)
    assert figure.caption.startswith("Test accuracy on bloodmnist")
    assert figure.draw().axes[0].get_ylabel() == "test accuracy"
