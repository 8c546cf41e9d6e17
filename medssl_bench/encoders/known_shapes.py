"""How many features the built-in encoders give, known without building them: importing this module imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.encoders.patch import fitting_patch

if TYPE_CHECKING:
    from medssl_bench.plugin.component import Component

_RESNETS = {"resnet18": 512, "resnet34": 512, "resnet50": 2048}
_FEATURES = {**_RESNETS, "vit_tiny": 192, "vit_small": 384}
_OF_TIMM = {**_RESNETS, "test_resnet": 96}
"""Models that ``timm`` makes as well, for images of any size. The last is timm's own for tests."""

_AS_IS = {
    "revision": None, "input_size": None, "fit": "resize", "interpolation": "auto", "crop_pct": 1.0, "mean": None,
    "std": None, "pooling": None,
}  # fmt: skip
"""What ``timm`` is given where images, normalisation and features are the usual ones."""


def known_features(encoder: Component, size: int) -> int | None:
    """Return the length of an encoder's features, or None if only building it tells whether it can be made.

    Args:
        encoder: any encoder.
        size: side of the images in pixels.

    Raises:
        StageError: it takes no images of this size.
    """
    if encoder.plugin != "encoders":
        return None
    given = encoder.parameters
    features = _OF_TIMM.get(given["model"]) if encoder.name == "timm" else _FEATURES.get(encoder.name)
    if features is None:
        return None
    if given["weights"] != "scratch" or given["weights_file"] is not None or given.get("options"):
        return None
    if any(given.get(name) not in (None, plain) for name, plain in _AS_IS.items()):
        return None
    if "patch" in given:
        fitting_patch(size, given["patch"])
    return features
