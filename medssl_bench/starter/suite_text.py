"""The text of a first suite: every choice with a comment that says why, and how to change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from medssl_bench.suite.toml_text import comment, key_text, path_text, written

if TYPE_CHECKING:
    from medssl_bench.starter.budgets import Label
    from medssl_bench.starter.durations import Lengths
    from medssl_bench.starter.sources import Source

_COLUMN = 46
"""Where comments begin behind a key."""

_WIDE = 120
"""Longest line with a comment."""

_MILD = ["horizontal_flip", {"name": "resized_crop", "scale": [0.6, 1.0]}]

_NOTES = {
    "size": "side in pixels; 56 shows more, and takes about four times as long",
    "blank": "what rows without a label are: pretrained on, or left out (leave_out)",
    "group": "no patient is in two splits",
    "groups": "finds the patient in each path: no patient is in two splits",
    "split": "this column has the splits",
    "image": "this column has the paths of the images",
    "label": "this column has the classes",
    "root": "paths start from here",
    "range": "which values become black and white",
    "task": 'what the classes are: "multi-class", or "ordinal" if they have an order',
    "leave_out": "those that have labels: test images must not be pretrained on",
    "ending": "what the files' names have more than the column says",
}


@dataclass(frozen=True)
class Draft:
    """What a suite is made of.

    Attributes:
        name: of the suite.
        labelled: the data set that arms are judged on.
        pools: those without labels.
        labels: the label budgets.
        lengths: how long it trains.
        batch_size: of the pretraining.
        weights_here: whether ImageNet weights are on this machine.
        time: what was assumed of the time, a line.
    """

    name: str
    labelled: Source
    pools: tuple[Source, ...]
    labels: tuple[Label, ...]
    lengths: Lengths
    batch_size: int
    weights_here: bool
    time: str = ""


def suite_text(draft: Draft, file: Path) -> str:
    """Return the suite.

    Args:
        draft: what it is made of.
        file: where it is going to be; paths are relative to its folder.
    """
    made = (_encoders(draft), _augmentation(), _pretraining(draft, file))
    parts = (_head(draft), _datasets(draft, file.absolute().parent), *made, _comparison(draft))
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head(draft: Draft) -> Iterator[str]:
    yield "# Written by medssl-bench init. Change what you like: only what a change affects is computed again."
    yield "# medssl-bench validate, plan, run and report take this file."
    yield f"# Takes {comment(draft.time)}."
    yield "schema = 1"
    yield f"name = {written(draft.name)}"
    seeds = list(range(draft.lengths.seeds))
    yield _line(f"seeds = {seeds}", "training seeds: weights, batches, views; with one there are no verdicts")
    draws = list(range(draft.lengths.draws))
    yield _line(f"draws = {draws}", "which images are labelled; one draw alone may be lucky")
    yield ""


def _datasets(draft: Draft, folder: Path) -> Iterator[str]:
    info = draft.labelled.info
    counts = ", ".join(f"{info.counts[split]:,} {split}" for split in info.counts)
    yield f"# Images with labels: {counts}."
    for line in draft.labelled.lines:
        yield f"# {comment(line)}"
    yield from _dataset(draft.labelled, folder)
    for pool in draft.pools:
        yield f"# Images without labels: {pool.info.unlabelled:,}. They are pretrained on only."
        if info.group_counts is not None:
            yield "# Their patients are not known: see that no patient of the test split is among them."
        yield from _dataset(pool, folder)


def _dataset(source: Source, folder: Path) -> Iterator[str]:
    yield f"[dataset.{key_text(source.name)}]"
    for name, value in source.parameters.items():
        text = path_text(value, folder) if isinstance(value, Path) else written(value)
        note = _NOTES.get(name, "")
        if name == "label" and isinstance(value, list):
            note = "each of these columns is a label of its own, 0 or 1"
        yield _line(f"{name} = {text}", note)
    yield ""


def _encoders(draft: Draft) -> Iterator[str]:
    yield "[encoder.own]"
    yield _line('name = "resnet18"', "medssl-bench list encoders")
    yield ""
    lines = ["[encoder.imagenet]", 'name = "resnet18"', _line('weights = "pretrained"', "trained on photographs")]
    yield from _perhaps(lines, draft)
    yield ""


def _augmentation() -> Iterator[str]:
    yield "# For the labelled images of one arm. It must leave the label as it is: no flip where sides matter."
    yield "[augmentation.mild]"
    yield 'name = "sequence"'
    yield f"ops = {written(_MILD)}"
    yield ""


def _pretraining(draft: Draft, file: Path) -> Iterator[str]:
    pooled = bool(draft.pools or draft.labelled.info.unlabelled)
    yield f"# Pretraining sees no labels{', and all images but those of validation and test' if pooled else ''}."
    yield "[pretraining.simclr]"
    yield 'method = "simclr"'
    yield 'encoder = "own"'
    look = f"preview simclr --suite {quote(str(file))} --dataset {quote(draft.labelled.name)} -o views.png"
    yield f"# The views: {comment(f'medssl-bench {look}')}"
    yield 'augmentation = "simclr"'
    yield _line(f"epochs = {draft.lengths.pretraining}", "passes over the images")
    yield f"batch_size = {draft.batch_size}"
    yield ""


def _comparison(draft: Draft) -> Iterator[str]:
    labelled = draft.labelled
    yield "[[comparison]]"
    yield 'id = "main"'
    yield f"title = {written(f'Is pretraining worth it? {labelled.name}'[:80])}"
    yield f"datasets = {written([labelled.name])}"
    yield _line(f"labels = {written(list(draft.labels))}", "columns: how much is labelled")
    yield _line('metrics = ["accuracy", "auroc", "balanced_accuracy"]', "the first one ranks")
    yield _line('baseline = "supervised"', "differences are to this arm")
    yield _line('floors = ["majority", "untrained"]', "what needs no training: the others must be better")
    yield 'encoder = "own"'
    yield _line('# analyses = ["embedding"]', "maps of the images, for the report")
    yield ""
    tuned = {"name": "finetune", "epochs": draft.lengths.tuning}
    chain = _chain(draft)
    yield from _arm("supervised", tuned)
    yield from _arm("supervised + augmentation", {**tuned, "augmentation": "mild"})
    yield from _arm("SimCLR + linear probe", "logistic", pretraining=chain)
    yield from _arm("SimCLR + fine-tuning", tuned, pretraining=chain)
    lines = [
        *_arm("ImageNet + linear probe", "logistic", encoder="imagenet"),
        *_arm("ImageNet + fine-tuning", tuned, encoder="imagenet"),
    ]
    if not draft.weights_here:
        yield "# ImageNet weights (45 MB) are not on this machine. To have these arms, take the '# ' away here and at"
        yield "# [encoder.imagenet]: medssl-bench run fetches the weights first, where there is a network."
    yield from _perhaps(lines, draft)


def _chain(draft: Draft) -> list[Any]:
    if not draft.pools:
        return ["simclr"]
    return [{"recipe": "simclr", "on": [draft.labelled.name, *(pool.name for pool in draft.pools)]}]


def _arm(
    name: str,
    evaluator: str | Mapping[str, Any],
    *,
    pretraining: Sequence[Any] = (),
    encoder: str = "",
) -> list[str]:
    lines = ["  [[comparison.arm]]", f"  name = {written(name)}"]
    lines += [f"  pretraining = {written(list(pretraining))}"] if pretraining else []
    lines += [f"  encoder = {written(encoder)}"] if encoder else []
    return [*lines, f"  evaluator = {written(evaluator)}", ""]


def _perhaps(lines: Sequence[str], draft: Draft) -> list[str]:
    """Return lines, commented out where ImageNet weights are not here."""
    return list(lines) if draft.weights_here else [f"# {line}".rstrip() for text in lines for line in text.split("\n")]


def _line(text: str, note: str) -> str:
    """Return a line with a comment behind it, or above it where both are too long for one."""
    if not note:
        return text
    line = f"{text:<{_COLUMN - 1}} # {note}"
    return line if len(line) <= _WIDE else f"# {note}\n{text}"
