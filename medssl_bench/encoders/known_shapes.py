"""How many features the built-in encoders give, known without building them: importing this module imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.encoders.patch import fitting_patch

if TYPE_CHECKING:
    from medssl_bench.plugin.component import Component

_FEATURES = {"resnet18": 512, "resnet34": 512, "resnet50": 2048, "vit_tiny": 192, "vit_small": 384}


def known_features(encoder: Component, size: int) -> int | None:
    """Return the length of an encoder's features, or None if only building it tells whether it can be made.

    Args:
        encoder: any encoder.
        size: side of the images in pixels.

    Raises:
        StageError: it takes no images of this size.
    """
    if encoder.plugin != "encoders" or encoder.name not in _FEATURES:
        return None
    if encoder.parameters["weights"] != "scratch" or encoder.parameters["weights_file"] is not None:
        return None
    if "patch" in encoder.parameters:
        fitting_patch(size, encoder.parameters["patch"])
    return _FEATURES[encoder.name]
