"""What a plan knows of the data sets: fingerprints and counts, without reading images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets import DatasetInfo
from medssl_bench.datasets.sound_info import wrong_with
from medssl_bench.plan.keys import content_key
from medssl_bench.plan.remembered import recall
from medssl_bench.plugin.answers import asking, make

if TYPE_CHECKING:
    from medssl_bench.datasets import Dataset, DatasetContext
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.store.store import Store

_DESCRIPTIVE = frozenset({"title", "licence", "source", "classes", "splits", "leave_out"})
"""Parameters of the built-in data sets that only say what things are called, and those of `folder` that decide which
images are read as what: that is in its fingerprint."""


@dataclass(frozen=True)
class KnownDataset:
    """A data set as a plan sees it.

    Attributes:
        component: what it is.
        info: None while the data cannot be seen.
        fingerprint: None while the data cannot be seen.
    """

    component: Component
    info: DatasetInfo | None
    fingerprint: str | None

    @property
    def pending(self) -> bool:
        """Whether the data cannot be seen yet."""
        return self.fingerprint is None

    def identity(self) -> dict[str, Any]:
        """Return what decides its images, labels and splits."""
        identity = self.component.identity()
        left_out = set(self.component.files)  # the fingerprint is of their content
        if self.component.plugin == "datasets":
            left_out |= _DESCRIPTIVE
            identity["outputs"] = len(self.info.classes) if self.info else None
        identity["parameters"] = {k: value for k, value in identity["parameters"].items() if k not in left_out}
        if self.pending:  # two files that nobody has seen are not one
            return {**identity, "unseen": self.component.to_data()}
        return {**identity, "fingerprint": self.fingerprint}


class KnownDatasets:
    """Looks at each data set once.

    Args:
        registry: where data sets come from.
        context: where they keep files.
        store: a store that is asked for data sets which cannot be seen; None: they stay pending.
    """

    def __init__(self, registry: Registry, context: DatasetContext, store: Store | None = None) -> None:
        self._registry = registry
        self._context = context
        self._store = store
        self._known: dict[str, KnownDataset] = {}

    def get(self, component: Component) -> KnownDataset:
        """Return what is known of a data set.

        Raises:
            DataError: it can be seen and is not valid.
            PluginError: its plugin cannot say what it is.
        """
        key = content_key(component.to_data())
        if key not in self._known:
            dataset: Dataset = make(self._registry, component, context=self._context)
            with asking(component):
                info, fingerprint = dataset.info(), dataset.fingerprint()
                if not isinstance(info, DatasetInfo | None):
                    raise TypeError(f"info() gives {type(info).__name__}, not DatasetInfo")
                if info is not None and (wrong := wrong_with(info)):
                    raise ValueError(f"info(): {wrong}")
                if not isinstance(fingerprint, str | None):
                    raise TypeError(f"fingerprint() gives {type(fingerprint).__name__}, not text")
            recalled = recall(component, self._store) if self._store and fingerprint is None else None
            if recalled:
                info, fingerprint = recalled
            self._known[key] = KnownDataset(component, info, fingerprint)
        return self._known[key]
