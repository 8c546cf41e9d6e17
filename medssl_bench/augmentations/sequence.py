"""A sequence of ops: one random view of every image of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.uniforms import uniforms
from medssl_bench.errors import UserError
from medssl_bench.randomness import stream


class Sequence(nn.Module):
    """Ops applied one after the other, with random streams of their own.

    Each op has its own stream, named after the op and its occurrence in the sequence: adding, removing or
    moving another op leaves its draws as they were.

    Args:
        ops: the ops, in order.
        size: side of the views in pixels; the ops must lead to it (the constructor cannot know that).

    Raises:
        UserError: one of them is not an op.
    """

    def __init__(self, ops: Iterable[Op], size: int) -> None:
        super().__init__()
        self.ops = nn.ModuleList(ops)
        for op in self.ops:
            if not isinstance(op, Op):
                raise UserError(
                    f"{type(op).__name__} is not an op of the harness (medssl_bench.augmentations.Op); "
                    "another module is an augmentation of its own, not a step of a sequence"
                )
        self.size = size
        self._columns: dict[tuple[object, ...], Tensor] = {}

    def forward(self, images: Tensor) -> Tensor:
        """Return one view of every image, on a stream drawn from torch's global generator.

        Args:
            images: (B, 3, H, W) float in [0, 1].

        Returns:
            (B, 3, size, size) float in [0, 1].
        """
        return self.view(images, int(torch.randint(2**62, ()).item()))

    def view(self, images: Tensor, key: int | Tensor, *, intensity: bool = True) -> Tensor:
        """Return one view of every image; the same key gives the same view.

        Args:
            images: (B, 3, H, W) float in [0, 1].
            key: seed of the view, in [0, 2**63); as a tensor on the device when the call is captured in a graph.
            intensity: False leaves out every op that is not geometric; the geometry stays as it is with them.

        Returns:
            (B, 3, size, size) float in [0, 1].
        """
        for identity, op in self._named():
            if not (intensity or op.geometric):
                continue
            columns = self._columns_of(identity, op, images)
            images = op(images, uniforms(key, len(images), columns))
        return images

    def _named(self) -> Iterable[tuple[str, Op]]:
        """Yield the ops that can act, each with the name of its stream."""
        seen: Counter[str] = Counter()
        for op in self.ops:
            assert isinstance(op, Op)
            if op.p <= 0:  # it must not take part in the counting either
                continue
            name = type(op).__name__
            yield f"{name}#{seen[name]}", op
            seen[name] += 1

    def _columns_of(self, identity: str, op: Op, images: Tensor) -> Tensor:
        """Return the numbers of an op's columns on the device of the images: the coin, then its draws."""
        _, channels, height, width = images.shape
        count = 1 + op.draws(channels, height, width)
        cached = (identity, count, images.device)
        if cached not in self._columns:
            numbers = [stream(f"op {identity}", column=column) for column in range(count)]
            self._columns[cached] = torch.tensor(numbers, dtype=torch.int64, device=images.device)
        return self._columns[cached]
