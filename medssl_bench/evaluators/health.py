"""How healthy the features of an encoder are: an analysis that looks at training images alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from medssl_bench.datasets import Task
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Trial


@dataclass(frozen=True, kw_only=True)
class Health(Evaluator):
    """RankMe and other numbers of the features of training images, which tell a collapsed encoder (an analysis).

    No test image is looked at, so an encoder may be watched by it. Where features are one point, or use few dimensions,
    the result is flagged. Tables compare RankMe with that of the untrained encoder.

    Args:
        points: how many training images are drawn; all where there are fewer.
    """

    analysis: ClassVar[bool] = True
    needs: ClassVar[Needs] = "features"

    points: Annotated[int, Field(ge=2)] = 5000

    def evaluate(self, trial: Trial) -> Evaluation:
        """Compute ``rankme``, ``centred_rank``, ``participation``, ``spread``, ``uniformity`` and ``mean_cosine``."""
        from medssl_bench.evaluators.components import drawn_points
        from medssl_bench.methods.health import collapsed, health

        assert trial.features is not None
        features = trial.features["train"]
        drawn = drawn_points(len(features), self.points)
        found = health(features[drawn])
        classes = len(trial.info.classes) if trial.info.task is not Task.MULTI_LABEL else 0
        how = collapsed(found["spread"], found["mean_cosine"], found["rankme"], classes=classes)
        flags = {"features_collapsed": f"the encoder's features have collapsed {how}"} if how else {}
        return Evaluation(metrics=found, flags=flags)
