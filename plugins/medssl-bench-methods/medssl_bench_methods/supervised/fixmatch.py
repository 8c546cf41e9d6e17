"""FixMatch: labels, and pseudo-labels of other images (Sohn et al. 2020). Importing this module imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from medssl_bench.evaluators import Evaluation, Evaluator, Passes, Trial
from medssl_bench.evaluators.balance import balanced_trial
from medssl_bench.evaluators.finetune_settings import FineTuneSettings
from medssl_bench.evaluators.ranges import Count
from medssl_bench.plugin.parameters import OneComponent
from medssl_bench_methods.parameters import Fraction
from medssl_bench_methods.supervised.refusal import needs_one_class

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators.base import Needs


@dataclass(frozen=True, kw_only=True)
class FixMatch(FineTuneSettings, Evaluator):
    """Semi-supervised learning (Sohn et al. 2020): fine-tuning with pseudo-labels of images whose labels are not seen.

    The classifier sees a weakly augmented view of an image without label. Where the largest of its probabilities
    reaches the threshold, that class is what it must predict for a strongly augmented view of the same image. The loss
    of a batch of B labelled images, and mu B others, is ``l_s + lambda_u l_u``: l_s is the cross-entropy of weak views
    of the labelled ones (eq. 3), l_u that of the strong views with their pseudo-labels, summed where the threshold is
    reached and divided by mu B (eq. 4). All views pass through the encoder as one batch, as in the authors' code.

    The images without label are those of the training split and those of the data set's ``unlabelled``. The labelled
    ones are among them without their labels, as in the authors' code. They are drawn anew for every batch. The moving
    average of the weights chooses the epoch, predicts, and is kept; statistics of batch normalisation are those of the
    weights that are trained, as in the authors' code.

    The history has ``confident``, the part of the images that reach the threshold: at 0 nothing is learned from them.

    Differences from the paper: Adam at one rate, as ``finetune`` has it; hundreds of epochs of the labelled images,
    where the paper has a million steps; so the average's momentum rises with the steps t as ``(1 + t) / (10 + t)``, up
    to `ema`.

    Args:
        batch_size: labelled images of a batch; the paper's. A smaller set is one batch.
        augmentation: the weak one.
        strong: the strong one.
        mu: other images for each labelled one; the paper's.
        threshold: least probability of a pseudo-label; the paper's. Above 1 there is none.
        unlabelled_weight: lambda_u; the paper's.
        ema: largest momentum of the moving average of the weights; the paper's. 0: there is none.
    """

    needs: ClassVar[Needs] = "encoder"
    follows_criterion: ClassVar[bool] = True
    trains_encoder: ClassVar[bool] = True
    keeps_head: ClassVar[bool] = True
    uses_unlabelled: ClassVar[bool] = True

    batch_size: Annotated[int, Field(ge=2)] = 64
    augmentation: Annotated[Any, OneComponent("augmentation")] = "fixmatch_weak"
    strong: Annotated[Any, OneComponent("augmentation")] = "fixmatch_strong"
    mu: Count = 7
    threshold: Annotated[float, Field(ge=0)] = 0.95
    unlabelled_weight: Annotated[float, Field(ge=0)] = 1.0
    ema: Fraction = 0.999

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse images with several labels: a pseudo-label is one class."""
        return needs_one_class(info)

    def images_seen(self, train: int) -> int:
        """Return the labelled images and the others, times the epochs."""
        return train * (1 + self.mu) * self.epochs

    def passes(self, train: int) -> Passes:  # noqa: ARG002
        """Return epochs, batches and looks, for cost estimates: an image without label has two views."""
        return Passes(self.epochs, self.batch_size, self.validate_every, per_image=1 + 2 * self.mu)

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train on the labelled images and on the others, and predict the test images.

        Raises:
            StageError: there are fewer than two labelled images, or an augmentation draws once for a whole batch.
        """
        from medssl_bench_methods.supervised.fixmatch_training import FixMatchTraining

        return FixMatchTraining(balanced_trial(self.balance, trial), self).run()
