"""A suite in a notebook: its recipes, and what each comparison compares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from medssl_bench.markup import block, line, strong, table
from medssl_bench.suite.component_resolver import label_of

if TYPE_CHECKING:
    from markupsafe import Markup

    from medssl_bench.suite.schema import Arm as ArmModel
    from medssl_bench.suite.schema import Comparison, Pretraining, SuiteModel
    from medssl_bench.suite.table import Arm, Table

_MOST = 100
"""Rows of a table."""


def to_html(model: SuiteModel, tables: Sequence[Table]) -> str:
    """Return a suite as HTML.

    Args:
        model: what its file says.
        tables: its comparisons.
    """
    parts = [line(strong(model.name))]
    parts += [line(model.description)] if model.description else []
    if model.pretraining:
        heads = ("recipe", "method", "encoder", "augmentation", "length")
        rows = [_recipe(name, recipe) for name, recipe in model.pretraining.items()]
        parts += _table("Pretraining, without labels", heads, rows)
    for each in tables:
        written = {arm.name: arm for arm in each.model.arm}
        rows = [_arm(arm, written.get(arm.name), each.model) for arm in each.arms]
        parts += _table(each.title, ("arm", "pretraining", "encoder", "evaluator"), rows)
        parts += [line(text, "quiet") for text in _facts(each)]
    return block(parts)


def _table(caption: str, heads: Sequence[str], rows: list[tuple[str, ...]]) -> list[Markup]:
    drawn = [table(strong(caption), heads, rows[:_MOST], names=0)]
    return drawn + ([line(f"... and {len(rows) - _MOST} more", "quiet")] if len(rows) > _MOST else [])


def _recipe(name: str, recipe: Pretraining) -> tuple[str, ...]:
    ops = recipe.augmentation
    augmentation = " + ".join(map(label_of, ops)) if isinstance(ops, list) else label_of(ops)
    return name, label_of(recipe.method), label_of(recipe.encoder), augmentation, recipe.length


def _arm(arm: Arm, written: ArmModel | None, model: Comparison) -> tuple[str, ...]:
    links = [link.recipe.name + (f" on {link.source('')}" if link.on else "") for link in arm.chain]
    name = arm.name + (" (baseline)" if arm.name == model.baseline else " (floor)" if arm.floor else "")
    evaluator = arm.evaluator.name if written is None else label_of(written.evaluator)
    own = written.encoder if written is not None and written.encoder is not None else model.encoder
    encoder = arm.chain[0].recipe.model.encoder if arm.chain else own
    return name, ", then ".join(links) or "none", label_of(encoder), evaluator


def _facts(each: Table) -> Iterable[str]:
    yield f"Data sets: {', '.join(dataset.label for dataset in each.datasets)}."
    numbers = [f"labels {', '.join(budget.text for budget in each.labels)}", f"training seeds {_listed(each.seeds)}"]
    numbers += [f"label draws {_listed(each.draws)}", *([f"{each.folds} folds"] if each.folds > 1 else [])]
    yield f"Repeated over: {'; '.join(numbers)}."
    yield f"Metrics: {', '.join(each.metrics)}."
    if each.model.shuffle_labels:
        yield "A control: its labels are shuffled, so there is nothing to learn."


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
