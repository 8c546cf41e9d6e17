"""What a worker keeps between stages: components, data sets in memory, features, and where results go."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from medssl_bench.datasets import Dataset, DatasetContext, DatasetInfo, Images, Splits
from medssl_bench.datasets.base import SPLITS, SplitName
from medssl_bench.datasets.check_splits import checked_splits, wrong_with_unlabelled
from medssl_bench.datasets.copies import Copies, copies_key, known_copies
from medssl_bench.datasets.folds import described, folded
from medssl_bench.datasets.parts import parts_of
from medssl_bench.encoders.dim import check_encoder
from medssl_bench.errors import DataError, LeakWarning, StageError
from medssl_bench.plan.kinds import spec_of
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.known_dataset import KnownDataset
from medssl_bench.plan.remembered import remember
from medssl_bench.plan.spec import DatasetSpec, EncoderSpec, SpecWithEncoder
from medssl_bench.plan.stage import Stage
from medssl_bench.plugin.registry import Registry
from medssl_bench.randomness import forked, stream
from medssl_bench.stages.packed_probes import Siblings
from medssl_bench.store.leases import SECONDS
from medssl_bench.store.store import Store
from medssl_bench.store.tensors import load_tensors

_Item = TypeVar("_Item")
_KEPT = 4
_KEPT_BYTES = 4 * 2**30


@dataclass(frozen=True)
class LoadedDataset:
    """A data set in memory."""

    info: DatasetInfo
    splits: Splits


@dataclass
class StageResult:
    """What a stage found; its files are in its folder already.

    Attributes:
        metrics: for the record.
        images_seen: images processed in training.
        headline: the few metrics that are shown when the stage ends.
        flags: what a reader must know before its result is believed: a sentence of one line by a code.
        elsewhere: what of its cost fell into the time of another stage, by name; below 0: what of the time of this one
            went into the work of others.
    """

    metrics: dict[str, Any] = field(default_factory=dict)
    images_seen: int = 0
    headline: dict[str, float] = field(default_factory=dict)
    flags: dict[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, float] = field(default_factory=dict)


class Workshop:
    """What stages work with.

    Args:
        registry: where components come from.
        store: finished stages.
        context: where data sets find files.
        device: where to compute.
        lease_seconds: how long a worker may give no sign of life before another one takes its stage over.
        checkpoint_seconds: time between two checkpoints of a training; None: as `StoredCheckpoints` chooses it.
        stages: what is to be done, so that cells that are faster together are judged together.
        beside_others: whether a stage that has too little memory may have enough when it is done again alone.
        remembers: whether the store keeps what is found in images; a command that only reads it does not.
    """

    def __init__(
        self,
        registry: Registry,
        store: Store,
        context: DatasetContext,
        device: torch.device,
        *,
        lease_seconds: float = SECONDS,
        checkpoint_seconds: float | None = None,
        stages: Sequence[Stage] = (),
        beside_others: bool = False,
        remembers: bool = False,
    ) -> None:
        self.siblings = Siblings(store, stages)
        self.registry = registry
        self.store = store
        self.context = context
        self.device = device
        self.lease_seconds = lease_seconds
        self.checkpoint_seconds = checkpoint_seconds
        self.beside_others = beside_others
        self.remembers = remembers
        self._datasets: OrderedDict[str, LoadedDataset] = OrderedDict()
        self._unlabelled: OrderedDict[str, Images] = OrderedDict()
        self._features: OrderedDict[str, dict[SplitName, Tensor]] = OrderedDict()
        self._lately: dict[str, tuple[str, Any]] = {}

    def forget(self) -> None:
        """Free the memory of all that is kept between stages."""
        self._datasets.clear()
        self._unlabelled.clear()
        self._features.clear()
        self._lately.clear()
        self.siblings.forget()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def is_judged_elsewhere(self, stage: Stage) -> bool:
        """Return whether another process may be judging a stage together with those that are like it."""
        if not isinstance(stage.spec, EvaluateSpec):
            return False
        component = stage.spec.evaluator
        try:
            return self.siblings.is_judged_elsewhere(stage, lambda: self.registry.build(component))
        except Exception:  # noqa: BLE001 - the stage itself fails of it, and says why
            return False

    def dataset(self, spec: DatasetSpec) -> LoadedDataset:
        """Return a data set; the last few stay in memory, as many as are small.

        Args:
            spec: from a stage.

        Raises:
            DataError: it cannot be had or is not valid.
            StageError: its content is no longer what the plan was made for.
        """
        found = _kept(self._datasets, spec.key, lambda: self._load(spec))
        while len(self._datasets) > 1 and sum(map(_size, self._datasets.values())) > _KEPT_BYTES:
            self._datasets.popitem(last=False)
        return found

    def image_names(self, spec: DatasetSpec) -> dict[str, list[str]]:
        """Return the names of the files of a data set's images, by split, in their order; nothing: there are none."""
        dataset: Dataset = self.registry.build(spec.component, context=self.context)
        return dataset.image_names()

    def unlabelled(self, spec: DatasetSpec, content: str) -> Images:
        """Return the images of a data set that have no labels; those of the last set stay in memory.

        Args:
            spec: the data set, from a stage.
            content: `unlabelled_fingerprint` of its images when the plan was made.

        Raises:
            DataError: they cannot be had or are not valid.
            StageError: their content is no longer what the plan was made for.
        """
        while len(self._unlabelled) > 1:
            self._unlabelled.popitem(last=False)
        return _kept(self._unlabelled, spec.key + content, lambda: self._load_unlabelled(spec, content))

    def _load_unlabelled(self, spec: DatasetSpec, content: str) -> Images:
        dataset: Dataset = self.registry.build(spec.component, context=self.context)
        found = dataset.load_unlabelled()
        info = dataset.info()
        if info is None or dataset.fingerprint() != spec.fingerprint or info.unlabelled_fingerprint != content:
            raise StageError(f"data set {spec.component.name!r} has changed since the plan was made; run again")
        if wrong := wrong_with_unlabelled(info, found):
            raise DataError(f"data set {spec.component.name!r}: {wrong}")
        return found

    def _load(self, spec: DatasetSpec) -> LoadedDataset:
        dataset: Dataset = self.registry.build(spec.component, context=self.context)
        info, splits = checked_splits(dataset, spec.component.name)
        if dataset.fingerprint() != spec.fingerprint:
            raise StageError(f"data set {spec.component.name!r} has changed since the plan was made; run again")
        if spec.fold:
            splits = folded(splits, spec.fold)
            info = described(info, splits, spec.fold)
        copies = known_copies(copies_key(spec.key, info), lambda: parts_of(dataset, splits), self.context.cache_dir)
        return LoadedDataset(self._warned(spec, info, copies), splits)

    def _warned(self, spec: DatasetSpec, info: DatasetInfo, found: Copies) -> DatasetInfo:
        """Return the description of a data set with the warnings that its images give; tables repeat the warnings."""
        info = replace(info, warnings=tuple(dict.fromkeys([*info.warnings, *found.warnings])))
        if (info.warnings or spec.fold) and self.remembers:
            remember(KnownDataset(spec.component, info, spec.fingerprint, spec.fold), self.store)
        for line in info.warnings:
            warnings.warn(f"{info.title}: {line}", LeakWarning, stacklevel=2)
        return info

    def features(self, key: str) -> dict[SplitName, Tensor]:
        """Return the features that an embed stage left, (N, D) float32 by split."""
        return _kept(self._features, key, lambda: self._load_features(key))

    def lately(self, what: str, name: str, make: Callable[[], _Item]) -> _Item:
        """Return what was made last of a kind, if it has this name, else make it."""
        if what not in self._lately or self._lately[what][0] != name:
            self._lately.pop(what, None)  # so that not both are in memory
            self._lately[what] = (name, make())
        found: _Item = self._lately[what][1]
        return found

    def _load_features(self, key: str) -> dict[SplitName, Tensor]:
        found = load_tensors(self.store.checked(key, "features.safetensors"))
        return {name: found[name] for name in SPLITS}

    def encoder(self, spec: EncoderSpec | None, start: str | None) -> nn.Module:
        """Return an encoder on the device: a freshly initialised one, or what an earlier stage left.

        Args:
            spec: how it was, or is, first made; None: as `start` says.
            start: key of the stage that left its weights; None for a fresh one.
        """
        weights = None
        if start is not None:
            weights = load_tensors(self.store.checked(start, "encoder.safetensors"))
            spec = spec or self.encoder_spec(start)
        if spec is None or spec.size is None:
            raise StageError("the record does not say how the encoder is first made")
        with forked(stream("encoder weights", seed=spec.seed)):
            encoder: nn.Module = self.registry.build(spec.component, size=spec.size)
        check_encoder(encoder, spec.size)
        if weights is not None:
            encoder.load_state_dict(weights)
        return encoder.to(self.device)

    def encoder_spec(self, key: str) -> EncoderSpec:
        """Return how the encoder that a stage left was first made, following its chain to the beginning."""
        record = self.store.record(key)
        if record is None:
            raise StageError(f"stage {key[:12]} is not in the store")
        spec = spec_of(record.kind, record.spec)
        assert isinstance(spec, SpecWithEncoder)
        return spec.encoder or self.encoder_spec(str(spec.start))


def _size(data: LoadedDataset) -> int:
    """Return the bytes of a data set's images."""
    return sum(split.images.nbytes for split in data.splits.values())


def _kept(cache: OrderedDict[str, _Item], key: str, make: Callable[[], _Item]) -> _Item:
    """Return an item of a cache of the last few, making it if need be."""
    if key not in cache:
        while len(cache) >= _KEPT:
            cache.popitem(last=False)
        cache[key] = make()
    cache.move_to_end(key)
    return cache[key]
