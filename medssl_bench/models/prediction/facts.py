"""What a classifier predicts and from which images: all that its weights do not say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from medssl_bench.datasets.base import LABELLED_TASKS, Task
from medssl_bench.datasets.new_images.kind import ImageKind
from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.plan.kinds.evaluate import EvaluateSpec

_OF_FILES = frozenset({"folder", "table"})
"""Data sets of files; older versions did not remember how these were read."""


@dataclass(frozen=True)
class Facts:
    """What a classifier predicts.

    Attributes:
        task: what the labels mean.
        classes: their names, in the order of the scores.
        images: what images it takes.
        precision: arithmetic of the encoder, as its scores were computed.
        notes: what its predictions must not be taken for, a line each.
    """

    task: Task
    classes: tuple[str, ...]
    images: ImageKind
    precision: Literal["float32", "bfloat16"]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, spec: EvaluateSpec, info: DatasetInfo | None) -> Self:
        """Return the facts of an evaluation.

        Args:
            spec: what was done.
            info: what is known of its data set.

        Raises:
            UserError: too little is known.
        """
        data = spec.dataset.component
        unknown = data.plugin == "datasets" and data.name in _OF_FILES and info is not None and info.files is None
        if info is None or unknown:
            raise UserError(
                f"how the images of data set {data.name!r} were read is not known here: an older version ran the "
                "suite, and the data are not here; do this once where they are"
            )
        precision = "float32"
        if spec.trains_encoder and spec.evaluator.parameters.get("precision") == "bfloat16":
            precision = "bfloat16"
        notes = ["it was trained on generated images, not on medical ones"] if info.generated else []
        if spec.epochs_scale < 1:
            notes.append(f"it was trained for {spec.epochs_scale:g} of the epochs of its recipe")
        if spec.shuffle_labels:
            notes.append("it is a control: its labels were shuffled")
        return cls(info.task, tuple(info.classes), ImageKind.of(info), precision, tuple(notes))  # type: ignore[arg-type]

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data, from which `from_data` makes it again."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Return the facts that `to_data` described.

        Raises:
            ValueError: they make no sense.
        """
        try:
            task, classes, images = Task(data["task"]), data["classes"], ImageKind.from_data(data["images"])
            precision, notes = data["precision"], data["notes"]
        except (TypeError, KeyError) as error:
            raise ValueError(f"{data!r} does not say what is predicted") from error
        if task not in LABELLED_TASKS or precision not in {"float32", "bfloat16"}:
            raise ValueError(f"task {task} with precision {precision!r} is none")
        for texts in (classes, notes):
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise ValueError(f"{texts!r} is not a list of texts")
        return cls(task, tuple(classes), images, precision, tuple(notes))
