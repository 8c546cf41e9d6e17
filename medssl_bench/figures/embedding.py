"""Test images of an encoder as points in the plane: by PCA and by t-SNE (ch. 7 and App. D of [Jiang 2023])."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets.sealed import read_sealed, write_sealed
from medssl_bench.evaluators.components import drawn_points, fitted_components
from medssl_bench.store.arrays import load_npz
from medssl_bench.store.tensors import load_arrays

if TYPE_CHECKING:
    from medssl_bench.figures.material import Chance, FigureSource
    from medssl_bench.suite.table import Table

EmbeddingMethod = Literal["pca", "tsne"]

POINTS = 2000
PERPLEXITY = 30.0
COMPONENTS: dict[EmbeddingMethod, int] = {"pca": 2, "tsne": 50}
"""Principal components that the points, or t-SNE's input, have; silhouettes are of these."""

_FEWEST = 3
"""Test images that a plane needs to show anything."""

_REVISION = 1
"""Raise it when points come out otherwise than before: kept ones are then computed anew."""


@dataclass(frozen=True)
class Embedding:
    """Test images as points in the plane.

    Attributes:
        method: ``pca`` (two components, fitted on all training features) or ``tsne`` (after PCA to 50).
        points: (N, 2) coordinates.
        index: (N,) place of each point's image in the test split.
        labels: (N,) class of each.
        classes: names of the classes.
        explained_variance: share of the training features' variance that the 2 or 50 components hold.
        silhouette: silhouette coefficient of the classes in these components (not in t-SNE's plane); None where it
            is not defined, as with one class.
    """

    method: EmbeddingMethod
    points: NDArray[np.float64]
    index: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    explained_variance: float
    silhouette: float | None


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
    """Return the encoders of a comparison whose features are in the store, of one seed and draw.

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
        trained = trial is not None and source.plan.stages[trial.stage].spec["trains_encoder"]
        stage = _embed_stage(source, trial.stage) if trial else None
        if stage is not None:
            arms = (*found[stage].arms, arm) if stage in found else (arm,)
            found[stage] = EmbeddedArm(stage, arms, dataset, budgets[-1] if trained else None, chance)
    return list(found.values())


def _embed_stage(source: FigureSource, evaluated: str) -> str | None:
    """Return the embed stage, with its features in the store, of the encoder that a trial ends with; or None."""
    stage = source.plan.stages[evaluated]
    trained = stage.spec["trains_encoder"]
    for key, other in source.plan.stages.items():
        ours = other.kind == "embed" and (other.spec["start"] == evaluated if trained else key in stage.parents)
        if ours and other.spec["dataset"] == stage.spec["dataset"] and _features_file(source, key).is_file():
            return key
    return None


def embedding_of(
    source: FigureSource, stage: str, method: EmbeddingMethod = "pca", *, perplexity: float = PERPLEXITY
) -> Embedding | None:
    """Return the embedding of an encoder; computed once, then kept in memory and in the source's cache folder.

    PCA is fitted on all training features; 2,000 test images are drawn, the same as for the silhouettes of the
    store. t-SNE is scikit-learn's, from PCA's first axes and with a fixed seed; 2,000 points take some 10 seconds.

    Points that an `embedding` analysis has left in the store are taken from there.

    Args:
        source: plan and store.
        stage: key of an embed stage.
        method: ``pca`` or ``tsne``.
        perplexity: of t-SNE; `clipped` to the number of points.

    Returns:
        None where the features or the labels are not in the store, the images have more than one label each, or fewer
        than three of them are in the test split.
    """
    labels, classes = labels_of_test_images(source, stage)
    file = _features_file(source, stage)
    if labels is None or len(labels) < _FEWEST:
        return None
    name = f"{stage}-{method}{f'-{perplexity:g}' if method == 'tsne' else ''}-{_REVISION}"
    kept = source.kept.get(name) or _stored(source, stage, method, perplexity) or _read(source.cache, name)
    if kept is None:
        if not file.is_file():
            return None
        features = load_arrays(file)
        kept = _computed(features["train"], features["test"], labels, method, perplexity)
        _write(source.cache, name, kept)
    source.kept[name] = kept
    index = drawn_points(len(labels), POINTS)
    measured = _measured(source, stage, COMPONENTS[method])
    silhouette = measured.get("silhouette", kept["silhouette"])
    return Embedding(
        method=method,
        points=kept["points"],
        index=index,
        labels=labels[index],
        classes=classes,
        explained_variance=float(measured.get("explained_variance", kept["explained_variance"])),
        silhouette=None if np.isnan(silhouette) else float(silhouette),
    )


def clipped(perplexity: float, points: int) -> float:
    """Return a perplexity of t-SNE that so many points allow: it looks at three times as many neighbours of each."""
    return min(perplexity, max(1.0, (points - 1) / 3))


def _computed(
    train: NDArray[np.float32],
    test: NDArray[np.float32],
    labels: NDArray[np.int64],
    method: EmbeddingMethod,
    perplexity: float,
) -> dict[str, Any]:
    """Return points, explained variance and silhouette; the latter is not a number where it is not defined."""
    from sklearn.manifold import TSNE
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    index = drawn_points(len(test), POINTS)
    defined = 1 < len(set(labels[index].tolist())) < len(index)
    with threadpool_limits(1):  # threads that wait for one another make it up to four times slower on busy machines
        pca = fitted_components(train.astype(np.float64), COMPONENTS[method])
        components = pca.transform(test[index].astype(np.float64))
        if method == "pca":
            points = np.pad(components, ((0, 0), (0, 2 - components.shape[1])))
        else:
            start = "pca" if components.shape[1] > 1 else "random"
            tsne = TSNE(2, perplexity=clipped(perplexity, len(index)), init=start, random_state=0)
            points = tsne.fit_transform(components)
        silhouette = float(silhouette_score(components, labels[index])) if defined else float("nan")
    return {
        "points": np.asarray(points, dtype=np.float64),
        "explained_variance": float(pca.explained_variance_ratio_.sum()),
        "silhouette": silhouette,
    }


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
    dataset = source.plan.stages[stage].spec["dataset"]
    for trial in source.plan.trials:
        evaluated = source.plan.stages[trial.stage]
        if evaluated.spec["dataset"] != dataset or evaluated.spec["shuffle_labels"]:
            continue
        arrays = source.predictions(trial.stage)
        if arrays is not None:
            classes = source.classes(trial.dataset)
            return (arrays["y_true"][:, 0] if classes else None), classes
    return None, ()


def _measured(source: FigureSource, stage: str, components: int) -> dict[str, float]:
    """Return what the store's silhouette analysis of these points says, if it has one."""
    for found in source.plan.analyses:
        analysis = source.plan.stages[found.stage]
        evaluator = analysis.spec["evaluator"]
        ours = stage in analysis.parents and (evaluator["plugin"], evaluator["name"]) == ("evaluators", "silhouette")
        record = source.results.record(found.stage) if ours else None
        if record and evaluator["parameters"]["points"] == POINTS and f"silhouette_{components}" in record.metrics:
            return {name: record.metrics[f"{name}_{components}"] for name in ("silhouette", "explained_variance")}
    return {}


def _stored(source: FigureSource, stage: str, method: EmbeddingMethod, perplexity: float) -> dict[str, Any] | None:
    """Return the points that the store's embedding analysis has of these features, if it also has their silhouette."""
    measured = _measured(source, stage, COMPONENTS[method])
    array = "pca" if method == "pca" else f"tsne_{perplexity:g}"
    for found in source.plan.analyses if measured else ():
        analysis = source.plan.stages[found.stage]
        evaluator = analysis.spec["evaluator"]
        ours = stage in analysis.parents and (evaluator["plugin"], evaluator["name"]) == ("evaluators", "embedding")
        file = source.store.folder(found.stage) / "arrays.npz"
        wanted = (evaluator["parameters"].get("points"), evaluator["parameters"].get("components"))
        if ours and wanted == (POINTS, COMPONENTS["tsne"]) and source.results.record(found.stage) and file.is_file():
            arrays = load_npz(file)
            if array in arrays:
                return {"points": arrays[array].astype(np.float64), **measured}
    return None


def _features_file(source: FigureSource, stage: str) -> Path:
    return source.store.folder(stage) / "features.safetensors"


def _read(folder: Path | None, name: str) -> dict[str, Any] | None:
    content = read_sealed(folder / f"{name}.npz", name) if folder else None
    if content is None:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def _write(folder: Path | None, name: str, kept: dict[str, Any]) -> None:
    if folder is None:
        return
    content = io.BytesIO()
    np.savez(content, **kept)
    write_sealed(folder / f"{name}.npz", name, content.getvalue())
