"""Whether an augmentation draws for each image of a batch, or once for the whole batch.

Transforms of other libraries often draw once in a call (torchvision's, Kornia's with ``same_on_batch=True``): every
image of a batch then gets the same crop. Copies of one image show it. If each has draws of its own, they are
exchangeable: which of them shared a batch cannot be seen in their views.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.sequence import Sequence
from medssl_bench.augmentations.views import draw_view
from medssl_bench.errors import StageError
from medssl_bench.randomness import forked, generator, stream

_ROUNDS, _SHUFFLES = 3, 999
"""An augmentation is refused if it stands out among so many shuffles, in each of so many rounds: of 10^9 that draw for
each image, about one would be."""

_ROWS = "each image has a row of uniform numbers of its own, and no other row may matter to it"
_ONCE = (
    "it draws once for a whole batch, so that all images of a batch get the same crop, flip or colours; apply it to "
    'each image by itself ("Once for each image" in docs/how-to/plugins/augmentation.md), or set same_on_batch=False'
)

_SAME = 1e-4
"""What rounding may change in a view, whose values are in [0, 1]."""


def require_own_draws(build: Callable[[], nn.Module], what: str, images: Tensor, *, intensity: bool = True) -> None:
    """Refuse an augmentation that draws once for a whole batch.

    Args:
        build: as of `shared_draws`.
        what: what to call it, such as ``augmentation 'soft'``.
        images: as of `shared_draws`.
        intensity: as of `shared_draws`.

    Raises:
        StageError: it does.
    """
    wrong = shared_draws(build, images, intensity=intensity)
    if wrong:
        raise StageError(f"{what}: {wrong}")


def shared_draws(build: Callable[[], nn.Module], images: Tensor, *, intensity: bool = True, batches: int = 16) -> str:
    """Say how an augmentation draws once for a whole batch, wholly or in a part of it; an empty string: it does not.

    One without any randomness does not, nor one that seldom acts. A sequence of ops is asked exactly, op by op; of
    another module a few batches are drawn and compared. No random stream of a training is touched, and the module that
    is tried is one of its own.

    Args:
        build: makes the augmentation.
        images: copies of one image as the training loop hands them over, (B, 3, H, W) float in [0, 1]: see `copies`.
        intensity: False tries the geometry alone.
        batches: how many to draw; more of them find draws that seldom matter.
    """
    with forked(0):
        module = build()
    if isinstance(module, Sequence):
        shared = _shared_ops(module, images, intensity=intensity)
        return f"the draws of one image decide the views of others, in {', '.join(shared)}; {_ROWS}" if shared else ""
    return _ONCE if _draws_once(module, images, intensity=intensity, batches=batches) else ""


def copies(size: int, count: int = 8, device: torch.device | str = "cpu") -> Tensor:
    """Return copies of an image on which every usual transform shows, (count, 3, size, size) float in [0, 1].

    Each channel brightens in another direction, under fine noise; they lie in memory as RGB images of a training do.
    """
    line = torch.linspace(0.2, 0.8, size)
    across, down = line[:, None].T.expand(size, size), line[:, None].expand(size, size)
    noise = torch.from_numpy(generator("probe").uniform(-0.2, 0.2, (size, size, 3))).float()
    image = (torch.stack([across, down, (across + 1 - down) / 2], dim=2) + noise).clamp(0, 1)
    return image.repeat(count, 1, 1, 1).to(device).permute(0, 3, 1, 2)


def _shared_ops(sequence: Sequence, images: Tensor, *, intensity: bool) -> list[str]:
    """Return the ops by which the draws of one image change the view of another."""
    found = []
    for op in sequence.ops:
        assert isinstance(op, Op)
        if op.p <= 0 or not (intensity or op.geometric):
            continue
        if _is_shared(op, images):
            found.append(type(op).__name__)
        own = torch.full((1, 1 + op.draws(*images.shape[1:])), 0.5, device=images.device)
        images = op(images, own.expand(len(images), -1))  # still copies of one image
    return found


def _is_shared(op: Op, images: Tensor) -> bool:
    count, columns = len(images), 1 + op.draws(*images.shape[1:])
    for trial in range(3):
        drawn = generator("draws of an op", trial=trial).random((count, columns), dtype=np.float32)
        drawn[:, 0] = 0.0  # it acts
        uniforms = torch.from_numpy(drawn).to(images.device)
        others = (uniforms + 0.5) % 1.0  # as far away as can be
        others[:, 0] = 1 - 2**-24  # it does not act, unless it always does
        before = op(images, uniforms)
        for place in (0, count - 1):
            mixed = others.clone()
            mixed[place] = uniforms[place]
            if not torch.allclose(op(images, mixed)[place], before[place], atol=_SAME, rtol=0):
                return True
    return False


def _draws_once(module: nn.Module, images: Tensor, *, intensity: bool, batches: int) -> bool:
    """Return whether copies of an image are repeatedly more alike within a batch than between batches."""
    for number in range(_ROUNDS):
        keys = [stream("copies", round=number, batch=batch) for batch in range(batches)]
        views = [draw_view(module, images, key, intensity=intensity) for key in keys]
        seen = torch.stack([_described(view) for view in views]).double().cpu().numpy()
        if not _stands_out(seen, generator("shuffles", round=number)):
            return False
    return True


def _described(views: Tensor) -> Tensor:
    """Return numbers on which transforms leave their mark, (B, F): tones, contrasts, slopes, sharpness, saturation."""
    height, width = views.shape[2:]
    across = torch.linspace(-1, 1, width, device=views.device)
    down = torch.linspace(-1, 1, height, device=views.device)[:, None]
    mean = views.mean(dim=(2, 3))
    spread = views.std(dim=(2, 3))
    shape = (views - mean[:, :, None, None]) / (spread[:, :, None, None] + 1e-3)
    marks = [across, down, across * down, across**2 + down**2]
    found = [mean, spread, *((shape * mark).mean(dim=(2, 3)) for mark in marks)]
    found += [(shape[..., 1:] - shape[..., :-1]).abs().mean(dim=(2, 3))]
    found += [(views.amax(dim=1) - views.amin(dim=1)).mean(dim=(1, 2))[:, None]]
    return torch.cat(found, dim=1)


def _stands_out(seen: NDArray[np.float64], random: np.random.Generator) -> bool:
    """Return whether batches differ more than any that are shuffled together from the same views.

    For each number it is the share of the variance of its ranks that lies between batches; the largest share counts.

    Args:
        seen: (batches, copies, F).
        random: shuffles.
    """
    batches, count, numbers = seen.shape
    ranks = _ranks(seen.reshape(-1, numbers).round(5))
    ranks -= ranks.mean(axis=0)
    whole = (ranks**2).sum(axis=0)
    ranks = ranks[:, whole > 0] / np.sqrt(whole[whole > 0])
    if not ranks.size:
        return False  # all views are the same: nothing is drawn

    def between(order: NDArray[np.int64]) -> float:
        sums = ranks[order].reshape(batches, count, -1).sum(axis=1)
        return float((sums**2).sum(axis=0).max() / count)

    found = between(np.arange(len(ranks)))
    return all(between(random.permutation(len(ranks))) < found * (1 - 1e-9) for _ in range(_SHUFFLES))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value in its column; equal ones share the mean of theirs."""
    found = np.empty_like(values)
    for column in range(values.shape[1]):
        _, places, counts = np.unique(values[:, column], return_inverse=True, return_counts=True)
        found[:, column] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return found
