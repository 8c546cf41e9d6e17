"""What a model was trained on, and how."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medssl_bench.models.card.facts import UNKNOWN_LICENCE, licence, one_line, written
from medssl_bench.plan.kinds import spec_of
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.kinds.pretrain import PretrainSpec
from medssl_bench.plugin.guarded import make
from medssl_bench.results.choices import chosen_text
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators import Evaluator
    from medssl_bench.models.card.facts import CardSource
    from medssl_bench.plugin.component import Component
    from medssl_bench.store.record import Record


def data_section(source: CardSource) -> str:
    """Return the data sets of all trainings: sizes, classes, licences and fingerprints."""
    rows, prints, classes = [], [], []
    for record in source.trainings():
        spec = spec_of(record.kind, record.spec)
        use = spec.evaluator.name if isinstance(spec, EvaluateSpec) else "pretraining"
        for info, data in zip(source.datasets(record), spec.datasets, strict=True):
            name = one_line(info.title if info else data.component.name)
            prints.append(f"* {name}: `{data.fingerprint}`")
            rows.append(_row(use, name, info))
        info = source.dataset(record)
        if info is not None and isinstance(spec, EvaluateSpec):
            name = one_line(info.title)
            classes.append(f"Classes of {name}, in the order of their numbers: {_classes(info)}.")
    head = "| for | data set | training / validation / test | classes | licence |\n|---|---|---|---|---|"
    parts = ["## Data", "", head, *dict.fromkeys(rows), ""]
    for text in dict.fromkeys(classes):
        parts += [text, ""]
    return "\n".join([*parts, "Fingerprints:", "", *dict.fromkeys(prints)])


def _row(use: str, name: str, info: DatasetInfo | None) -> str:
    if info is None:
        return f"| {use} | {name} | | | {UNKNOWN_LICENCE} |"
    counts = " / ".join(f"{count:,}" for count in info.counts.values())
    counts += f" / {info.unlabelled:,} unlabelled" if info.unlabelled else ""
    classes = f"{len(info.classes)} ({info.task.value})" if info.classes else "no labels"
    named = f"{name} ({one_line(info.source) or 'no source given'})"
    return f"| {use} | {named} | {counts} | {classes} | {licence(info)} |"


def _classes(info: DatasetInfo) -> str:
    return ", ".join(one_line(name) for name in info.classes)


def training_section(source: CardSource) -> str:
    """Return the recipe of each training, first to last."""
    lines = ["## Training", ""]
    lines += [f"* encoder: `{written(encoder.to_data())}`, {size} pixels" for encoder, size in source.encoders()]
    lines += [f"* it starts from {text}" for text in source.given_weights()]
    for record in source.trainings():
        lines += ["", f"**{one_line(record.title)}**", ""]
        spec = spec_of(record.kind, record.spec)
        steps = _pretraining(spec, record) if isinstance(spec, PretrainSpec) else []
        steps += _evaluation(spec, record, source) if isinstance(spec, EvaluateSpec) else []
        lines += [f"* {name}: {text}" for name, text in steps]
    return "\n".join(lines)


def _pretraining(spec: PretrainSpec, record: Record) -> list[tuple[str, str]]:
    duration = ", ".join(f"{count:,} {unit}" for unit, count in spec.duration.items())
    return [
        ("method", f"`{written(spec.method.to_data())}`"),
        ("augmentation", f"`{written(spec.augmentation.to_data())}`"),
        ("duration", f"{duration}, batches of {spec.batch_size}, {spec.precision}"),
        ("optimiser", _settings(spec.optimizer)),
        ("schedule", _settings(spec.schedule)),
        ("images", f"{record.metrics.get('images', '?')}, without labels"),
        ("seed", str(spec.seed)),
    ]


def _evaluation(spec: EvaluateSpec, record: Record, source: CardSource) -> list[tuple[str, str]]:
    evaluator: Evaluator = make(source.suite.plugins.registry, spec.evaluator)
    chooses = evaluator.chooses_epoch
    tuning = record.metrics.get("choices", {}).get("tuning")
    chosen = spec.evaluator.candidates()[tuning["candidate"]][1] if tuning else spec.evaluator
    return [
        ("evaluator", f"`{written(chosen.to_data())}`"),
        *_choices(record.metrics.get("choices", {})),
        ("labelled images", str(record.metrics.get("labelled"))),
        ("labelled validation images", str(record.metrics.get("labelled_validation")) if chooses else "none used"),
        ("selection", _selection(spec) if chooses else "there is nothing to select"),
        ("seed, draw", f"{spec.seed}, {spec.draw}"),
        *([("fold", f"{spec.dataset.fold.number} of {spec.dataset.fold.count}")] if spec.dataset.fold else []),
    ]


def _choices(choices: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what validation labels have decided beside the epoch, as a record says it."""
    found = []
    if tuning := choices.get("tuning"):
        metric, rows = tuning["by"], tuning["candidates"]
        tried = [
            f"{chosen_text(row['values'])}: {'diverged' if row[metric] is None else format(row[metric], '.3f')}"
            for row in rows
        ]
        what = f"by {metric_name(metric)} on the labelled validation images, of {len(rows)} candidates"
        found.append(("chosen", f"{chosen_text(tuning['values'])}, {what} ({'; '.join(tried)})"))
    if stopped := choices.get("stopped"):
        found.append(("end", f"after {stopped['epochs']} of {stopped['of']} epochs: {stopped['why']}"))
    return found


def _selection(spec: EvaluateSpec) -> str:
    """Return which epoch counts, and by which metric, if the suite names one."""
    return f"{spec.selection}, by {metric_name(spec.select_by.name)}" if spec.select_by else spec.selection


def _settings(component: Component) -> str:
    """Return an optimizer or a schedule."""
    table = {"name": component.name, **component.parameters}
    parts = {name: value for name, value in table.items() if value is not None}
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in parts.items()
    )
