"""How many labels a first suite compares at: what fits the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets.base import Task

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo

Label = int | str | dict[str, int]

_ROUND = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_ROUND_GROUPS = (5, 10, 20, 50, 100, 200, 500)
_EACH = 3
"""Least labels of each class, in the mean, of the smallest budget."""


def label_budgets(info: DatasetInfo) -> list[Label]:
    """Return up to three budgets, the last of which is all labels.

    The others are at most half of what there is. Where images have patients, they are in patients: a study asks for
    more patients, not for more images.
    """
    classes = max(2, len(info.classes)) if info.task is not Task.MULTI_LABEL else 2
    groups = info.group_counts["train"] if info.group_counts else 0
    images = info.counts["train"]
    if groups and images >= 2 * groups:
        fitting = [n for n in _ROUND_GROUPS if 2 * n <= groups and n * images / groups >= _EACH * classes]
        if fitting:
            return [*({"groups": number} for number in _two(fitting)), "all"]
    return [*_two([n for n in _ROUND if 2 * n <= images and n >= _EACH * classes]), "all"]


def _two(numbers: list[int]) -> list[int]:
    """Return the smallest number and the largest that is at most ten times as many."""
    if len(numbers) < 2:
        return numbers
    return [numbers[0], max(number for number in numbers[1:] if number <= max(10 * numbers[0], numbers[1]))]
