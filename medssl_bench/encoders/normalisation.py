"""Mean and standard deviation that an encoder takes off its images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Normalize = Literal["auto", "half", "imagenet"]
Channels = tuple[float, ...]


def normalisation(
    normalize: Normalize,
    given: tuple[Sequence[float] | None, Sequence[float] | None],
    config: Mapping[str, Any] | None,
    channels: int,
) -> tuple[Channels, Channels]:
    """Return mean and standard deviation of each channel of images in [0, 1].

    Args:
        normalize: ``half`` (0.5 and 0.5), ``imagenet``, or ``auto``: what is given, that of the weights, or half.
        given: mean and standard deviation of the suite, each of one number or one for each channel.
        config: timm's configuration of the trained weights; None: there are none, or they are those of a file.
        channels: 1 or 3.

    Raises:
        StageError: they contradict each other, or do not fit the channels.
    """
    mean, std = require_both(*given)
    if mean is not None and std is not None:
        if normalize != "auto":
            raise StageError(f"normalize = {normalize!r} and mean and std contradict each other: write one of them")
        return _of_channels(mean, channels, "mean"), _of_channels(std, channels, "std")
    if normalize == "imagenet":
        found = (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    elif normalize == "auto" and config is not None:
        found = _of_config(config)
    else:
        return (0.5,) * channels, (0.5,) * channels
    if len(found[0]) != channels:
        raise StageError(
            f"the model takes images of {channels} channel, and the known normalisation is of {len(found[0])}: write "
            f"mean and std, of one number each"
        )
    return tuple(found[0]), tuple(found[1])


def _of_config(config: Mapping[str, Any]) -> tuple[Channels, Channels]:
    mean, std = config["mean"], config["std"]
    if not all(isinstance(each, list | tuple) and each for each in (mean, std)):
        raise StageError(
            f"the configuration of its weights has mean = {mean} and std = {std}, which are no numbers of each "
            f"channel: write mean and std"
        )
    return tuple(mean), tuple(std)


def require_both(
    mean: Sequence[float] | None, std: Sequence[float] | None
) -> tuple[Sequence[float] | None, Sequence[float] | None]:
    """Return mean and standard deviation as they are given.

    Raises:
        StageError: one is given without the other, or they are of pixels up to 255.
    """
    if (mean is None) != (std is None):
        raise StageError("mean and std belong together: write both, or none")
    if mean is not None and max(mean, default=0) > 1:
        raise StageError(f"mean = {list(mean)} is not of pixels in [0, 1]: divide mean and std by 255")
    if std is not None and max(std, default=0) > 1:
        raise StageError(f"std = {list(std)} is not of pixels in [0, 1], whose deviation is below 1: divide it by 255")
    return mean, std


def _of_channels(numbers: Sequence[float], channels: int, name: str) -> Channels:
    if len(numbers) not in {1, channels}:
        raise StageError(f"{name} = {list(numbers)} has {len(numbers)} numbers; the model has {channels} channels")
    if name == "std" and min(numbers) <= 0:
        raise StageError(f"std = {list(numbers)}: a standard deviation is above 0")
    return tuple(numbers) * (channels if len(numbers) == 1 else 1)
