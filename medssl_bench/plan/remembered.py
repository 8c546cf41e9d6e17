"""What a store remembers of data sets, so that its results can be shown where the data are not."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.plan.keys import content_key
from medssl_bench.store.atomic import write_atomically

if TYPE_CHECKING:
    from medssl_bench.plan.known_datasets import KnownDataset
    from medssl_bench.plugin.component import Component
    from medssl_bench.store.store import Store


def remember(known: KnownDataset, store: Store) -> None:
    """Write down what is known of a data set, beside the results that were made with it.

    Warnings that were remembered of the same content stay: they are found when the images are read, and not before.
    """
    if known.fingerprint is None or known.info is None:
        return
    info, before = known.info, recall(known.component, store)
    if before and before[1] == known.fingerprint:
        info = replace(info, warnings=tuple(dict.fromkeys([*before[0].warnings, *info.warnings])))
    file = _file(known.component, store)
    text = json.dumps({"fingerprint": known.fingerprint, "info": asdict(info)}, indent=1) + "\n"
    if not file.is_file() or file.read_text("utf-8") != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text)


def recall(component: Component, store: Store) -> tuple[DatasetInfo, str] | None:
    """Return what a store remembers of a data set, and its fingerprint, or None."""
    file = _file(component, store)
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        info = dict(found["info"])
        info |= {"task": Task(info["task"]), "classes": tuple(info["classes"])}
        for name in ("class_counts", "val_class_counts", "test_class_counts"):
            info[name] = tuple(info[name]) if info.get(name) is not None else None
        for name in ("notes", "warnings"):
            info[name] = tuple(map(str, info.get(name, ())))
        return DatasetInfo(**info), str(found["fingerprint"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):  # what cannot be read is as good as forgotten
        return None


def _file(component: Component, store: Store) -> Path:
    """Return where a data set is remembered: a file of its counts by its name, as folders differ between machines."""
    data = component.to_data()
    parameters = {name: value for name, value in data["parameters"].items() if name not in component.neutral}
    for name in component.files:
        parameters[name] = Path(str(parameters[name])).name
    key = content_key({"name": data["name"], "plugin": data["plugin"], "parameters": parameters})
    return store.path / "datasets" / f"{key[:32]}.json"
