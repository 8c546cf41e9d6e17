"""A map of an encoder's test images: where its points are kept, and how they are computed where nothing kept them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets.sealed import keep_sealed, read_sealed
from medssl_bench.evaluators.components import clipped, drawn_points, fitted_components
from medssl_bench.store.arrays import load_npz
from medssl_bench.store.tensors import load_arrays

EmbeddingMethod = Literal["pca", "tsne"]

POINTS = 2000
PERPLEXITY = 30.0
COMPONENTS: dict[EmbeddingMethod, int] = {"pca": 2, "tsne": 50}
"""Principal components that the points, or t-SNE's input, have; silhouettes are of these."""

_REVISION = 1
"""Raise it when points come out otherwise than before: remembered ones are then computed anew."""


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
class EmbeddingMap:
    """Where the points of an encoder's map are, as data alone: another process can read or compute them.

    Attributes:
        stage: key of the embed stage.
        method: ``pca`` or ``tsne``.
        perplexity: of t-SNE, before it is clipped.
        labels: (M,) classes of the whole test split.
        classes: names of the classes.
        features: file of the features.
        arrays: file that an analysis kept the points in, and the name of the array; None: no analysis did.
        measured: silhouette and explained variance that an analysis measured; else empty.
        cache: folder in which computed points are remembered, or None.
        memory: points that this process has read or computed, by name; another process gets those of this map only.
    """

    stage: str
    method: EmbeddingMethod
    perplexity: float
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    features: Path
    arrays: tuple[Path, str] | None
    measured: dict[str, float]
    cache: Path | None
    memory: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process is given: of what this one knows, the points of this map alone."""
        return {**self.__dict__, "memory": {name: kept for name, kept in self.memory.items() if name == self.name}}

    @property
    def name(self) -> str:
        """What tells the map from others, fit for a file's name."""
        perplexity = f"-{self.perplexity:g}" if self.method == "tsne" else ""
        return f"{self.stage}-{self.method}{perplexity}-{_REVISION}"

    def is_kept(self) -> bool:
        """Return whether the points need not be computed."""
        return self._kept() is not None

    def is_available(self) -> bool:
        """Return whether the points are kept, or can be computed of the features."""
        return self.features.is_file() or self.is_kept()

    def embedding(self) -> Embedding | None:
        """Return the map; its points are computed where nothing has kept them. None: there are no features either."""
        kept = self._kept() or self.compute()
        if kept is None:
            return None
        index = drawn_points(len(self.labels), POINTS)
        silhouette = float(self.measured.get("silhouette", kept["silhouette"]))
        return Embedding(
            method=self.method,
            points=kept["points"],
            index=index,
            labels=self.labels[index],
            classes=self.classes,
            explained_variance=float(self.measured.get("explained_variance", kept["explained_variance"])),
            silhouette=None if np.isnan(silhouette) else silhouette,
        )

    def remember(self, computed: dict[str, Any] | None) -> None:
        """Let this process know the points that another one has computed."""
        if computed is not None:
            self.memory[self.name] = computed

    def _kept(self) -> dict[str, Any] | None:
        if self.name not in self.memory:
            kept = self._of_analysis() or self._remembered()
            if kept is None:
                return None
            self.memory[self.name] = kept
        return self.memory[self.name]

    def _of_analysis(self) -> dict[str, Any] | None:
        """Return what the store's analyses kept, if one kept the points and one measured their silhouette."""
        if self.arrays is None or not self.measured:
            return None
        file, array = self.arrays
        return {"points": load_npz(file)[array].astype(np.float64), **self.measured}

    def _remembered(self) -> dict[str, Any] | None:
        content = read_sealed(self.cache / f"{self.name}.npz", self.name) if self.cache else None
        if content is None:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}

    def compute(self) -> dict[str, Any] | None:
        """Compute the points and keep them in the cache folder; return what `remember` is given. None: no features."""
        if not self.features.is_file():
            return None
        features = load_arrays(self.features)
        computed = _computed(features["train"], features["test"], self.labels, self.method, self.perplexity)
        self.memory[self.name] = computed
        if self.cache is not None:
            content = io.BytesIO()
            np.savez(content, **computed)
            keep_sealed(self.cache / f"{self.name}.npz", self.name, content.getvalue())
        return computed


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
