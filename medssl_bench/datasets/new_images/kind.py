"""What images a model takes, and how files become such images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from medssl_bench.datasets.file_reading import FileReading
from medssl_bench.datasets.pixel_choices import Choices
from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from medssl_bench.datasets.base import DatasetInfo
    from medssl_bench.datasets.pixel_choices import Fit


@dataclass(frozen=True)
class HowToRead:
    """How new files are read.

    Attributes:
        choices: range, fit and frame.
        strict: whether colour images are refused where the model takes grey ones.
        bits: how many bits a value files may have; None: any, as a range is chosen that fits all.
        resizes: whether images of other sizes are made to fit.
    """

    choices: Choices
    strict: bool
    bits: tuple[int, ...] | None
    resizes: bool


@dataclass(frozen=True)
class ImageKind:
    """What images a model takes.

    Attributes:
        size: side in pixels.
        channels: 1 (grey) or 3 (RGB), of the training images.
        files: how the files of the training images were read; None: they were arrays of this size.
    """

    size: int
    channels: int
    files: FileReading | None

    @classmethod
    def of(cls, info: DatasetInfo) -> Self:
        """Return the kind of a data set's images."""
        return cls(info.size, info.channels, info.files)

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Return what `dataclasses.asdict`, and JSON after it, made data of.

        Raises:
            ValueError: it makes no sense.
        """
        try:
            size, channels, files = data["size"], data["channels"], data["files"]
        except (TypeError, KeyError) as error:
            raise ValueError(f"{data!r} does not say what images are taken") from error
        if type(size) is not int or size < 1 or channels not in {1, 3}:
            raise ValueError(f"images of size {size!r} with {channels!r} channels are none")
        return cls(size, channels, None if files is None else FileReading.from_data(files))

    def reading(
        self,
        chosen_range: str | tuple[float, float] | None = None,
        fit: Fit | None = None,
        frame: int | None = None,
    ) -> HowToRead:
        """Return how new files are read: as those of the training, or, where these were arrays, as it is chosen.

        Args:
            chosen_range: values that become black and white.
            fit: what becomes of images of another size.
            frame: which image of files that hold several.

        Raises:
            UserError: the training says otherwise.
        """
        if self.files is None:
            bits = (8,) if chosen_range is None else None
            choices = Choices(chosen_range, fit or "crop", frame)
            return HowToRead(choices, strict=True, bits=bits, resizes=fit is not None)
        own = self.files.choices
        asked: tuple[tuple[str, Any, Any], ...] = (
            ("range", chosen_range, own.range),
            ("fit", fit, own.fit),
            ("frame", frame, own.frame),
        )
        for name, value, trained in asked:
            may_differ = name == "frame" and trained is None
            if value not in {None, trained} and not may_differ:
                said = "none" if trained is None else trained if isinstance(trained, str | int) else list(trained)
                raise UserError(f"--{name}: the model was trained on files read with {name} = {said}; leave it out")
        choices = Choices(own.range, own.fit, own.frame if frame is None else frame)
        depends = own.range is None or isinstance(own.range, tuple)
        return HowToRead(choices, self.files.strict, self.files.bits if depends else None, resizes=True)
