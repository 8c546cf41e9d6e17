"""What a store remembers of data sets, so that its results can be shown where the data are not."""

from __future__ import annotations

import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.check_info import wrong_with
from medssl_bench.datasets.file_reading import FileReading
from medssl_bench.errors import DamageWarning
from medssl_bench.plan.keys import content_key
from medssl_bench.plugin.component import Component
from medssl_bench.store.descriptions import Description, description_name, read_description, write_description

if TYPE_CHECKING:
    from medssl_bench.datasets.fold import Fold
    from medssl_bench.plan.known_dataset import KnownDataset
    from medssl_bench.plan.stage import Plan
    from medssl_bench.store.store import Store


def remember(known: KnownDataset, store: Store) -> None:
    """Write down what is known of a data set, beside the results that were made with it.

    Warnings that were remembered of the same content stay: they are found when the images are read, and not before.
    """
    if known.fingerprint is None or known.info is None:
        return
    info, before = known.info, recall(known.component, store, known.fold)
    if before and before[1] == known.fingerprint:
        info = replace(info, warnings=tuple(dict.fromkeys([*before[0].warnings, *info.warnings])))
    write_description(store.path, _key(known.component, known.fold), Description(known.fingerprint, asdict(info)))


def recall(component: Component, store: Store, fold: Fold | None = None) -> tuple[DatasetInfo, str] | None:
    """Return a store's description of a data set, and its fingerprint, or None; an altered one gives a warning."""
    file = store.path / "datasets" / description_name(_key(component, fold))
    try:
        found = read_description(file)
        return _info(found.info), found.fingerprint
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:  # an unreadable description counts as missing
        text = f"{file}: this is not what was written ({error}); run the suite where its data are"
        warnings.warn(text, DamageWarning, stacklevel=2)
        return None


def _info(data: dict[str, Any]) -> DatasetInfo:
    """Return what a data set says of itself from what was kept of it.

    Raises:
        ValueError: it makes no sense.
        TypeError: a field is missing, or of another type.
        KeyError: a field is missing.
    """
    info = data | {"task": Task(data["task"]), "classes": tuple(data["classes"])}
    for name in ("counts", "group_counts"):  # its file is sorted by name, and people read train, val, test
        if isinstance(info.get(name), dict) and info[name].keys() == set(SPLITS):
            info[name] = {split: info[name][split] for split in SPLITS}
    for name in ("class_counts", "val_class_counts", "test_class_counts"):
        info[name] = tuple(info[name]) if info.get(name) is not None else None
    for name in ("notes", "warnings"):
        info[name] = tuple(map(str, info.get(name, ())))
    if info.get("files") is not None:
        info["files"] = FileReading.from_data(info["files"])
    recalled = DatasetInfo(**info)
    if wrong := wrong_with(recalled):
        raise ValueError(wrong)
    return recalled


def remembered_names(plan: Plan) -> set[str]:
    """Return the names of the files in which a store remembers the data sets of a plan."""
    datasets = [dataset for stage in plan.stages.values() for dataset in stage.spec.datasets]
    return {description_name(_key(item.component, fold)) for item in datasets for fold in (None, item.fold)}


def _key(component: Component, fold: Fold | None) -> str:
    """Return the key under which a data set is remembered: a file counts by its name, as folders differ by machine."""
    data = component.to_data()
    parameters = {name: value for name, value in data["parameters"].items() if name not in component.neutral}
    for name in component.files:
        parameters[name] = Path(str(parameters[name])).name
    named = {"name": data["name"], "plugin": data["plugin"], "parameters": parameters}
    return content_key({**named, "fold": asdict(fold)} if fold else named)
