"""The transfer stage: a trained classifier predicts the test images of another data set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets.copies import known_copies
from medssl_bench.datasets.parts import Part
from medssl_bench.errors import StageError
from medssl_bench.metrics.classification import measure
from medssl_bench.plan.kinds.transfer import TransferSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.evaluator_answer import savez
from medssl_bench.stages.kept_classifier import kept_classifier
from medssl_bench.stages.workshop import StageResult, Workshop


def transfer(stage: Stage[TransferSpec], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Predict the test images of another data set that are of a shared class.

    Args:
        stage: what to do; its parent is the evaluation whose classifier predicts.
        workshop: what to work with.
        attempt: in whose folder to leave ``predictions.npz``, whose classes are the shared ones.

    Raises:
        StageError: the classifier was not kept, or the other set has no image of a shared class.
    """
    spec = stage.spec
    classifier = kept_classifier(stage.parents[0], workshop)
    leak = _copies(spec, workshop)  # before anything is measured
    test = workshop.dataset(spec.dataset).splits["test"]
    classes, task = spec.classes, classifier.task
    kept = classes.images(task, test.labels)
    if not len(kept):
        raise StageError("no test image of the other data set is of a shared class")
    chosen = test.at(kept)
    (scores,) = classifier.predict(f"{spec.dataset.key} {kept.tobytes()!r}", lambda: [chosen.images])
    truth, scores = classes.labels(task, chosen.labels), classes.scores(task, scores)
    arrays: dict[str, NDArray[Any]] = {"y_true": truth, "y_score": scores}
    if chosen.groups is not None:
        arrays["group"] = np.unique(chosen.groups, return_inverse=True)[1]
    savez(attempt.folder / "predictions.npz", arrays)
    metrics = measure(task, truth, scores)
    headline = {name: value for name, value in metrics.items() if value is not None and name != "balanced_accuracy"}
    return StageResult(
        metrics={
            **metrics,
            "images": len(kept),
            "left_out": len(test) - len(kept),
            "copies": leak[0],
        },
        headline=headline,
        flags={"copies_in_training": leak[1]} if leak[1] else {},
    )


def _copies(spec: TransferSpec, workshop: Workshop) -> tuple[int, str]:
    """Return how many of the other set's test images are among the training images, turned ones too, and a line on it.

    They are looked for once for two data sets, and remembered.
    """
    splits = workshop.dataset(spec.trained_on).splits
    test = workshop.dataset(spec.dataset).splits["test"]

    def parts() -> list[Part]:
        return [Part("train", splits["train"].images), Part("test", test.images)]

    found = known_copies(f"{spec.trained_on.key} tested on {spec.dataset.key}", parts, workshop.context.cache_dir)
    return len(found.leaked), "; ".join(found.warnings)
