"""The card itself, in Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medssl_bench.models.card.citations import citations_section
from medssl_bench.models.card.facts import one_line
from medssl_bench.models.card.training import data_section, training_section
from medssl_bench.models.card.usage import usage_section
from medssl_bench.plan.kinds import spec_of
from medssl_bench.results.cells import Results
from medssl_bench.results.formats.grids import cell_of
from medssl_bench.results.formats.text import spread_note
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from medssl_bench.models.card.facts import CardSource

_METRICS = ("accuracy", "auroc", "balanced_accuracy")


def model_card(source: CardSource, model: dict[str, Any]) -> str:
    """Return the card, with the front matter that model hubs read.

    Args:
        source: what it is written from.
        model: what is in ``model.json`` beside it.
    """
    parts = [
        _front(source),
        f"# {model['model']}: {one_line(source.trial.arm)}, {one_line(source.trial.dataset)}",
        _warnings(source, model),
        f"{_made(source)} It gives {model['dim']} features of an image.",
        data_section(source),
        training_section(source),
        _results(source),
        usage_section(source, model),
        _LIMITS,
        citations_section(source),
        _provenance(source),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_LIMITS = """## Limits

A model of research, for comparing recipes. It is no medical device, and its numbers on one benchmark say nothing of
other scanners, stains or patients."""


def _made(source: CardSource) -> str:
    """Return what was trained here: the encoder, or on weights of other origin a linear layer alone, or nothing."""
    if source.encoder_is_trained:
        return f"Trained by medssl-bench in the suite `{source.suite.name}`."
    suite = f"medssl-bench in the suite `{source.suite.name}`"
    head = f"; a linear layer on top was, by {suite}." if source.has_head else f"; it was judged by {suite}."
    return f"The encoder was not trained here{head}"


def _front(source: CardSource) -> str:
    data = sorted({spec_of(record.kind, record.spec).dataset.component.name for record in source.trainings()})
    lines = [
        "---",
        "library_name: timm",
        f"license_name: {json.dumps('of the training data: ' + '; '.join(source.licences()), ensure_ascii=False)}",
        "license: other",
        "tags: [self-supervised-learning, medical-imaging, medssl-bench]",
        f"datasets: {json.dumps(data)}",
        f"metrics: {json.dumps(list(_METRICS))}",
        "---",
    ]
    return "\n".join(lines)


def _warnings(source: CardSource, model: dict[str, Any]) -> str:
    found = []
    infos = [info for record in source.trainings() for info in source.datasets(record)]
    generated = [info is not None and info.generated for info in infos]
    if all(generated):
        found.append("Trained on **generated images**, not on medical ones.")
    elif any(generated):
        named = ", ".join(dict.fromkeys(one_line(info.title) for info in infos if info and info.generated))
        found.append(f"Trained in part on **generated images** ({named}), not on medical ones.")
    if model["epochs_scale"] < 1:
        found.append(f"**Scaled**: trained for {model['epochs_scale']:g} of the epochs of its recipe.")
    if weights := source.given_weights():
        found.append(
            f"Starts from **weights of other origin**: {'; '.join(weights)}. {_unknown(source)} not known here."
        )
    table = next(table for table in source.suite.tables if table.id == source.trial.table)
    if table.model.selection == "test":
        found.append("Its epoch was **selected on the test set**; its metrics are optimistic.")
    if table.model.shuffle_labels:
        found.append("A **control**: its labels were shuffled.")
    return "\n>\n".join(f"> {text}" for text in found)


def _unknown(source: CardSource) -> str:
    """Return what a card cannot say of given weights, the beginning of a sentence."""
    if source.knows_training():
        return "Under which licence, and whether there was more data, is"
    return "What they were trained on, and under which licence, is"


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
    cells = [results.cell(alike, metric) for metric in _METRICS]
    spread = spread_note(cells)
    for metric, cell in zip(_METRICS, cells, strict=True):
        value = results.value(source.trial.stage, metric)
        this = "–" if value is None else f"{value:.3f}"
        rows.append(f"| {metric_name(metric)} | {this} | {cell_of(cell).number} | {cell.n} |")
    trial = source.trial
    return "\n".join(
        [
            "## Results",
            "",
            f"On the whole test set of {one_line(trial.dataset)}, {trial.labels} labels; {source.selection()}.",
            f"This model is {trial.chance}.",
            "",
            "| metric | this model | mean over all repetitions | n |",
            "|---|--:|--:|--:|",
            *rows,
            *([""] if spread else []),
            *spread,
        ]
    )


def _provenance(source: CardSource) -> str:
    lines = ["## Provenance"]
    for record in source.trainings():
        about = record.provenance
        lines += ["", f"**{one_line(record.title)}**", "", f"* key: `{record.key}`", f"* time: {about.get('time')}"]
        lines += [f"* device: {one_line(str(about.get('device')))}"]
        versions = about.get("versions") or {}
        lines += [f"* versions: {', '.join(f'{name} {number}' for name, number in versions.items())}"]
        plugins = [text for name, plugin in (about.get("plugins") or {}).items() if (text := _plugin(name, plugin))]
        lines += [f"* plugins: {', '.join(plugins)}"] if plugins else []
        git = about.get("git")
        lines += [f"* git: {git['commit']}{'' if git.get('clean', True) else ', changed since'}"] if git else []
    return "\n".join(lines)


def _plugin(name: str, about: dict[str, Any]) -> str:
    """Return a plugin that is no part of the harness, with its version or the digest of its source."""
    if about.get("origin") == "built-in":
        return ""
    source = f" (source `{about['source'][:12]}`)" if about.get("source") else ""
    return " ".join(filter(None, (one_line(name), str(about.get("version") or "")))) + source
