"""Test images that tables can leave out, as another part of their data set has them too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.copies import copies_key, known_copies
from medssl_bench.datasets.folds import folded
from medssl_bench.datasets.parts import parts_of
from medssl_bench.errors import UserError
from medssl_bench.plugin.guarded import make

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets import Dataset, DatasetContext
    from medssl_bench.datasets.parts import Part
    from medssl_bench.plan.spec import DatasetSpec
    from medssl_bench.plan.stage import Plan
    from medssl_bench.plugin.registry import Registry


def copies_in_test(plan: Plan, registry: Registry, context: DatasetContext) -> dict[str, NDArray[np.int64]]:
    """Return the places of the test images that another part has too, turned and mirrored ones as well.

    What a run has found is remembered in the cache; where it is not, the images are read.

    Args:
        plan: whose data sets.
        registry: where they come from.
        context: where they find files.

    Returns:
        By the `key` of the `DatasetSpec`: a fold has test images of its own.

    Raises:
        UserError: it is not known, and the images are not here.
    """
    found: dict[str, NDArray[np.int64]] = {}
    for trial in plan.trials:
        spec = plan.stages[trial.stage].spec.dataset
        if spec.key not in found:
            found[spec.key] = _leaked(trial.dataset, spec, plan, registry, context)
    return found


def _leaked(
    label: str, spec: DatasetSpec, plan: Plan, registry: Registry, context: DatasetContext
) -> NDArray[np.int64]:
    def read() -> list[Part]:
        dataset: Dataset = make(registry, spec.component, context=context)
        is_present = getattr(dataset, "is_present", None)  # of sets that are downloaded: a table downloads nothing
        if dataset.info() is None or dataset.fingerprint() != spec.fingerprint or (is_present and not is_present()):
            raise UserError(
                f"--without-copies: which test images of {label!r} are copies is not known here, and neither are its "
                "images here; make the table where they are"
            )
        return parts_of(dataset, folded(dataset.load(), spec.fold) if spec.fold else None)

    info = plan.datasets[label]
    key = copies_key(spec.key, info) if info else spec.key
    return np.array(known_copies(key, read, context.cache_dir).leaked, np.int64)
