"""The silhouette coefficient of the classes in PCA space (Jiang 2023, ch. 7 and App. D)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from medssl_bench.datasets import Task
from medssl_bench.errors import StageError
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Trial
from medssl_bench.evaluators.ranges import Count

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo


@dataclass(frozen=True, kw_only=True)
class Silhouette(Evaluator):
    """Silhouette coefficient of the classes among test images, after PCA (an analysis; Jiang 2023, App. D).

    The distance is Euclidean (Rousseeuw 1987), and PCA is fitted on all training features.

    Args:
        components: numbers of principal components; each gives a coefficient and its explained variance.
        points: how many test images are drawn; all where there are fewer.
    """

    analysis: ClassVar[bool] = True
    needs: ClassVar[Needs] = "features"

    components: Annotated[tuple[Count, ...], Field(min_length=1)] = (2, 50)
    points: Annotated[int, Field(ge=2)] = 2000

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse multi-label sets: their images belong to no one cluster."""
        return "its images have no one class to cluster by" if info.task is Task.MULTI_LABEL else ""

    def evaluate(self, trial: Trial) -> Evaluation:
        """Compute ``silhouette_<n>`` and ``explained_variance_<n>`` for each number of components n."""
        from sklearn.metrics import silhouette_score

        from medssl_bench.evaluators.components import drawn_points, fitted_components, wide

        assert trial.features is not None
        train, test = wide(trial.features["train"]), wide(trial.features["test"])
        labels = trial.splits["test"].labels[:, 0]
        drawn = drawn_points(len(test), self.points)
        found = len(set(labels[drawn].tolist()))
        if not 1 < found < len(drawn):
            raise StageError(f"a silhouette needs 2 classes, and more images than classes: {found} in {len(drawn)}")

        result = Evaluation()
        for wanted in self.components:
            pca = fitted_components(train, wanted)
            points = pca.transform(test[drawn])
            result.metrics[f"silhouette_{wanted}"] = float(silhouette_score(points, labels[drawn]))
            result.metrics[f"explained_variance_{wanted}"] = float(pca.explained_variance_ratio_.sum())
        return result
