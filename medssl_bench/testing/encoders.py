"""The contract of encoders."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.encoders.recordable import is_recordable
from medssl_bench.randomness import forked
from medssl_bench.testing.capabilities import capability_steps
from medssl_bench.testing.checking import Group, require, untouched_generators
from medssl_bench.testing.playback import PLAYS_BACK, plays_back
from medssl_bench.testing.small_data import SIZE, small_images
from medssl_bench.training.optimizer import make_optimizer
from medssl_bench.training.recording import Recorder
from medssl_bench.training.steps import Steps

Build = Callable[[int], nn.Module]


def encoder_steps(build: Build) -> list[Group]:
    """Return the steps for an encoder.

    Args:
        build: makes it for images of a size.

    Raises:
        Failed: what it makes is no module.
    """
    made = _make(build)
    require(isinstance(made, nn.Module), f"the factory gives {type(made).__name__}, not an nn.Module")
    independent = "images do not depend on one another in evaluation mode"
    return [
        [("features", lambda: _features(build))],
        [
            ("gradients", lambda: _gradients(build)),
            ("the same seed gives the same weights", lambda: _seeded(build)),
            (independent, lambda: _independent(build)),
        ],
        [("weights can be saved and loaded", lambda: _round_trip(build))],
        capability_steps(lambda: _make(build)),
        [
            (PLAYS_BACK, lambda: plays_back(lambda recorder: _trained(build, recorder), claimed=is_recordable(made))),
            ("global random state is untouched in evaluation mode", lambda: _untouched(build)),
        ],
    ]


def _make(build: Build, seed: int = 0, size: int = SIZE) -> nn.Module:
    with forked(seed):
        return build(size)


def _features(build: Build) -> str:
    for size in (SIZE, 64):
        encoder = _make(build, size=size)
        dim = feature_dim(encoder)
        for training in (True, False):
            features = encoder.train(training)(small_images(4, size))
            require(tuple(features.shape) == (4, dim), f"4 images give {tuple(features.shape)}; dim says (4, {dim})")
            require(features.dtype == torch.float32, f"features are {features.dtype}, not float32")
            require(torch.isfinite(features).all(), "some features are not finite numbers")
    return f"(B, {dim}) float32 of {SIZE} and 64 pixels, in training and evaluation mode"


def _gradients(build: Build) -> str:
    encoder = _make(build).train()
    if not any(True for _ in encoder.parameters()):
        return "it has no parameters, so nothing is trained"
    encoder(small_images(4)).square().sum().backward()
    wanted = [(name, value) for name, value in encoder.named_parameters() if value.requires_grad]
    require(wanted, "no parameter wants a gradient")
    without = [name for name, value in wanted if value.grad is None]
    require(not without, f"no gradient reaches {', '.join(without[:3])}")
    nonzero = any(float(value.grad.abs().sum()) > 0 for _, value in wanted if value.grad is not None)
    require(nonzero, "the gradients of all parameters are zero")
    return f"reach all {len(wanted)} parameters"


def _seeded(build: Build) -> str:
    first, second = (_make(build, 5).state_dict() for _ in range(2))
    for name, value in first.items():
        require(torch.equal(value, second[name]), f"{name} differs; draw weights from torch's generator alone")
    return "yes"


def _round_trip(build: Build) -> str:
    one, other = _make(build, 1).eval(), _make(build, 2).eval()
    other.load_state_dict(one.state_dict())
    with torch.no_grad():
        same = torch.equal(one(small_images(4)), other(small_images(4)))
    require(same, "an encoder with loaded weights gives other features; keep all state in parameters and buffers")
    return "the features stay the same"


def _independent(build: Build) -> str:
    encoder, images = _make(build).eval(), small_images(5)
    with torch.no_grad():
        together, again, alone = encoder(images), encoder(images), encoder(images[:1])
    require(torch.equal(together, again), "two passes over the same images give different features")
    scale = float(together.abs().max()) or 1.0
    worst = float((together[:1] - alone).abs().max()) / scale
    require(worst < 1e-4, f"an image's features change by {worst:.1e} (relative) with the rest of the batch")
    return "yes"


def _untouched(build: Build) -> str:
    encoder = _make(build).eval()
    with torch.no_grad(), untouched_generators():
        encoder(small_images(2))
    return "yes"


def _trained(build: Build, recorder: Recorder | None) -> dict[str, Tensor]:
    """Return what an encoder is after some steps, a few of them played back where there is a recorder."""
    encoder = _make(build).train()
    groups = [{"params": [parameter for parameter in encoder.parameters() if parameter.requires_grad]}]
    optimizer = make_optimizer(groups, {"name": "adam", "lr": 2**-10, "weight_decay": 0.0}, recorded=True)

    def step(images: Tensor) -> dict[str, Tensor]:
        optimizer.zero_grad(set_to_none=True)
        loss = encoder(images).square().mean()
        if loss.requires_grad:  # one without parameters has none
            loss.backward()
            optimizer.step()
        return {"loss": loss.detach()}

    steps = Steps(encoder, optimizer, recorder)
    for number in range(7):
        with forked(number):
            steps.do(step, small_images(4).roll(number, dims=-1))
    return encoder.state_dict()
