"""The contract of augmentations and ops."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medssl_bench.augmentations.ops import Resize
from medssl_bench.augmentations.per_image import copies, shared_draws
from medssl_bench.augmentations.sequence import Sequence
from medssl_bench.augmentations.views import draw_view, has_own_streams
from medssl_bench.testing.checking import Group, require, untouched_generators
from medssl_bench.testing.small_data import SIZE, small_images

Build = Callable[[int], nn.Module]
_KEYS = range(8)


def op_steps(build: Callable[[int], nn.Module]) -> list[Group]:
    """Return the steps for an op: it is checked as the only op of a sequence."""
    return view_steps(lambda size: Sequence([build(size), Resize(size)], size))  # type: ignore[list-item]


def view_steps(build: Build) -> list[Group]:
    """Return the steps for an augmentation.

    Args:
        build: makes it for views of a size.

    Raises:
        Failed: what it makes is no module.
    """
    made = build(SIZE)
    require(isinstance(made, nn.Module), f"the factory gives {type(made).__name__}, not an nn.Module")
    return [
        [("values in [0, 1]", lambda: _values(build))],
        [("views of every image", lambda: _shapes(build))],
        [
            ("images are left as they are", lambda: _keeps_input(build)),
            ("global random state is untouched", lambda: _untouched(build)),
        ],
        [("grey images", lambda: _grey(build))],
        [("the same key gives the same view", lambda: _repeats(build))],
        [
            ("another key gives another view", lambda: _differs(build)),
            ("every image has draws of its own", lambda: _own_draws(build)),
            ("a view does not depend on the other images", lambda: _alone(build)),
            ("own random streams", lambda: _streams(build)),
        ],
    ]


def _shapes(build: Build) -> str:
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for device in devices:  # that a view stays on the device is checked where it is drawn
        for count, size in ((4, SIZE), (1, SIZE), (2, 64)):
            module = build(size).to(device)
            for side in (SIZE, 40):
                shape = tuple(draw_view(module, small_images(count, side).to(device), 1).shape)
                require(shape == (count, 3, size, size), f"{count} images of {side} px give {shape} for size {size}")
    return f"of {SIZE} and 64 pixels, also of a single image, on {' and '.join(devices)}"


def _limits(module: nn.Module, images: Tensor) -> tuple[float, float]:
    """Return the lowest and the highest value of a few views."""
    low, high = 1.0, 0.0
    for key in _KEYS:
        view = draw_view(module, images, key)
        require(view.dtype == torch.float32, f"views are {view.dtype}, not float32")
        require(torch.isfinite(view).all(), "some values are not finite numbers")
        low, high = min(low, float(view.min())), max(high, float(view.max()))
    require(low >= -1e-3 and high <= 1 + 1e-3, f"values run from {low:.3g} to {high:.3g}")
    return low, high


def _values(build: Build) -> str:
    images = torch.cat([small_images(4), torch.zeros(1, 3, SIZE, SIZE), torch.ones(1, 3, SIZE, SIZE)])
    low, high = _limits(build(SIZE), images)
    return f"from {low:.2g} to {high:.2g}, float32"


def _grey(build: Build) -> str:
    _limits(build(SIZE), small_images(4, channels=1))
    return "expanded to three channels"


def _repeats(build: Build) -> str:
    module, images = build(SIZE), small_images(4)
    first = draw_view(module, images, 7)
    draw_view(module, images, 8)
    require(torch.equal(first, draw_view(module, images, 7)), "two views of one key differ")
    require(torch.equal(first, draw_view(build(SIZE), images, 7)), "two modules give one key different views")
    return "also by another module"


def _differs(build: Build) -> str:
    module, images = build(SIZE), small_images(16)
    first = draw_view(module, images, _KEYS[0])
    same = all(torch.equal(first, draw_view(module, images, key)) for key in _KEYS[1:])
    return "no: it is deterministic" if same else "yes"


def _own_draws(build: Build) -> str:
    wrong = shared_draws(lambda: build(SIZE), copies(SIZE, 16), batches=32)
    require(not wrong, wrong)
    return "yes"


def _alone(build: Build) -> str:
    """Check that an image's view stays the same when the others are changed; what is drawn stays the same."""
    module, images = build(SIZE), small_images(6)
    extremes = torch.stack([torch.zeros_like(images[0]), torch.ones_like(images[0])]).repeat(3, 1, 1, 1)
    places = (0, 5) if has_own_streams(module) else (0,)  # of others, what an image draws may follow what others draw
    for place in places:
        for others in (extremes, images / 4):
            before, after = images.clone(), others.clone()
            before[place] = after[place] = images[place] / 2
            for key in _KEYS:
                one, other = (draw_view(module, batch, key)[place] for batch in (before, after))
                worst = float((one - other).abs().max())
                require(
                    worst < 1e-4,
                    f"an image's view changes by {worst:.2g} with the other images of its batch; compute what it needs "
                    "of each image by itself (a method may mix images, an augmentation may not)",
                )
    return "yes"


def _keeps_input(build: Build) -> str:
    module, images = build(SIZE), small_images(4)
    before = images.clone()
    for key in _KEYS:
        draw_view(module, images, key)
        require(torch.equal(images, before), "it changes the images it is given; work on a copy")
    return "yes"


def _untouched(build: Build) -> str:
    with untouched_generators():
        draw_view(build(SIZE), small_images(4), 3)
    return "yes"


def _streams(build: Build) -> str:
    if has_own_streams(build(SIZE)):
        return "yes"
    return "no: it runs under forked global generators; reproducible, but slower than the harness' own ops"
