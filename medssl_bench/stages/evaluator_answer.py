"""What an evaluator says while it works and when it ends: checked, and kept in the folder of an attempt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medssl_bench.errors import StageError
from medssl_bench.evaluators.base import Evaluation, Evaluator
from medssl_bench.evaluators.check_evaluation import wrong_with, wrong_with_report
from medssl_bench.plugin.component import Component
from medssl_bench.stages.attempt import Attempt
from medssl_bench.store.tensors import save_tensors


def reporter(attempt: Attempt, component: Component) -> Callable[[int, int, Mapping[str, float]], None]:
    """Return the function that an evaluator reports its progress to; an invalid report fails the stage."""

    def report(index: int, total: int, metrics: Mapping[str, float]) -> None:
        if wrong := wrong_with_report(index, total, metrics):
            raise StageError(f"evaluator {component.name!r} reports {wrong}")
        attempt.report(index, total, metrics, None)

    return report


def require_sound(found: Evaluation, evaluator: Evaluator, component: Component) -> None:
    """Raise an error if an evaluator gives what no evaluator may give.

    Raises:
        StageError: with what is wrong.
    """
    if wrong := wrong_with(found, evaluator):
        raise StageError(f"evaluator {component.name!r} gives {wrong}")


def keep(found: Evaluation, folder: Path) -> None:
    """Write the history, the weights and the arrays of an evaluation, those that there are."""
    if found.history:
        (folder / "history.json").write_text(json.dumps(found.history, indent=1) + "\n", "utf-8")
    for name, tensors in found.weights.items():
        save_tensors(tensors, folder / f"{name}.safetensors")
    if found.arrays:
        savez(folder / "arrays.npz", found.arrays)


def savez(file: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to an npz file."""
    np.savez(file, **arrays)  # type: ignore[arg-type] # savez's own keywords are reserved names
