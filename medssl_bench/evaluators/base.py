"""What an evaluator is: it takes an encoder and labelled images and gives predictions for the whole test set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from medssl_bench.checkpoints import Checkpoints
from medssl_bench.randomness import stream

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from medssl_bench.datasets import DatasetInfo, Images, Splits
    from medssl_bench.datasets.base import SplitName
    from medssl_bench.evaluators.classification import BestEpoch
    from medssl_bench.metrics import Metric
    from medssl_bench.metrics.criterion import Criterion

Needs = Literal["labels", "features", "encoder"]


@dataclass(frozen=True)
class Choice:
    """Images by which an epoch is chosen.

    Attributes:
        split: the split that they are of.
        places: which of its images, (m,) int64.
        labels: their labels, (m, L).
    """

    split: SplitName
    places: NDArray[np.int64]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class Trial:
    """One cell of a comparison, as an evaluator gets it.

    Attributes:
        info: what the data set is.
        splits: all images and labels; the labels of images outside `train` and `val` are not to be looked at,
            but for those of the test split in an analysis.
        train: places of the labelled training images, (n,) int64.
        val: places of the labelled validation images, (m,) int64; empty: the last epoch counts.
        selection: which epoch counts: ``validation``, ``last``, or ``test`` to measure the optimism of that.
        criterion: the metric by which the epoch is chosen; None: accuracy, of a multi-label task AUROC.
        seed: the training seed.
        device: where to compute.
        encoder: makes the encoder, with the weights the arm starts from, on the device.
        features: of every image of each split, (N, D) float32 on the CPU, from un-augmented images in evaluation
            mode; None unless the evaluator needs them.
        report: call it when an epoch ends with its number, their total and metrics, for those who watch; where epochs
            are long, also when one begins, with empty metrics.
        checkpoints: where a long training goes on from, and where it saves its state.
        unlabelled: the images of the data set that have no labels; None: it has none, or the evaluator does not learn
            from them (`Evaluator.uses_unlabelled`).
        spy: whether the history is to have what each epoch that is looked at would have on the test images
            (`medssl_bench.evaluators.spying`); no choice and no score may depend on it.
        sweep: whether an analysis is to show what its settings do, which a report does for one encoder of a suite; no
            metric may depend on it.
    """

    info: DatasetInfo
    splits: Splits
    train: NDArray[np.int64]
    val: NDArray[np.int64]
    selection: Literal["validation", "last", "test"]
    seed: int
    device: torch.device
    encoder: Callable[[], nn.Module]
    features: Mapping[SplitName, Tensor] | None = None
    report: Callable[[int, int, Mapping[str, float]], None] = lambda _index, _total, _metrics: None
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    sweep: bool = False
    criterion: Criterion | None = None
    unlabelled: Images | None = None
    spy: bool = False

    def choice(self) -> Choice | None:
        """Return the images by which the epoch that counts is chosen, or None where the last one counts."""
        if self.selection == "test":
            test = self.splits["test"].labels
            return Choice("test", np.arange(len(test)), test)
        if self.selection == "last" or not len(self.val):
            return None
        return Choice("val", self.val, self.splits["val"].labels[self.val])

    def best_epoch(self) -> BestEpoch | None:
        """Return what finds the epoch that counts and keeps its weights, or None where the last one counts."""
        from medssl_bench.evaluators.classification import BestEpoch

        chosen_by = self.choice()
        return None if chosen_by is None else BestEpoch(self.info.task, chosen_by.labels, self.criterion)

    def looks_at(self, epoch: int, epochs: int, every: int) -> bool:
        """Return whether an epoch is looked at: every few, and the last."""
        return (epoch + 1) % every == 0 or epoch == epochs - 1

    def stream(self, purpose: str, **axes: int | str) -> int:
        """Return a seed that the purpose and the training seed decide; arms and label draws share it (pairing)."""
        return stream(purpose, seed=self.seed, **axes)


@dataclass
class Evaluation:
    """What an evaluator found.

    Attributes:
        scores: of the test images at the epoch that counts, (N, C) float32: probabilities of the classes, or of
            each label of a multi-label set; None for an analysis, which predicts nothing.
        last_scores: the same after the last epoch; None where there are no epochs.
        selected_epoch: 0-based number of the epoch that counts; None where there are no epochs.
        metrics: what else was measured, finite numbers by name; not under a name that the harness uses itself
            (`medssl_bench.evaluators.check_evaluation`).
        flags: what a reader must know before this result is believed: a sentence of one line by a code, such as
            ``{"probe_not_converged": "the probe had not converged (...)"}``. It is shown by the run and under each
            table. What stands in brackets at its end may differ from result to result.
        history: one row of metrics per epoch that was looked at, with its number as ``epoch``.
        weights: state dicts to keep, by file name without ending: ``encoder`` for a trained encoder, ``head``.
        arrays: further arrays to keep.
        choices: what validation labels have decided beside the epoch, by name: JSON-able data, kept in the record. A
            training that ended early says so under ``stopped``.
        images_seen: how many images an encoder was trained on, where that is not what `Evaluator.images_seen` says.
        val_scores: as `scores`, of the labelled validation images `Trial.val`, (m, C): what a metric needs that fits a
            temperature or chooses a threshold. None: there are no such images, or the evaluator does not tell.
    """

    scores: NDArray[np.float32] | None = None
    last_scores: NDArray[np.float32] | None = None
    selected_epoch: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    flags: dict[str, str] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)
    images_seen: int | None = None
    val_scores: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Passes:
    """How an evaluator trains, for cost estimates.

    Attributes:
        epochs: passes over the labelled images.
        batch_size: images of a batch.
        validate_every: epochs between two looks at the images that the epoch is chosen by.
        per_image: passes forward and backward for each labelled image in an epoch, each with a view of its own: more
            than one where it has several views, or where unlabelled images come with it.
    """

    epochs: int
    batch_size: int
    validate_every: int
    per_image: float = 1

    def steps(self, images: int) -> int:
        """Return the batches of an epoch, an incomplete last one too."""
        return -(-images // self.batch_size)

    @property
    def looks(self) -> int:
        """How often it looks at those images: every few epochs, and after the last."""
        return -(-self.epochs // self.validate_every)


class Evaluator(ABC):
    """A way to judge an encoder. Its module imports torch only inside methods: plans are made without torch.

    Attributes:
        analysis: True for one that describes an encoder and predicts nothing; it stands under ``analyses``.
        needs: ``features`` of the frozen encoder, the ``encoder`` itself, or ``labels`` alone; the latter is a floor,
            which gets all labels of the training split whatever the label budget.
        uses_validation: whether it chooses an epoch by validation images; else which of them are labelled decides
            nothing.
        follows_criterion: whether it chooses that epoch by `Trial.criterion`, as `Trial.best_epoch` does. A comparison
            with ``select_by`` refuses an evaluator that chooses by a rule of its own.
        uses_seed: whether the training seed changes the result of one and the same encoder.
        uses_unlabelled: whether it learns from `Trial.unlabelled`, so that a change of those images changes its result.
            An analysis gets none.
        trains_encoder: whether it leaves an encoder of its own (``weights["encoder"]``).
        keeps_head: whether it leaves the linear layer on the features (``weights["head"]``: ``weight`` (C, D), ``bias``
            (C,)) whose probabilities are its scores. It can then predict other images without a training.
        measures: what it measures beside, by name: each a `medssl_bench.metrics.Metric` without a function. Tables
            may have these as columns; other numbers in `Evaluation.metrics` are kept in records alone.
    """

    analysis: ClassVar[bool] = False
    needs: ClassVar[Needs] = "features"
    uses_seed: ClassVar[bool] = True
    uses_validation: ClassVar[bool] = True
    follows_criterion: ClassVar[bool] = False
    uses_unlabelled: ClassVar[bool] = False
    trains_encoder: ClassVar[bool] = False
    keeps_head: ClassVar[bool] = False
    measures: ClassVar[Mapping[str, Metric]] = {}

    @property
    def needs_validation(self) -> str:
        """What of it needs labelled validation images, such as the name of an option, or an empty string.

        A suite that has none for it, or that does not choose by them, is refused.
        """
        return ""

    def refuses(self, info: DatasetInfo) -> str:  # noqa: ARG002
        """Return why it cannot judge on such a data set, or an empty string."""
        return ""

    @property
    def tries_encoder(self) -> bool:
        """Whether `try_encoder` is called before a run, which takes the encoder to be built.

        Unless an evaluator says more, that is so if it defines that method.
        """
        return type(self).try_encoder is not Evaluator.try_encoder

    def try_encoder(self, encoder: nn.Module) -> None:  # noqa: B027 - nothing fails of most
        """Do to an encoder what may fail of its structure, before anything runs.

        Args:
            encoder: one of its own, without trained weights; in most cases on torch's meta device, without numbers.

        Raises:
            StageError: it cannot judge with such an encoder.
        """

    def images_seen(self, train: int) -> int:  # noqa: ARG002
        """Return how many images it trains an encoder on, given the number of labelled ones, for cost estimates."""
        return 0

    def passes(self, train: int) -> Passes | None:
        """Return how it trains on a number of labelled images, for cost estimates; None: it does not.

        Unless an evaluator says more, it trains on `images_seen` in batches of 128.
        """
        seen = self.images_seen(train)
        return Passes(epochs=max(1, seen // max(train, 1)), batch_size=128, validate_every=10) if seen else None

    @abstractmethod
    def evaluate(self, trial: Trial) -> Evaluation:
        """Judge one encoder on one cell."""

    @property
    def chooses_epoch(self) -> bool:
        """Whether it chooses the epoch that counts by validation images: not if it gets labels alone."""
        return self.needs != "labels" and self.uses_validation

    @property
    def judges_together(self) -> bool:
        """Whether cells are given to `evaluate_together`, several at once; if not, one at a time.

        Unless an evaluator says more, that is so if it defines that method.
        """
        return type(self).evaluate_together is not Evaluator.evaluate_together

    def evaluate_together(self, trials: Sequence[Trial]) -> list[Evaluation]:
        """Judge one encoder on several cells at once, where that is faster than one after the other.

        What is found of a cell must not depend, to the bit, on which others are judged with it: each is a stage of its
        own, which may also be computed alone. An evaluator that does not define this is given one cell at a time.

        Args:
            trials: of one data set, with the same features.
        """
        return [self.evaluate(trial) for trial in trials]
