"""Which corruptions there are, and their parameters. Importing this module imports no torch.

Names are those of MedMNIST-C (Di Salvo, Doerrich and Ledig 2024), whose parameters differ from data set to data set and
are meant for 224 pixels. Here a corruption has one list of parameters for all data sets. Lengths are shares of the
image's side, so that they mean the same at every size; those of blurs are larger than in MedMNIST-C, where they would
be less than a pixel of 28. Deviations of noise are shares of the value range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERITIES = (1, 2, 3, 4, 5)
"""From mild to strong."""

REVISION = 1
"""Raise it if a corruption gives other images than before."""


@dataclass(frozen=True)
class Corruption:
    """A corruption.

    Attributes:
        parameter: what its parameter is.
        values: the parameter at each severity.
        colour: whether it changes colour images alone.
        special: whether it belongs to one kind of images, and is used only where a suite names it.
    """

    parameter: str
    values: tuple[float, float, float, float, float]
    colour: bool = False
    special: bool = False


CORRUPTIONS: dict[str, Corruption] = {
    "pixelate": Corruption("share of the side's pixels that are left", (0.8, 0.65, 0.5, 0.4, 0.3)),
    "jpeg_compression": Corruption("quality", (50, 30, 15, 10, 7)),
    "gaussian_noise": Corruption("deviation", (0.04, 0.08, 0.12, 0.18, 0.26)),
    "speckle_noise": Corruption("deviation, times the value", (0.05, 0.15, 0.2, 0.35, 0.45)),
    "impulse_noise": Corruption("share of values that become black or white", (0.01, 0.03, 0.06, 0.09, 0.17)),
    "shot_noise": Corruption("photons of a white value", (60, 25, 18, 10, 5)),
    "gaussian_blur": Corruption("deviation, share of the side", (0.015, 0.025, 0.035, 0.05, 0.07)),
    "defocus_blur": Corruption("radius of a disc, share of the side", (0.025, 0.035, 0.045, 0.06, 0.08)),
    "motion_blur": Corruption("deviation along a line, share of the side", (0.025, 0.035, 0.05, 0.07, 0.1)),
    "brightness_up": Corruption("factor", (1.1, 1.2, 1.3, 1.4, 1.5)),
    "brightness_down": Corruption("factor", (0.9, 0.8, 0.7, 0.6, 0.5)),
    "contrast_up": Corruption("factor", (1.1, 1.2, 1.3, 1.4, 1.6)),
    "contrast_down": Corruption("factor", (0.8, 0.7, 0.6, 0.5, 0.4)),
    "gamma_corr_up": Corruption("exponent", (1.1, 1.2, 1.3, 1.4, 1.6)),
    "gamma_corr_down": Corruption("exponent", (0.9, 0.8, 0.7, 0.6, 0.4)),
    "saturate": Corruption("added to the saturation", (0.05, 0.1, 0.15, 0.2, 0.25), colour=True),
    "stain_deposit": Corruption("largest number of dark marks", (1, 2, 3, 4, 5), special=True),
    "bubble": Corruption("largest radius, share of the side", (0.03, 0.045, 0.055, 0.065, 0.075), special=True),
}


def usual(channels: int | None) -> tuple[str, ...]:
    """Return the names of the corruptions for any kind of images.

    Args:
        channels: 1 (grey), 3, or None where it is not known: as 3.
    """
    return tuple(name for name, each in CORRUPTIONS.items() if not each.special and not (each.colour and channels == 1))


def parameters(name: str, severities: Iterable[int]) -> list[float]:
    """Return the parameters of a corruption at some severities."""
    return [CORRUPTIONS[name].values[severity - 1] for severity in severities]
