"""What a model was trained on, and how."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medssl_bench.models.card.facts import UNKNOWN_LICENCE, licence, one_line, written
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.guarded import make
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators import Evaluator
    from medssl_bench.models.card.facts import CardSource
    from medssl_bench.store.record import Record


def data_section(source: CardSource) -> str:
    """Return the data sets of all trainings: sizes, classes, licences and fingerprints."""
    rows, prints, classes = [], [], []
    for record in source.trainings():
        info = source.dataset(record)
        spec = record.spec["dataset"]
        name = one_line(info.title if info else spec["component"]["name"])
        prints.append(f"* {name}: `{spec['fingerprint']}`")
        use = "pretraining" if record.kind == "pretrain" else record.spec["evaluator"]["name"]
        if info is None:
            rows.append(f"| {use} | {name} | | | {UNKNOWN_LICENCE} |")
            continue
        counts = " / ".join(f"{count:,}" for count in info.counts.values())
        rows.append(
            f"| {use} | {name} ({one_line(info.source) or 'no source given'}) | {counts} | "
            f"{len(info.classes)} ({info.task.value}) | {licence(info)} |"
        )
        if record.kind == "evaluate":
            classes.append(f"Classes of {name}, in the order of their numbers: {_classes(info)}.")
    head = "| for | data set | training / validation / test | classes | licence |\n|---|---|---|---|---|"
    parts = ["## Data", "", head, *dict.fromkeys(rows), ""]
    for text in dict.fromkeys(classes):
        parts += [text, ""]
    return "\n".join([*parts, "Fingerprints:", "", *dict.fromkeys(prints)])


def _classes(info: DatasetInfo) -> str:
    return ", ".join(one_line(name) for name in info.classes)


def training_section(source: CardSource) -> str:
    """Return the recipe of each training, first to last."""
    lines = ["## Training", ""]
    lines += [f"* encoder: `{written(encoder.to_data())}`, {size} pixels" for encoder, size in source.encoders()]
    lines += [f"* it starts from {text}" for text in source.given_weights()]
    for record in source.trainings():
        lines += ["", f"**{one_line(record.title)}**", ""]
        steps = _pretraining(record) if record.kind == "pretrain" else _evaluation(record, source)
        lines += [f"* {name}: {text}" for name, text in steps]
    return "\n".join(lines)


def _pretraining(record: Record) -> list[tuple[str, str]]:
    spec = record.spec
    duration = ", ".join(f"{count:,} {unit}" for unit, count in spec["duration"].items())
    return [
        ("method", f"`{written(spec['method'])}`"),
        ("augmentation", f"`{written(spec['augmentation'])}`"),
        ("duration", f"{duration}, batches of {spec['batch_size']}, {spec['precision']}"),
        ("optimiser", _settings(spec["optimizer"])),
        ("schedule", _settings(spec["schedule"])),
        ("images", f"{record.metrics.get('images', '?')}, without labels"),
        ("seed", str(spec["seed"])),
    ]


def _evaluation(record: Record, source: CardSource) -> list[tuple[str, str]]:
    spec = record.spec
    evaluator: Evaluator = make(source.suite.plugins.registry, Component.from_data(spec["evaluator"]))
    chooses = evaluator.needs != "labels" and evaluator.uses_validation
    return [
        ("evaluator", f"`{written(spec['evaluator'])}`"),
        ("labelled images", str(record.metrics.get("labelled"))),
        ("labelled validation images", str(record.metrics.get("labelled_validation")) if chooses else "none used"),
        ("selection", _selection(spec) if chooses else "there is nothing to select"),
        ("seed, draw", f"{spec['seed']}, {spec['draw']}"),
    ]


def _selection(spec: Mapping[str, Any]) -> str:
    """Return which epoch counts, and by which metric, if the suite names one."""
    by = spec.get("select_by")  # not there in records of older versions
    return f"{spec['selection']}, by {metric_name(by['name'])}" if by else str(spec["selection"])


def _settings(table: dict[str, Any]) -> str:
    """Return an optimizer or a schedule; records of older versions have its name and parameters alone."""
    table = {"name": table["name"], **table["parameters"]} if "parameters" in table else table
    parts = {name: value for name, value in table.items() if value is not None}
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in parts.items()
    )
