"""The card of a trained model: what it is, what it was trained on, how well it does, and who may use it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.plan.lookup import chain_stages
from medssl_bench.report.cells import Results
from medssl_bench.report.formats.grids import cell_of
from medssl_bench.report.formats.text import metric_name

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite

_METRICS = ("accuracy", "auroc", "balanced_accuracy")


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
        data = self.plan.stages[record.key].spec["dataset"]["component"]
        return self.info.get(json.dumps(data, sort_keys=True))

    def trainings(self) -> list[Record]:
        """Return the records of the trainings that made the encoder, first to last."""
        keys = chain_stages(self.plan, self.trial)
        keys += [self.key] if self.key not in keys else []
        return [record for key in keys if (record := self.store.record(key))]


def model_card(source: CardSource, model: dict[str, Any]) -> str:
    """Return the card in Markdown, with the front matter that model hubs read.

    Args:
        source: what it is written from.
        model: what is in ``model.json`` beside it.
    """
    parts = [
        _front(source),
        f"# {model['model']}: {_one_line(source.trial.arm)}, {_one_line(source.trial.dataset)}",
        _warnings(source, model),
        f"Trained by medssl-bench in the suite `{source.suite.name}`. It gives {model['dim']} features of an image.",
        _data(source),
        _recipe(source),
        _results(source),
        _use(source, model),
        _LIMITS,
        _provenance(source),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_LIMITS = """## Limits

A model of research, for comparing recipes. It is no medical device, and its numbers on one benchmark say nothing of
other scanners, stains or patients."""


def _use(source: CardSource, model: dict[str, Any]) -> str:
    lines = [
        "## Use",
        "",
        "```python",
        model["load"],
        "```",
        "",
        f"Images are RGB, floats in [0, 1], of {model['size']} pixels as in training, normalised by mean",
        f"{model['mean']} and standard deviation {model['std']}; grey images are repeated to three channels.",
    ]
    if _has_head(source):
        lines += ["", "`head.safetensors` has the linear layer on top: `weight` and `bias`."]
    return "\n".join(lines)


def _front(source: CardSource) -> str:
    licences = sorted({_licence(info) for info in map(source.dataset, source.trainings())})
    data = sorted({record.spec["dataset"]["component"]["name"] for record in source.trainings()})
    lines = [
        "---",
        "library_name: timm",
        f"license_name: {json.dumps('of the training data: ' + '; '.join(licences))}",
        "license: other",
        "tags: [self-supervised-learning, medical-imaging, medssl-bench]",
        f"datasets: {json.dumps(data)}",
        f"metrics: {json.dumps(list(_METRICS))}",
        "---",
    ]
    return "\n".join(lines)


def _warnings(source: CardSource, model: dict[str, Any]) -> str:
    found = []
    if any(info and info.generated for info in map(source.dataset, source.trainings())):
        found.append("Trained on **generated images**, not on medical ones.")
    if model["epochs_scale"] < 1:
        found.append(f"**Scaled**: trained for {model['epochs_scale']:g} of the epochs of its recipe.")
    table = next(table for table in source.suite.tables if table.id == source.trial.table)
    if table.model.selection == "test":
        found.append("Its epoch was **selected on the test set**; its metrics are optimistic.")
    if table.model.shuffle_labels:
        found.append("A **control**: its labels were shuffled.")
    return "\n".join(f"> {text}" for text in found)


def _data(source: CardSource) -> str:
    rows = []
    for record in source.trainings():
        info = source.dataset(record)
        spec = record.spec["dataset"]
        if info is None:
            rows.append(f"| {record.kind} | {spec['component']['name']} | | | unknown: check before you share |")
            continue
        counts = " / ".join(f"{count:,}" for count in info.counts.values())
        rows.append(
            f"| {record.kind} | {_one_line(info.title)} ({_one_line(info.source) or 'no source given'}) | {counts} | "
            f"{len(info.classes)} ({info.task.value}) | {_licence(info)} |"
        )
    prints = [
        f"* `{record.spec['dataset']['fingerprint']}` ({record.spec['dataset']['component']['name']})"
        for record in source.trainings()
    ]
    head = "| for | data set | training / validation / test | classes | licence |\n|---|---|---|---|---|"
    return "\n".join(["## Data", "", head, *rows, "", "Fingerprints:", "", *dict.fromkeys(prints)])


def _licence(info: DatasetInfo | None) -> str:
    known = _one_line(info.licence) if info else ""
    return known if known and known != "unknown" else "unknown: check before you share"


def _recipe(source: CardSource) -> str:
    lines = ["## Training"]
    for record in source.trainings():
        spec = record.spec
        if record.kind == "pretrain":
            duration = ", ".join(f"{count:,} {unit}" for unit, count in spec["duration"].items())
            optimiser = ", ".join(f"{name} {value}" for name, value in spec["optimizer"].items())
            schedule = ", ".join(f"{name} {value}" for name, value in spec["schedule"].items() if value is not None)
            steps = [
                ("method", _component(spec["method"])),
                ("augmentation", _component(spec["augmentation"])),
                ("duration", f"{duration}, batches of {spec['batch_size']}, {spec['precision']}"),
                ("optimiser", optimiser),
                ("schedule", schedule),
                ("images", f"{record.metrics.get('images', '?')}, without labels"),
                ("seed", str(spec["seed"])),
            ]
        else:
            steps = [
                ("evaluator", _component(spec["evaluator"])),
                ("labelled images", str(record.metrics.get("labelled"))),
                ("labelled validation images", str(record.metrics.get("labelled_validation"))),
                ("selection", str(spec["selection"])),
                ("seed, draw", f"{spec['seed']}, {spec['draw']}"),
            ]
        lines += ["", f"**{_one_line(record.title)}**", ""]
        lines += [f"* {name}: {text}" for name, text in steps]
    return "\n".join(lines)


def _component(data: dict[str, Any]) -> str:
    return f"`{_written(data)}`"


def _written(value: Any) -> str:
    """Return a component, or a value of a parameter, as text: ``resized_crop(scale = [0.08, 1.0])``."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict) and value.keys() == {"component"}:
        return _written(value["component"])
    if isinstance(value, dict) and {"name", "parameters"} <= value.keys():
        parameters = ", ".join(f"{name} = {_written(item)}" for name, item in value["parameters"].items())
        return f"{value['name']}({parameters})" if parameters else str(value["name"])
    return json.dumps(value)


def _results(source: CardSource) -> str:
    results = Results(source.plan, source.store)
    if results.record(source.trial.stage) is None:
        return ""
    alike = [
        other
        for other in source.plan.trials
        if (other.table, other.dataset, other.arm, other.labels)
        == (source.trial.table, source.trial.dataset, source.trial.arm, source.trial.labels)
    ]
    rows = []
    for metric in _METRICS:
        value = results.value(source.trial, metric)
        cell = results.cell(alike, metric)
        this = "–" if value is None else f"{value:.3f}"
        rows.append(f"| {metric_name(metric)} | {this} | {cell_of(cell).number} | {cell.n} |")
    trial = source.trial
    return "\n".join(
        [
            "## Results",
            "",
            f"On the whole test set of {_one_line(trial.dataset)}, {trial.labels} labels.",
            f"This model is seed {trial.seed}, draw {trial.draw}.",
            "",
            "| metric | this model | over seeds and draws | n |",
            "|---|--:|--:|--:|",
            *rows,
        ]
    )


def _has_head(source: CardSource) -> bool:
    return (source.store.folder(source.trial.stage) / "head.safetensors").is_file()


def _provenance(source: CardSource) -> str:
    lines = ["## Provenance", ""]
    for record in source.trainings():
        versions = record.provenance.get("versions") or {}
        named = ", ".join(f"{name} {number}" for name, number in versions.items())
        lines.append(f"* `{record.key}`: {record.kind}, {record.provenance.get('time')}, {named}")
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.replace("|", "/").replace("<", "&lt;").split())
