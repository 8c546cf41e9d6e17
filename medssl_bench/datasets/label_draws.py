"""Which images of a split are labelled, for each draw; and which are used at all, in a pretraining."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets.budget import Budget
from medssl_bench.errors import StageError
from medssl_bench.randomness import generator


def draw_labels(
    labels: NDArray[np.int64],
    budget: Budget,
    draw: int,
    *,
    split: str = "train",
    classes: int | None = None,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the places of the images whose labels are used.

    The images are the first ones of one random order of the split, so budgets are nested: the 100 are among the
    250. The order depends on the draw alone, so every arm gets the same images. With ``per_class`` the first N of
    each class in that order are taken; stratified, the order itself keeps the class proportions in every beginning.
    With ``groups`` the groups have a random order, and all images of the first N are taken: those of 10 patients are
    among those of 20.

    Args:
        labels: (N, L) labels of the split.
        budget: how many.
        draw: number of the draw.
        split: name of the split; the splits have unrelated orders.
        classes: number of classes of the data set; None: those that the split has.
        groups: (N,) which images belong together, for a budget in groups.

    Returns:
        (n,) int64, in the order of the draw; for ``all`` in the order of the split.

    Raises:
        StageError: the split has too few images or groups, and the budget does not say to take what there is.
    """
    total = len(labels)
    if budget.unit == "none":
        return np.empty(0, dtype=np.int64)
    if budget.unit == "all":
        return np.arange(total)
    if budget.unit == "groups":
        return _of_groups(groups, budget, draw, split)
    order = generator("label draw", split=split, draw=draw).permutation(total)
    if budget.unit == "per_class":
        return _per_class(labels[:, 0], order, budget, classes or int(labels.max()) + 1)
    if budget.stratified:
        order = _stratify(labels[:, 0], order)
    try:
        return order[: budget.images(total)]
    except ValueError as error:
        raise StageError(str(error)) from error


def draw_unlabelled(total: int, budget: Budget, seed: int) -> NDArray[np.int64]:
    """Return the places of the images that a pretraining uses, in ascending order; budgets are nested.

    Args:
        total: number of training images.
        budget: how many.
        seed: the training seed.

    Raises:
        StageError: there are too few images.
    """
    if budget.unit == "all":
        return np.arange(total)
    try:
        number = budget.images(total)
    except ValueError as error:
        raise StageError(str(error)) from error
    return np.sort(generator("unlabelled images", seed=seed).permutation(total)[:number])


def _of_groups(groups: NDArray[np.int64] | None, budget: Budget, draw: int, split: str) -> NDArray[np.int64]:
    """Return the places of the images of some groups, group by group."""
    if groups is None:
        raise StageError(f"{budget.text} are asked for, and the {split} images have no groups")
    number, which = np.unique(groups, return_inverse=True)
    if budget.short != "clip" and len(number) < budget.amount:
        raise StageError(f"{budget.text} are asked for, and the {split} images are of {len(number)}")
    rank = generator("group draw", split=split, draw=draw).permutation(len(number))[which.reshape(-1)]
    taken = np.flatnonzero(rank < budget.amount)
    return taken[np.argsort(rank[taken], kind="stable")]


def _per_class(
    classes: NDArray[np.int64], order: NDArray[np.int64], budget: Budget, classes_in_all: int
) -> NDArray[np.int64]:
    number = int(budget.amount)
    taken = _rank_in_class(classes[order]) < number
    counts = np.bincount(classes[order[taken]], minlength=classes_in_all)
    if budget.short != "clip" and (counts < number).any():
        scarce = int(np.argmin(counts))
        raise StageError(f"class {scarce} has {counts[scarce]} images, fewer than {number} per class")
    return order[taken]


def _stratify(classes: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order rearranged so that each beginning of it has about the proportions of the whole.

    The r-th image of a class of n images is put at (r + 1/2) / n; images of one class keep their order.
    """
    shuffled = classes[order]
    place = (_rank_in_class(shuffled) + 0.5) / np.bincount(shuffled)[shuffled]
    return order[np.argsort(place, kind="stable")]


def _rank_in_class(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each item, how many items of its class stand before it."""
    by_class = np.argsort(classes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(classes))])[classes[by_class]]
    ranks = np.empty(len(classes), dtype=np.int64)
    ranks[by_class] = np.arange(len(classes)) - starts
    return ranks
