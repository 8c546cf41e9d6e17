"""What a plan knows of the data sets: fingerprints and counts, without reading images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets import DatasetInfo
from medssl_bench.datasets.check_info import wrong_with
from medssl_bench.plan.keys import content_key
from medssl_bench.plan.known_dataset import KnownDataset
from medssl_bench.plan.remembered import recall
from medssl_bench.plugin.guarded import asking, make

if TYPE_CHECKING:
    from medssl_bench.datasets import Dataset, DatasetContext
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.store.store import Store


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

    def add(self, component: Component, info: DatasetInfo, fingerprint: str) -> None:
        """Take what is known of a data set already, so that it is not looked at again."""
        self._known[content_key(component.to_data())] = KnownDataset(component, info, fingerprint)

    def is_labelled(self, component: Component) -> bool:
        """Return whether the images of a data set have labels; nothing is read.

        Raises:
            PluginError: its plugin cannot make it.
        """
        dataset: Dataset = make(self._registry, component, context=self._context)
        return bool(getattr(dataset, "is_labelled", True))  # a plugin's may not be derived from `Dataset`

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
