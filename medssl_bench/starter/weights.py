"""Whether the ImageNet weights of a ResNet-18 are on this machine. Importing this module imports no torch."""

from __future__ import annotations

REPOSITORY = "timm/resnet18.a1_in1k"
"""Where timm's ``resnet18`` has them from; a test holds it against timm."""

_FILES = ("model.safetensors", "pytorch_model.bin")


def are_here() -> bool:
    """Return whether they are in the cache; as `medssl_bench.encoders.pretrained.are_here`, in no time."""
    from huggingface_hub import try_to_load_from_cache

    return any(isinstance(try_to_load_from_cache(REPOSITORY, file), str) for file in _FILES)
