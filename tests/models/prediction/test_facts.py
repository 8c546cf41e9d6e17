"""What a classifier says of itself, and when too little is known."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.datasets.file_reading import FileReading
from medssl_bench.datasets.pixel_choices import Choices
from medssl_bench.errors import UserError
from medssl_bench.models.prediction.facts import Facts


def _info(**changes: Any) -> DatasetInfo:
    counts = {"train": 5, "val": 5, "test": 5}
    return DatasetInfo(
        **{"title": "x", "task": Task.ORDINAL, "classes": ("low", "high"), "channels": 1, "size": 8, **changes},
        counts=counts,
    )


def _spec(name: str = "npz", **changes: Any) -> Any:
    data = SimpleNamespace(component=SimpleNamespace(plugin="datasets", name=name))
    evaluator = SimpleNamespace(name="finetune", parameters={"precision": "bfloat16"})
    usual = {
        "dataset": data,
        "evaluator": evaluator,
        "trains_encoder": True,
        "epochs_scale": 1.0,
        "shuffle_labels": False,
    }
    return SimpleNamespace(**{**usual, **changes})


@pytest.mark.parametrize("info", [None, _info()])
def test_how_files_were_read_is_not_guessed(info: DatasetInfo | None) -> None:
    """An older version remembered of a folder neither its range nor its fit."""
    with pytest.raises(UserError, match="how the images of data set 'folder' were read is not known here"):
        Facts.of(_spec("folder"), info)
    assert Facts.of(_spec("folder"), _info(files=FileReading(Choices(), True, (8,)))).images.files is not None
    assert Facts.of(_spec("npz"), _info()).images.files is None


def test_facts_are_the_same_after_json() -> None:
    facts = Facts.of(_spec("folder"), _info(files=FileReading(Choices((0, 4095), "pad", 2), False, (16,))))
    assert facts.precision == "bfloat16"
    assert Facts.from_data(json.loads(json.dumps(facts.to_data()))) == facts


def test_what_predictions_must_not_be_taken_for_is_noted() -> None:
    facts = Facts.of(_spec(epochs_scale=0.5, shuffle_labels=True, trains_encoder=False), _info(generated=True))
    assert facts.precision == "float32", "a frozen encoder's features are float32"
    assert [note.partition(" ")[2][:20] for note in facts.notes] == [
        "was trained on gener", "was trained for 0.5 ", "is a control: its la",
    ]  # fmt: skip
