"""What each epoch would have on the test images: kept beside a history, so that nothing can be chosen by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.metrics.classification import measure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.evaluators.base import Trial

SPIED = "test_"
"""How the names begin."""


def spied(trial: Trial, scores: NDArray[np.float32]) -> dict[str, float]:
    """Return the metrics of the test images after an epoch, as ``test_NAME``, for its row of the history.

    Call it once the epoch is looked at. No choice may depend on it, and those who watch are not told.

    Args:
        trial: the cell, whose comparison has ``spy = true``.
        scores: of the test images, (N, C).
    """
    found = measure(trial.info.task, trial.splits["test"].labels, scores)
    return {f"{SPIED}{name}": value for name, value in found.items() if value is not None}
