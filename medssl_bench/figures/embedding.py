"""Which encoders of a comparison are shown as points in the plane, and their maps (ch. 7 and App. D of [Jiang 2023]).

Maps are read: an analysis of the store has computed and kept them. Where none has, as in stores of older versions, they
are computed once and remembered in the user's cache folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medssl_bench.evaluators.components import drawn_points
from medssl_bench.figures.embedding_map import (
    COMPONENTS,
    PERPLEXITY,
    POINTS,
    Embedding,
    EmbeddingMap,
    EmbeddingMethod,
)
from medssl_bench.plan.kinds.analyse import AnalyseSpec
from medssl_bench.plan.kinds.embed import EmbedSpec
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.store.arrays import names_in_npz

if TYPE_CHECKING:
    from medssl_bench.figures.material import FigureSource
    from medssl_bench.plan.chance import Chance
    from medssl_bench.suite.table import Table

_FEWEST = 3
"""Test images that a plane needs to show anything."""


@dataclass(frozen=True)
class EmbeddedArm:
    """An encoder of a comparison and its features.

    Attributes:
        stage: key of the embed stage.
        arms: the arms that end with this encoder.
        dataset: label of the data set.
        labels: label budget that shaped it, or None for an encoder that no labels shaped.
        chance: its seed and draw.
    """

    stage: str
    arms: tuple[str, ...]
    dataset: str
    labels: str | None
    chance: Chance


def embedded_arms(source: FigureSource, table: Table, dataset: str) -> list[EmbeddedArm]:
    """Return the encoders of a comparison whose features or maps are in the store, of one seed and draw.

    Of arms that train their encoder it is the one with the largest budget that is drawn. Arms that share an encoder
    stand together.
    """
    budgets = source.shown_budgets(table, dataset)
    names = [arm.name for arm in table.arms]
    chance = source.chance(table, dataset, budgets[-1], names) if budgets else None
    if chance is None:
        return []
    found: dict[str, EmbeddedArm] = {}
    for arm in names:
        trial = source.trial(table, dataset, arm, budgets[-1], chance)
        trained = trial is not None and source.plan.spec(trial.stage, EvaluateSpec).trains_encoder
        stage = _embed_stage(source, trial.stage) if trial else None
        if stage is not None:
            arms = (*found[stage].arms, arm) if stage in found else (arm,)
            found[stage] = EmbeddedArm(stage, arms, dataset, budgets[-1] if trained else None, chance)
    return list(found.values())


def _embed_stage(source: FigureSource, evaluated: str) -> str | None:
    """Return the embed stage of the encoder that a trial ends with, if the store can show a map of it; or None."""
    stage = source.plan.stages[evaluated]
    trained = source.plan.spec(evaluated, EvaluateSpec).trains_encoder
    for key, other in source.plan.stages.items():
        if not isinstance(other.spec, EmbedSpec) or other.spec.dataset != stage.spec.dataset:
            continue
        ours = other.spec.start == evaluated if trained else key in stage.parents
        if ours and _can_be_shown(source, key):
            return key
    return None


def _can_be_shown(source: FigureSource, stage: str) -> bool:
    """Return whether the features are in the store, or both maps; features may have been deleted since."""
    if _features_file(source, stage).is_file():
        return True
    return all(_arrays(source, stage, name) and _measured(source, stage, COMPONENTS[method]) for method, name in _MAPS)


_MAPS: tuple[tuple[EmbeddingMethod, str], ...] = (("pca", "pca"), ("tsne", f"tsne_{PERPLEXITY:g}"))
"""The arrays of the maps that every encoder is shown by."""


def map_of(
    source: FigureSource, stage: str, method: EmbeddingMethod = "pca", *, perplexity: float = PERPLEXITY
) -> EmbeddingMap | None:
    """Return where the map of an encoder is; nothing is computed.

    PCA is fitted on all training features; 2,000 test images are drawn, the same as for the silhouettes of the
    store. t-SNE is scikit-learn's, from PCA's first axes and with a fixed seed; 2,000 points take some 10 seconds.

    Args:
        source: plan and store.
        stage: key of an embed stage.
        method: ``pca`` or ``tsne``.
        perplexity: of t-SNE; clipped to the number of points.

    Returns:
        None where the labels are not in the store, the images have more than one label each, or fewer than three of
        them are in the test split.
    """
    labels, classes = labels_of_test_images(source, stage)
    if labels is None or len(labels) < _FEWEST:
        return None
    names = ("pca",) if method == "pca" else (f"tsne_{perplexity:g}", f"sweep_{perplexity:g}")
    return EmbeddingMap(
        stage,
        method,
        perplexity,
        labels,
        classes,
        features=_features_file(source, stage),
        arrays=next((found for name in names if (found := _arrays(source, stage, name))), None),
        measured=_measured(source, stage, COMPONENTS[method]),
        cache=source.cache / "embeddings" if source.cache else None,
        memory=source.kept,
    )


def embedding_of(
    source: FigureSource, stage: str, method: EmbeddingMethod = "pca", *, perplexity: float = PERPLEXITY
) -> Embedding | None:
    """Return the embedding of an encoder; arguments as of `map_of`. None as there, and where there are no features."""
    found = map_of(source, stage, method, perplexity=perplexity)
    return found.embedding() if found else None


def shown_labels(source: FigureSource, stage: str) -> NDArray[np.int64]:
    """Return the classes of the points of an encoder's embedding, (N,); empty where it cannot be shown."""
    labels, _ = labels_of_test_images(source, stage)
    if labels is None or len(labels) < _FEWEST:
        return np.empty(0, dtype=np.int64)
    return labels[drawn_points(len(labels), POINTS)]


def labels_of_test_images(source: FigureSource, stage: str) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return the classes of the whole test split that an embed stage is of, (N,), and the names of the classes.

    Every evaluation keeps them; None where there is no evaluation yet, or the images have no one class each.
    """
    dataset = source.plan.stages[stage].spec.dataset
    for trial in source.plan.trials:
        evaluated = source.plan.spec(trial.stage, EvaluateSpec)
        if evaluated.dataset != dataset or evaluated.shuffle_labels:
            continue
        arrays = source.predictions(trial.stage)
        if arrays is not None:
            classes = source.classes(trial.dataset)
            return (arrays["y_true"][:, 0] if classes else None), classes
    return None, ()


def _measured(source: FigureSource, stage: str, components: int) -> dict[str, float]:
    """Return silhouette and explained variance that an analysis of the store measured of these points, or nothing."""
    for key in source.analyses_of(stage):
        record = source.results.record(key)
        wanted = f"silhouette_{components}", f"explained_variance_{components}"
        if record and _parameter(source, key, "points") == POINTS and record.metrics.keys() >= set(wanted):
            return dict(zip(("silhouette", "explained_variance"), map(record.metrics.__getitem__, wanted), strict=True))
    return {}


def _arrays(source: FigureSource, stage: str, name: str) -> tuple[Path, str] | None:
    """Return the file in which an analysis of the store kept the points of a map under a name, and the name."""
    for key in source.analyses_of(stage):
        file = source.store.folder(key) / "arrays.npz"
        shape = _parameter(source, key, "points"), _parameter(source, key, "components")
        if shape == (POINTS, COMPONENTS["tsne"]) and source.results.record(key) and file.is_file():
            names = names_in_npz(file)
            if {"pca", "index", name} <= names:
                return file, name
    return None


def _parameter(source: FigureSource, analysis: str, name: str) -> object:
    return source.plan.spec(analysis, AnalyseSpec).evaluator.parameters.get(name)


def _features_file(source: FigureSource, stage: str) -> Path:
    return source.store.folder(stage) / "features.safetensors"
