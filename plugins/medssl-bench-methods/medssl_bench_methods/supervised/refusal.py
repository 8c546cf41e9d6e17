"""What the evaluators of this family cannot judge. Importing this module imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets import Task

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo


def needs_one_class(info: DatasetInfo) -> str:
    """Return why images with several labels are refused, or an empty string."""
    return "its images have several labels, and it needs one class an image" if info.task is Task.MULTI_LABEL else ""
