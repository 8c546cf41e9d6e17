"""A plugin whose evaluators say that they choose the epoch by the metric of `select_by`, and do not."""

import numpy as np

from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator


class _Evaluator(Evaluator):
    needs = "features"
    uses_seed = False
    follows_criterion = True

    def __init__(self, mode):
        self.mode = mode

    def evaluate(self, trial):
        import torch

        classes = len(trial.info.classes)
        logits = trial.features["test"] @ torch.linspace(-1, 1, classes * trial.features["test"].shape[1]).view(
            -1, classes
        )
        scores = [(size * logits).softmax(dim=1).numpy() for size in (0.1, 0.2, 0.3)]
        selected = 2
        best = trial.best_epoch()
        if best is not None and self.mode != "blind":
            choice = trial.choice()
            for epoch in range(3):
                drawn = torch.linspace(0, 1 + epoch, len(choice.places) * classes).view(-1, classes)
                best.look(epoch, drawn, {})
            if self.mode == "upwards":
                selected = 2
            if self.mode == "undefined":
                selected = max(best.epoch, 0)
        return Evaluation(scores=np.asarray(scores[selected]), selected_epoch=selected)


def _evaluator(mode):
    def factory():
        """Broken."""
        return _Evaluator(mode)

    return factory


@hookimpl
def medssl_evaluators(register):
    for mode in ("blind", "upwards", "undefined"):
        register(f"choosing-{mode}", _evaluator(mode))
