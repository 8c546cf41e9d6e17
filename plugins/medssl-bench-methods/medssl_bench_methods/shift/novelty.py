"""Whether images of unknown classes are recognised as such, by four scores of the encoder's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from medssl_bench.errors import StageError
from medssl_bench.evaluators import Evaluation, Evaluator, Trial

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators.base import Needs

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Novelty(Evaluator):
    """How well test images of unknown classes are separated from those of known ones (an analysis).

    Training images of the known classes alone are used, with their labels. Scores, each higher for the unknown: 1
    minus the largest probability of a logistic regression (Hendrycks and Gimpel 2017), its energy (Liu et al. 2020),
    the cosine distance to the k-th nearest training image (Sun et al. 2022), and the least Mahalanobis distance to a
    class, with one covariance for all classes (Lee et al. 2018; ours is shrunk after Ledoit and Wolf 2004, as features
    can be many).

    The encoder must not have seen the unknown classes: let its recipe learn from ``without_classes`` of the same set.

    Args:
        held_out: names of the classes that are unknown.
        k: which neighbour counts; the last where there are fewer.
    """

    analysis: ClassVar[bool] = True
    needs: ClassVar[Needs] = "features"

    held_out: Annotated[tuple[str, ...], Field(min_length=1)]
    k: Annotated[int, Field(ge=1)] = 10

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse data sets without those classes, or without two others."""
        from medssl_bench.errors import DataError
        from medssl_bench_methods.shift.without_classes import kept_places

        try:
            kept_places(info, self.held_out, "novelty")
        except DataError as error:
            return str(error).removeprefix("novelty: ")
        return ""

    def evaluate(self, trial: Trial) -> Evaluation:
        """Measure ``auroc_<score>`` and ``fpr95_<score>`` for each score.

        Raises:
            StageError: there are no test images of known, or of unknown classes.
        """
        import numpy as np
        from sklearn.metrics import roc_auc_score

        from medssl_bench_methods.shift.without_classes import kept_places

        assert trial.features is not None
        stay = kept_places(trial.info, self.held_out, "novelty")
        labels = {name: trial.splits[name].labels[:, 0] for name in ("train", "test")}
        known = np.isin(labels["train"], stay)
        unknown = ~np.isin(labels["test"], stay)
        if unknown.all() or not unknown.any():
            raise StageError("novelty needs test images of known and of unknown classes")
        train = trial.features["train"].numpy().astype(np.float64)[known]
        test = trial.features["test"].numpy().astype(np.float64)
        scores = {
            **_by_classifier(train, labels["train"][known], test),
            "knn": distance_to_neighbour(train, test, self.k),
            "mahalanobis": mahalanobis(train, labels["train"][known], test),
        }
        metrics = {}
        for name, found in scores.items():
            metrics[f"auroc_{name}"] = float(roc_auc_score(unknown, found))
            metrics[f"fpr95_{name}"] = fpr95(found[~unknown], found[unknown])
        return Evaluation(metrics=metrics)


def fpr95(known: Numbers, unknown: Numbers) -> float:
    """Return the share of unknown images that pass for known where 95 % of the known ones do.

    Args:
        known: (N,) scores of known images; a higher score says unknown.
        unknown: (M,) those of unknown ones.
    """
    import numpy as np

    limit = np.sort(known)[int(np.ceil(0.95 * len(known))) - 1]  # the least that lets 95 % through
    return float((unknown <= limit).mean())


def distance_to_neighbour(train: Numbers, test: Numbers, k: int) -> Numbers:
    """Return the cosine distance of test images to their k-th nearest training image, (M,).

    Args:
        train: (N, D) features.
        test: (M, D) features.
        k: which neighbour; the last where there are fewer.
    """
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=min(k, len(train)), metric="cosine", algorithm="brute").fit(train)
    distances: Numbers = nearest.kneighbors(test)[0][:, -1]
    return distances


def mahalanobis(train: Numbers, labels: NDArray[np.int64], test: Numbers) -> Numbers:
    """Return the least squared Mahalanobis distance of test images to the mean of a class, (M,).

    Args:
        train: (N, D) features.
        labels: (N,) their classes.
        test: (M, D) features.
    """
    import numpy as np
    from sklearn.covariance import LedoitWolf

    classes = np.unique(labels)
    means = np.stack([train[labels == number].mean(axis=0) for number in classes])
    centered = train - means[np.searchsorted(classes, labels)]
    precision = LedoitWolf(assume_centered=True).fit(centered).precision_
    away = test[:, None] - means[None]
    distances: Numbers = np.einsum("mcd,de,mce->mc", away, precision, away, optimize=True).min(axis=1)
    return distances


def _by_classifier(train: Numbers, labels: NDArray[np.int64], test: Numbers) -> dict[str, Any]:
    """Return the scores of a logistic regression on standardised features."""
    import warnings

    import numpy as np
    from scipy.special import logsumexp
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the scores of a near optimum rank as well
        model.fit(train, labels)
    logits = model.decision_function(test)
    if logits.ndim == 1:  # scikit-learn gives the second of two classes
        logits = np.stack([-logits / 2, logits / 2], axis=1)
    return {"max_softmax": 1 - model.predict_proba(test).max(axis=1), "energy": -logsumexp(logits, axis=1)}
