"""A data set as a plan sees it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets.fold import expected
from medssl_bench.plan.spec import DatasetSpec

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.datasets.fold import Fold
    from medssl_bench.plugin.component import Component

_DESCRIPTIVE = frozenset(
    {"title", "licence", "source", "classes", "splits", "leave_out", "match", "array", "unlabelled", "shared_groups"}
)
"""Parameters of the built-in data sets that only say what things are called, and those of `folder` and `images` that
decide which images are read as what: that is in their fingerprints. `unlabelled` of the phantoms changes no image of
the splits; a pretraining on those without labels has their own fingerprint in its key. What is only allowed
(`shared_groups`) decides nothing either."""


@dataclass(frozen=True)
class KnownDataset:
    """A data set as a plan sees it.

    Attributes:
        component: what it is.
        info: None while the data cannot be seen.
        fingerprint: None while the data cannot be seen.
        fold: which fold its splits are of; None: they are its own.
    """

    component: Component
    info: DatasetInfo | None
    fingerprint: str | None
    fold: Fold | None = None

    def in_fold(self, fold: Fold) -> KnownDataset:
        """Return what is known of it in a fold."""
        return replace(self, fold=fold, info=expected(self.info, fold) if self.info else None)

    @property
    def pending(self) -> bool:
        """Whether the data cannot be seen yet."""
        return self.fingerprint is None

    @property
    def spec(self) -> DatasetSpec:
        """What stages that read it are given."""
        return DatasetSpec(component=self.component, fingerprint=self.fingerprint, fold=self.fold)

    @property
    def size(self) -> int | None:
        """Side of its images in pixels; None while the data cannot be seen."""
        return self.info.size if self.info else None

    def identity(self) -> dict[str, Any]:
        """Return what decides its images, labels and splits."""
        identity = self.component.identity()
        left_out = set(self.component.files)  # the fingerprint is of their content
        if self.component.plugin == "datasets":
            left_out |= _DESCRIPTIVE
            identity["outputs"] = len(self.info.classes) if self.info else None
        identity["parameters"] = {k: value for k, value in identity["parameters"].items() if k not in left_out}
        if self.fold:
            identity["fold"] = asdict(self.fold)
        if self.pending:  # files that were never read count as different
            return {**identity, "unseen": self.component.to_data()}
        return {**identity, "fingerprint": self.fingerprint}
