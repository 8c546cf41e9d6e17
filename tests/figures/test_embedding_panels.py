"""Panels of embeddings: what stands where, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from figures.conftest import table_of
from matplotlib.colors import to_hex

from medssl_bench.figures.embedding import embedded_arms, embedding_of
from medssl_bench.figures.embedding_map import Embedding
from medssl_bench.figures.embedding_panels import (
    EmbeddingPanel,
    draw_embeddings,
    embedding_figures,
    majority_class,
    perplexity_sweep,
    sweep_figures,
)
from medssl_bench.figures.material import FigureSource
from medssl_bench.figures.style import PALETTE


def _embedding() -> Embedding:
    labels = np.array([0, 0, 0, 1, 2, 2])
    points = np.arange(12, dtype=np.float64).reshape(6, 2)
    return Embedding("pca", points, np.arange(6), labels, ("a", "b", "c", "never"), 0.5, 0.1)


def test_points_are_coloured_by_class() -> None:
    figure = draw_embeddings([[EmbeddingPanel("x", _embedding())]])
    first, second, third = figure.axes[0].collections
    assert first.get_offsets().tolist() == [[0, 1], [2, 3], [4, 5]]
    assert second.get_offsets().tolist() == [[6, 7]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "c"]
    colours = [to_hex(points.get_facecolor()[0]).upper() for points in (first, second, third)]
    assert colours == list(PALETTE[:3])


def test_classes_can_be_left_out_and_the_others_keep_their_colours() -> None:
    whole = draw_embeddings([[EmbeddingPanel("x", _embedding())]]).axes[0].collections
    figure = draw_embeddings([[EmbeddingPanel("x", _embedding())]], without=("a",))
    left = figure.axes[0].collections
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["b", "c"]
    assert [s.get_facecolor().tolist() for s in left] == [s.get_facecolor().tolist() for s in whole[1:]]


def test_arms_stand_side_by_side_pca_above_tsne(source: FigureSource) -> None:
    (figure,) = embedding_figures(source, *table_of(source, "main"))
    assert (figure.id, figure.comparison) == ("main-embedding-bloodmnist", "main")
    assert "encoders trained with labels (supervised, waving, unfrozen): 40 labels" in figure.caption.lower()
    axes = figure.draw().axes
    assert len(axes) == 8
    heads = [ax.get_title().split("\n") for ax in axes]
    assert [head[0] for head in heads[:4]] == ["untrained encoder", "supervised", "frozen", "waving, unfrozen"]
    assert [head[0] for head in heads[4:]] == [head[0] for head in heads[:4]]
    (stage,) = [a.stage for a in embedded_arms(source, table_of(source, "main")[0], "bloodmnist") if "frozen" in a.arms]
    assert heads[2][1] == f"PCA, s = {embedding_of(source, stage).silhouette:.3f}"
    assert heads[6][1] == f"t-SNE, s = {embedding_of(source, stage, 'tsne').silhouette:.3f}"
    drawn = np.concatenate([points.get_offsets() for points in axes[2].collections])
    assert sorted(drawn[:, 0]) == pytest.approx(sorted(embedding_of(source, stage).points[:, 0]))


def test_a_class_of_more_than_half_the_points_is_left_out_of_a_second_figure(source: FigureSource) -> None:
    table, result = table_of(source, "main")
    stage = embedded_arms(source, table, "bloodmnist")[0].stage
    assert majority_class(source, stage) is None
    for trial in source.plan.trials:  # the store's test labels, as if they were of another draw
        arrays = source.predictions(trial.stage)
        truth = arrays["y_true"].copy()
        truth[:40] = 6
        source.predictions_kept[trial.stage] = {**arrays, "y_true": truth}
    assert majority_class(source, stage) == "neutrophil"
    whole, filtered = embedding_figures(source, table, result)
    assert filtered.id == f"{whole.id}-without-neutrophil"
    assert filtered.title.endswith("without neutrophil")
    assert "Not shown: neutrophil" in filtered.caption


def test_a_sweep_of_perplexities_on_the_first_pretrained_encoder(source: FigureSource) -> None:
    (figure,) = sweep_figures(source)
    assert figure.id == "main-perplexity-bloodmnist-frozen"
    titles = [axes.get_title() for axes in figure.draw().axes]
    assert titles == ["perplexity 5", "perplexity 10", "perplexity 19.7"], "a third of the 59 other points at most"
    table, result = table_of(source, "main")
    arm = embedded_arms(source, table, "bloodmnist")[0]
    two = perplexity_sweep(source, table, result, arm, (4, 8)).draw()
    assert [axes.get_title() for axes in two.axes] == ["perplexity 4", "perplexity 8"]


def test_a_comparison_without_features_is_told(source: FigureSource) -> None:
    reasons: list[str] = []
    source.left_out = reasons.append
    assert [figure.id for figure in embedding_figures(source, *table_of(source, "depth"))] == []
    assert reasons == [
        "depth: embeddings of bloodmnist: there are no features and classes in the store",
        "depth: embeddings of second: there are no features and classes in the store",
    ]
