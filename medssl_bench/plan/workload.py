"""How many images a stage processes, for estimates of its cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medssl_bench.plan.known_datasets import KnownDataset
    from medssl_bench.plugin.component import Component
    from medssl_bench.suite.budget import Budget


_DEPTH = {"resnet34": 2.0, "resnet50": 2.3}
"""Arithmetic of an encoder, where that of a ResNet-18 is 1."""


def effort(encoder: Component, size: int | None) -> float:
    """Return the arithmetic of one image, where a ResNet-18 at 28 pixels has 1; for rough estimates."""
    return _DEPTH.get(encoder.name, 1.0) * ((size or 28) / 28) ** 2


def labelled_images(budget: Budget, known: KnownDataset, total: int) -> int:
    """Return how many labelled images a budget is of a training split of `total`, as far as can be told."""
    number = budget.images(total) if budget.short != "error" or budget.amount <= total else total
    if number is not None:
        return number
    counts = known.info.class_counts if known.info else None
    return int(sum(min(count, budget.amount) for count in counts)) if counts else int(budget.amount) * 10


def pretraining_images(duration: dict[str, int], images: int, batch_size: int) -> int:
    """Return how many images a pretraining processes.

    Args:
        duration: one of ``epochs``, ``steps`` and ``images_seen``.
        images: how many there are.
        batch_size: images of a batch; an incomplete last one is dropped.
    """
    batch = min(batch_size, images)
    if "steps" in duration:
        return duration["steps"] * batch
    return duration.get("images_seen") or duration["epochs"] * (images // batch if batch else 0) * batch
