"""Maps of an encoder's features by PCA and t-SNE, with small pictures of the images (Jiang 2023, ch. 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from medssl_bench.datasets import Task
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Trial
from medssl_bench.evaluators.ranges import Count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets import DatasetInfo

_THUMBNAIL = 48
"""Largest side of a picture, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Embedding(Evaluator):
    """Maps of the test images by PCA and t-SNE, for figures and the report (an analysis; Jiang 2023, ch. 7).

    One map is by the first two principal components, the others are by t-SNE (van der Maaten 2008) after PCA.

    Args:
        points: how many test images are shown; all where there are fewer. They are those of `silhouette`.
        components: principal components that t-SNE starts from.
        perplexities: of t-SNE; one map for each. Few points bring them below a third of their number.
    """

    analysis: ClassVar[bool] = True
    needs: ClassVar[Needs] = "features"

    points: Annotated[int, Field(ge=5)] = 2000
    components: Annotated[int, Field(ge=2)] = 50
    perplexities: Annotated[tuple[Count, ...], Field(min_length=1)] = (30,)

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse multi-label sets: their images have no one class to be shown by."""
        return "its images have no one class to colour the map by" if info.task is Task.MULTI_LABEL else ""

    def evaluate(self, trial: Trial) -> Evaluation:
        """Draw the maps.

        Returns:
            Arrays over the P images that are shown: ``index`` (P,), their places in the test set; ``labels`` (P,);
            ``classes``, their names, and ``licence`` of the data, so that a report needs nothing but the store;
            ``images`` (P, H, W[, 3]) uint8, no larger than 48 pixels; ``pca`` (P, 2) and, for each perplexity p,
            ``tsne_<p>`` (P, 2), float32. The metrics are t-SNE's final Kullback-Leibler divergences. Of the encoder
            that `Trial.sweep` is set for, also ``sweep_<p>`` (P, 2) for each p of `PERPLEXITIES`, which a figure shows.
        """
        from medssl_bench.evaluators.components import PERPLEXITIES, drawn_points, fitted_components, wide

        assert trial.features is not None
        train, test = wide(trial.features["train"]), wide(trial.features["test"])
        index = drawn_points(len(test), self.points)
        split = trial.splits["test"]
        images = np.stack([_small(np.asarray(split.images[place])) for place in index])
        result = Evaluation(arrays={"index": index, "labels": split.labels[index, 0], "images": images})
        result.arrays["classes"] = np.array(trial.info.classes)
        result.arrays["licence"] = np.array(trial.info.licence)
        result.arrays["pca"] = _plane(fitted_components(train, 2).transform(test[index]))
        reduced = fitted_components(train, self.components).transform(test[index])
        maps: dict[float, tuple[NDArray[np.float32], float]] = {}
        for wanted in self.perplexities:
            result.arrays[f"tsne_{wanted}"], divergence = _tsne(reduced, wanted, maps)
            result.metrics[f"tsne_{wanted}_divergence"] = divergence
        for wanted in PERPLEXITIES if trial.sweep else ():
            result.arrays[f"sweep_{wanted}"], _ = _tsne(reduced, wanted, maps)
        return result


def _tsne(
    reduced: NDArray[np.float64], wanted: int, known: dict[float, tuple[NDArray[np.float32], float]]
) -> tuple[NDArray[np.float32], float]:
    """Return points (P, 2) by t-SNE and its divergence; `known` has those of perplexities that were asked before."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    from medssl_bench.evaluators.components import clipped

    perplexity = clipped(wanted, len(reduced))
    if perplexity not in known:
        tsne = TSNE(2, perplexity=perplexity, init="pca" if reduced.shape[1] > 1 else "random", random_state=0)
        with threadpool_limits(1):  # its threads wait for each other: on a busy machine that is four times slower
            known[perplexity] = _plane(tsne.fit_transform(reduced)), float(tsne.kl_divergence_)
    return known[perplexity]


def _plane(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return points (P, 2), also where the features have one dimension only."""
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1]))).astype(np.float32)


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image that is no larger than a thumbnail."""
    if max(image.shape[:2]) <= _THUMBNAIL:
        return image
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(picture)
