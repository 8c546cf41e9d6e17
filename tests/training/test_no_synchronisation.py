"""The training step never waits for the device, and its shapes do not depend on values.

It runs here on torch's meta device, where tensors have shapes and no values: whatever would read a value back
(``item``, indexing by a mask, ``nonzero``) raises an error there. A watch finds what goes between host and device.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from medssl_bench.augmentations import views as drawing
from medssl_bench.augmentations.builtin import GEOMETRY, INTENSITY
from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.ops import HorizontalFlip
from medssl_bench.datasets import Split
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.methods import Progress
from medssl_bench.methods.simclr import SimCLR
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.view_maker import ViewMaker

META = torch.device("meta")
REGISTRY = load_plugins().registry
SEQUENCES = ["plain", "simclr", *sorted(name for name in REGISTRY.entries["augmentation"] if name.startswith("tau_"))]


class Crossings(TorchDispatchMode):
    """Writes down every operation that takes or gives tensors of two devices; scalars go along with a call."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        result = function(*arguments, **(named or {}))
        tensors = [leaf for leaf in tree_leaves((arguments, named, result)) if isinstance(leaf, torch.Tensor)]
        if len({tensor.device.type for tensor in tensors if tensor.ndim}) > 1:
            self.found.append(str(function))
        return result


def run_steps(
    augmentation: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    channels: int = 3,
    loss: str = "nt_xent",
    encoder: str = "test_resnet",
) -> None:
    method = SimCLR(TimmEncoder(encoder, 28), hidden=32, projection=16, temperature=0.5, loss=loss).to(META)
    shape = (20, 28, 28, 3) if channels == 3 else (20, 28, 28)
    train = DeviceImages(Split(np.zeros(shape, np.uint8), np.zeros((20, 1), np.int64)), META)
    maker = ViewMaker(method.views(), REGISTRY.resolve_or_raise("augmentation", augmentation), 28, REGISTRY, META, 0)
    # the first view of an augmentation is looked at, once in a process
    monkeypatch.setattr(drawing, "_check_values", lambda *_: None)
    for step in range(2):
        with Crossings() as watch:
            index = torch.empty(8, dtype=torch.int64, device=META)
            images = train.take(index)
            batch = train.batch(index, maker(images, "views", step), images)
            value, _ = method(batch, Progress(step, 2, 0))
            value.backward()
        if step:  # constants, such as the numbers of random columns, are sent with the first
            assert watch.found == []


def test_a_step_of_resnet_18(monkeypatch):
    run_steps("simclr", monkeypatch, encoder="resnet18")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", SEQUENCES)
def test_a_step_with_each_augmentation(name, channels, monkeypatch):
    run_steps(name, monkeypatch, channels=channels)


@pytest.mark.parametrize("name", [*GEOMETRY, *INTENSITY])
def test_a_step_with_each_op(name, monkeypatch):
    run_steps([name], monkeypatch)


def test_the_parameters_of_ops_that_change_their_way(monkeypatch):
    ops = [
        {"name": "resized_crop", "scale_of": "side"},
        {"name": "color_jitter", "hue": [-0.2, 0.2], "contrast": [0.5, 1.5], "order": "random"},
        {"name": "equalize", "rule": "equation", "strength": [0.2, 0.9]},
        {"name": "equalize", "region": [0.1, 0.5]},
    ]

    run_steps(ops, monkeypatch)


def test_a_loss_that_waits_for_the_device_is_found(monkeypatch):
    """lightly's indexes by a mask."""
    with pytest.raises((RuntimeError, NotImplementedError)):
        run_steps("plain", monkeypatch, loss="lightly")


def test_an_op_that_waits_for_the_device_is_found(monkeypatch):
    def peeking(self: Op, images: Tensor, uniforms: Tensor) -> Tensor:
        return images.flip(-1) if bool(uniforms.any()) else images

    monkeypatch.setattr(HorizontalFlip, "transform", peeking)
    with pytest.raises((RuntimeError, NotImplementedError)):
        run_steps(["horizontal_flip"], monkeypatch)


def test_what_is_sent_to_the_device_would_be_found():
    with Crossings() as watch:
        torch.zeros(3).to(META)

    assert watch.found == ["aten._to_copy.default"]
