"""The steps that the thesis' sequences are made of, with its parameters (sec. 3.2.1 and 4.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from medssl_bench.augmentations.ops import ColorJitter, GaussianBlur, Grayscale, HorizontalFlip, ResizedCrop
from medssl_bench_thesis.readings import Reading, chosen

if TYPE_CHECKING:
    from medssl_bench.augmentations import Op

_FACTORS = {"strong": (0.5, 1.5), "weak": (0.8, 1.2)}
_HUES = {"strong": (-0.1, 0.1), "weak": (-0.04, 0.04)}


def flip() -> Op:
    """Return the random horizontal flip, eq. (3.1)."""
    return HorizontalFlip(0.5)


def crop(size: int, scale: tuple[float, float], scale_of: Literal["area", "side"]) -> Op:
    """Return the random crop-and-resize, eq. (3.2) for ``side``."""
    return ResizedCrop(size, scale, scale_of)


def jitter(
    strength: Literal["strong", "weak"], reading: Reading, p: float | None, order: Literal["fixed", "random"] | None
) -> Op:
    """Return the random colour distortion, eq. (3.3): ``strong`` is tau_nat's, ``weak`` is tau_nov's."""
    factors, hue = _FACTORS[strength], _HUES[strength]
    return ColorJitter(
        factors,
        factors,
        factors,
        hue,
        order=chosen(order, reading, text="fixed", code="random"),
        p=chosen(p, reading, text=1.0, code=0.8),
    )


def grayscale(reading: Reading, weights: Literal["mean", "luma"] | None, p: float = 0.2) -> Op:
    """Return the random greyscale, eq. (3.5)."""
    return Grayscale(p, chosen(weights, reading, text="mean", code="luma"))


def blur() -> Op:
    """Return the Gaussian blur, eq. (3.6)."""
    return GaussianBlur(9, (0.1, 2.0))


def natural(crop: Op, jitter: Op, grayscale: Op) -> list[Op]:
    """Return the five steps that tau_nat consists of and tau_nov begins with, in the thesis' order."""
    return [flip(), crop, jitter, grayscale, blur()]
