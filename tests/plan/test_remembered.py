"""What a store remembers of data sets comes back as it was, in the order in which people read it."""

from __future__ import annotations

from pathlib import Path

from medssl_bench.datasets.fold import Fold
from medssl_bench.datasets.phantoms.factories import phantom_cells
from medssl_bench.plan.known_dataset import KnownDataset
from medssl_bench.plan.remembered import recall, remember
from medssl_bench.plugin.component import Component
from medssl_bench.store.store import Store


def _known() -> KnownDataset:
    dataset = phantom_cells(None, train=60, val=20, test=40, per_patient=5)
    component = Component("dataset", "phantom_cells", {"train": 60}, plugin="datasets")
    return KnownDataset(component, dataset.info(), dataset.fingerprint())


def test_counts_come_back_in_the_order_of_the_splits(tmp_path: Path) -> None:
    known, store = _known(), Store(tmp_path)
    remember(known, store)

    found = recall(known.component, store)

    assert found == (known.info, known.fingerprint)
    assert known.info is not None
    assert list(found[0].counts) == ["train", "val", "test"]
    assert found[0].group_counts is not None
    assert list(found[0].group_counts) == ["train", "val", "test"]


def test_a_fold_is_remembered_apart(tmp_path: Path) -> None:
    known, store = _known(), Store(tmp_path)
    folded = known.in_fold(Fold(1, 4))
    remember(known, store)
    remember(folded, store)

    assert recall(known.component, store) == (known.info, known.fingerprint)
    assert recall(known.component, store, Fold(1, 4)) == (folded.info, known.fingerprint)
    assert recall(known.component, store, Fold(2, 4)) is None
