"""Logistic regression to its optimum, with a penalty that is chosen by validation or by cross-validation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from medssl_bench.evaluators.balance import balanced_trial, refuses_balance
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Passes, Trial
from medssl_bench.evaluators.ranges import Count

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo

Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, kw_only=True)
class Logistic(Evaluator):
    """Logistic regression on standardised features of the frozen encoder, solved to its optimum.

    It decides nothing by itself: there is no learning rate and no number of epochs that could be too small for the
    features of one arm. Each feature has mean 0 and deviation 1 over the labelled images. The loss is scikit-learn's,
    ``C sum_i loss_i + |W|^2 / 2`` without the bias: softmax; of two classes one logistic decision; of several labels
    one for each. C is that value of a path which does best on the labelled validation images, or, where there are none,
    on the labelled training images by cross-validation, whose folds keep the classes even and part no group. Among
    equals the lower loss counts. Records have the chosen C. While values of C are compared, probabilities are within
    about 1e-4 of their optimum's; with the chosen one they are within 1e-5, unless features lie hundreds of deviations
    from 0, where float32 does not tell them apart so well.

    Args:
        smallest: the smallest C, the strongest penalty.
        largest: the largest C.
        values: how many C, evenly spaced by their logarithms.
        folds: parts of the labelled images in cross-validation; fewer where there are fewer images (or groups).
        iterations: of conjugate gradients, for each C; more are not done, and the result says so.
        balance: `undersample`, as many images of each class as the smallest has, the others are left out;
            `class_weights`, the loss of an image counts n / (k n_c), for n images, n_c of them of its class, and k
            classes.
    """

    needs: ClassVar[Needs] = "features"
    follows_criterion: ClassVar[bool] = True
    keeps_head: ClassVar[bool] = True
    uses_seed: ClassVar[bool] = False

    smallest: Positive = 1e-6
    largest: Positive = 1.0
    values: Count = 31
    folds: Annotated[int, Field(ge=2)] = 5
    iterations: Count = 5000
    balance: Literal["none", "undersample", "class_weights"] = "none"

    def __post_init__(self) -> None:
        """Check that the path has an order.

        Raises:
            ValueError: the smallest C is larger than the largest.
        """
        if self.smallest > self.largest:
            raise ValueError("smallest must not be larger than largest")

    @property
    def path(self) -> list[float]:
        """The values of C, rising."""
        first, last = math.log(self.smallest), math.log(self.largest)
        steps = max(1, self.values - 1)
        return [math.exp(first + (last - first) * step / steps) for step in range(self.values)]

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse to balance classes where images have several labels."""
        return refuses_balance(self.balance, info)

    def passes(self, train: int) -> Passes:  # noqa: ARG002
        """Return epochs of a linear probe that take about as long, for cost estimates."""
        return Passes(epochs=3 * self.values, batch_size=64, validate_every=3 * self.values)

    def evaluate(self, trial: Trial) -> Evaluation:
        """Fit the path, choose C, and predict the test images."""
        from medssl_bench.evaluators.logistic_trial import LogisticSettings, fit
        from medssl_bench.training.processor import one_thread

        settings = LogisticSettings(tuple(self.path), self.folds, self.iterations, self.balance)
        with one_thread():
            return fit(balanced_trial(self.balance, trial), settings)
