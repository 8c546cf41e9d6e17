"""A plugin whose evaluators say that they use no validation labels, and do."""

import numpy as np

from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator

_SIZES = {}


class _Evaluator(Evaluator):
    needs = "features"
    uses_seed = False
    uses_validation = False

    def __init__(self, mode):
        self.mode = mode

    def evaluate(self, trial):
        count, classes = len(trial.splits["test"]), len(trial.info.classes)
        if self.mode == "size":  # it remembers the first test split that it has seen
            count = _SIZES.setdefault("test", count)
        scores = np.full((count, classes), 1 / classes, dtype=np.float32)
        labels = trial.splits["val"].labels[trial.val]
        found = Evaluation(scores=scores)
        if self.mode == "labels" and len(trial.val):
            scores[:, 0] += float((labels * np.arange(1, len(labels) + 1)[:, None]).mean())
            found.scores = scores / scores.sum(1, keepdims=True)
        if self.mode == "count":
            found.metrics["chosen_by"] = len(trial.val)
        if self.mode == "choice":
            found.selected_epoch = 1 if trial.choice() else 2
        return found


def _evaluator(mode):
    def factory():
        """Broken."""
        return _Evaluator(mode)

    return factory


@hookimpl
def medssl_evaluators(register):
    for mode in ("labels", "count", "choice", "size"):
        register(f"validating-{mode}", _evaluator(mode))
