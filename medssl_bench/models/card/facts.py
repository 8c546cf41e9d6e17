"""What a model card is written from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.given_weights import OTHER_LIBRARIES
from medssl_bench.encoders.shards import INDEX
from medssl_bench.encoders.trained_on import trained_on
from medssl_bench.plan.kinds import spec_of
from medssl_bench.plan.lookup import encoder_stage, training_stages
from medssl_bench.plan.spec import SpecWithEncoder
from medssl_bench.plugin.component import Component
from medssl_bench.results.selection import SelectedBy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.plan.spec import DatasetSpec
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite

UNKNOWN_LICENCE = "unknown: check before you share"


@dataclass(frozen=True)
class CardSource:
    """What a card is written from.

    Attributes:
        suite: the suite that trained the model.
        plan: its plan.
        store: its results.
        trial: the trial that the model belongs to.
        key: the stage whose encoder it is.
        info: what is known of a data set, by the component that a stage names.
    """

    suite: Suite
    plan: Plan
    store: Store
    trial: Trial
    key: str
    info: dict[str, DatasetInfo | None]

    def dataset(self, record: Record) -> DatasetInfo | None:
        """Return what is known of the data set of a stage; the plan says where it is now, the record where it was."""
        return self.datasets(record)[0]

    def datasets(self, record: Record) -> list[DatasetInfo | None]:
        """Return the same of all data sets of a stage: a pretraining may have several."""
        return [self.info_of(dataset) for dataset in self.plan.stages[record.key].spec.datasets]

    def info_of(self, dataset: DatasetSpec) -> DatasetInfo | None:
        """Return what is known of a data set, as a stage names it."""
        return self.info.get(dataset.key)

    def trainings(self) -> list[Record]:
        """Return the records of all trainings that shaped the weights, first to last: of the head, of teachers too."""
        keys = training_stages(self.plan, self.trial)
        if not self.has_head and self.key != self.trial.stage:
            keys.remove(self.trial.stage)
        return [record for key in keys if (record := self.store.record(key))]

    @property
    def has_head(self) -> bool:
        """Whether there is a linear layer on top of the encoder."""
        return (self.store.folder(self.trial.stage) / "head.safetensors").is_file()

    @property
    def encoder_is_trained(self) -> bool:
        """Whether a stage of the suite trained the encoder, rather than the head alone or nothing."""
        return encoder_stage(self.plan, self.trial) is not None

    def selection(self) -> str:
        """Return what the epoch of the trial is selected by, and with how many validation labels."""
        table = next(table for table in self.suite.tables if table.id == self.trial.table)
        found = SelectedBy.of(table, self.plan, self.suite.plugins.registry, self.store.record)
        return found.of_cell(self.trial.arm, self.trial.dataset)

    def encoders(self) -> list[tuple[Component, int]]:
        """Return the encoders that the trainings began with, each with the side of its images in pixels."""
        specs = [spec_of(record.kind, record.spec) for record in self.trainings()]
        made = [spec.encoder for spec in specs if isinstance(spec, SpecWithEncoder) and spec.encoder]
        found = [(encoder.component, encoder.size) for encoder in made if encoder.size]
        return [encoder for place, encoder in enumerate(found) if encoder not in found[:place]]

    def given_weights(self) -> list[str]:
        """Return, in words, the weights of other origin that the trainings began with; empty where there are none."""
        return list(dict.fromkeys(text for encoder, _ in self.encoders() for text in _given(encoder)))

    def knows_training(self) -> bool:
        """Return whether it is known on what the given weights of all trainings were trained."""
        return all(trained_on(encoder) for encoder, _ in self.encoders() if list(_given(encoder)))

    def licences(self) -> list[str]:
        """Return the licences of the data of all trainings, each once, and what is to be said of given weights."""
        found = sorted({licence(info) for record in self.trainings() for info in self.datasets(record)})
        return [*found, *([f"of given weights: {UNKNOWN_LICENCE}"] if self.given_weights() else [])]


def licence(info: DatasetInfo | None) -> str:
    """Return the licence of a data set in one line, or what to do where it is unknown."""
    known = one_line(info.licence) if info else ""
    return known if known and known != "unknown" else UNKNOWN_LICENCE


def one_line(text: str) -> str:
    """Return a text as it may stand in a cell of a Markdown table."""
    return " ".join(text.replace("|", "/").replace("<", "&lt;").split())


def written(value: Any) -> str:
    """Return a component, or a value of a parameter, as text: ``resized_crop(scale = [0.08, 1.0])``."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict) and value.keys() == {"component"}:
        return written(value["component"])
    if isinstance(value, dict) and {"name", "parameters"} <= value.keys():
        files = value.get("files") or {}
        parameters = ", ".join(
            f"{name} = {json.dumps(Path(item).name) if files.get(name) else written(item)}"
            for name, item in value["parameters"].items()
        )
        return f"{value['name']}({parameters})" if parameters else str(value["name"])
    return json.dumps(value)


def _given(encoder: Component) -> Iterator[str]:
    """Yield what an encoder's parameters say of weights that it begins with, and on what these were trained."""
    data = trained_on(encoder)
    after = f", trained on {one_line(', '.join(data))}" if data else ""
    if encoder.parameters.get("weights") == "pretrained" or encoder.parameters.get("pretrained") is True:
        model = encoder.parameters.get("model", encoder.name)
        whose = f"{encoder.name}'" if encoder.name in OTHER_LIBRARIES else "timm's"
        yield f"{whose} pretrained weights of `{one_line(str(model))}`{after}"
    file = encoder.parameters.get("weights_file")
    if file:
        of = " of it and its shards" if str(file).endswith(INDEX) else ""
        yield f"the file `{one_line(Path(file).name)}` (SHA-256{of} `{encoder.files.get('weights_file')}`){after}"
