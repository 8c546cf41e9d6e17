"""What a study ran, in words: its recipes, arms, budgets and the text of its suite."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.plugin.component import Component

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.plan.stage import Trial
    from medssl_bench.report.study import Study
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Arm, Recipe, Table

Row = tuple[str, ...]

RECIPE_HEADS: Row = (
    "recipe", "method", "encoder", "augmentation", "duration", "images", "batch", "optimiser", "learning rate", "also",
)  # fmt: skip
_BUILT_IN = "training"
"""Plugin of the optimisers and schedules that come with the harness."""

ARM_HEADS: Row = ("arm", "pretraining", "encoder", "evaluator")


@dataclass(frozen=True)
class TableRun:
    """What a comparison ran.

    Attributes:
        title: its heading.
        facts: names and values: data sets, budgets, seeds, draws, how epochs are selected.
        arms: a row of `ARM_HEADS` for each arm.

    Of a part of a suite (``--only``, ``--seeds``, ``--draws``), it is that part.
    """

    title: str
    facts: list[tuple[str, str]]
    arms: list[Row]


@dataclass(frozen=True)
class WhatWasRun:
    """What a study ran.

    Attributes:
        recipes: a row of `RECIPE_HEADS` for each recipe that an arm, or a teacher of it, uses.
        tables: its comparisons.
        files: name and text of the suite file and of those that it extends.
    """

    recipes: list[Row]
    tables: list[TableRun]
    files: list[tuple[str, str]]

    @classmethod
    def of(cls, study: Study) -> WhatWasRun:
        """Gather it from the suite and the plan of a study."""
        scale = study.plan.epochs_scale
        recipes: dict[str, Recipe] = {}
        runs = []
        for result in study.board.tables:
            table = next(table for table in study.suite.tables if table.id == result.id)
            trials = [trial for trial in study.plan.trials if trial.table == table.id]
            recipes |= _recipes(table, {trial.arm for trial in trials})
            runs.append(_table(table, trials, result.selection.mark if result.selection else "", scale))
        return cls([_recipe(recipe, scale) for recipe in recipes.values()], runs, _files(study.suite))


def described(component: Component, hidden: tuple[str, ...] = ()) -> str:
    """Return a component as ``name(parameter=value, ...)``, with every parameter that has a value.

    Args:
        component: what to describe; a list of ops is written with + between them.
        hidden: parameters that are left out.
    """
    given = {name: value for name, value in component.parameters.items() if value is not None and name not in hidden}
    given = {name: value for name, value in given.items() if name not in component.tune}
    if component.tune:
        given["tune"] = component.tune
    ops = given.get("ops")
    if isinstance(ops, list) and len(given) == 1:
        return _value(ops)
    inside = ", ".join(f"{name}={_value(value)}" for name, value in given.items())
    return f"{component.name}({inside})" if inside else component.name


def _value(value: Any) -> str:
    if isinstance(value, Component):
        return described(value)
    if isinstance(value, list) and any(isinstance(item, Component) for item in value):
        return " + ".join(map(_value, value))
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_value(item)}" for name, item in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _recipe(recipe: Recipe, scale: float) -> Row:
    model = recipe.model
    scaled = f" (x {scale:g})" if scale < 1 else ""
    also = [model.precision, f"keeps the {model.keep} epoch"]
    also += [f"views of {model.view_size} px"] if model.view_size else []
    also += [f"teacher: {model.teacher.arm}"] if model.teacher else []
    return (
        recipe.name,
        described(recipe.method),
        described(recipe.encoder),
        described(recipe.augmentation),
        model.length + scaled,
        model.images.text,
        str(model.batch_size),
        _optimizer(recipe.optimizer),
        f"{recipe.optimizer.parameters['lr']:g}, {_schedule(recipe.schedule)}",
        ", ".join(also),
    )


def _optimizer(component: Component) -> str:
    if component.plugin != _BUILT_IN:
        return described(component)
    told = {"lr", "weight_decay", *component.neutral} | ({"momentum"} if component.name.startswith("adam") else set())
    more = "".join(
        f", {name.replace('_', ' ')} {_value(value)}"
        for name, value in component.parameters.items()
        if name not in told and value is not None
    )
    return f"{component.name}, weight decay {component.parameters['weight_decay']:g}{more}"


def _schedule(component: Component) -> str:
    if component.plugin != _BUILT_IN:
        return described(component)
    minimum, period, warmup = (component.parameters[name] for name in ("minimum", "period", "warmup"))
    text = component.name + (f" to {minimum:g}" if component.name == "cosine" else "")
    text += f", half period {period:,}" if period else ""
    return text + (f", warm-up {warmup:,}" if warmup else "")


def _recipes(table: Table, arms: set[str]) -> dict[str, Recipe]:
    """Return the recipes of some arms of a comparison, and of their teachers, by name."""
    found: dict[str, Recipe] = {}
    arms = arms | {variant for arm in table.arms if arm.name in arms for variant in arm.variants}
    waiting, seen = sorted(arms), set(arms)
    while waiting:
        name = waiting.pop()
        links = [link for arm in table.arms if arm.name == name for link in arm.chain]
        found |= {link.recipe.name: link.recipe for link in links}
        teachers = {link.recipe.model.teacher.arm for link in links if link.recipe.model.teacher} - seen
        waiting += teachers
        seen |= teachers
    return dict(sorted(found.items()))


def _table(table: Table, trials: Sequence[Trial], selection: str, scale: float) -> TableRun:
    def listed(name: str) -> str:
        return ", ".join(dict.fromkeys(str(getattr(trial, name)) for trial in trials))

    facts = [
        ("data sets", listed("dataset")),
        ("labels", listed("labels")),
        ("selection", selection),
        ("training seeds", listed("seed")),
        ("label draws", listed("draw")),
    ]
    folds = dict.fromkeys(str(trial.fold) for trial in trials if trial.fold is not None)
    facts += [("folds", f"{', '.join(folds)} of {table.folds}")] if folds else []
    facts += [("epochs", f"x {scale:g}: scaled down")] if scale < 1 else []
    shown = {trial.arm for trial in trials}
    variants = {name for arm in table.arms if arm.name in shown for name in arm.variants}
    return TableRun(table.title, facts, [_arm(arm) for arm in table.arms if arm.name in shown | variants])


def _arm(arm: Arm) -> Row:
    links = [link.recipe.name + (f" on {link.source('')}" if link.on else "") for link in arm.chain]
    name = f"{arm.name} (floor)" if arm.floor else arm.name
    if arm.variants:
        links = [f"chosen by validation images of: {', '.join(arm.variants)}"]
    return name, ", then ".join(links) or "none", described(arm.encoder), described(arm.evaluator)


def _files(suite: Suite) -> list[tuple[str, str]]:
    """Return the texts of a suite and of what it extends, as they are now; of one that has gone, what is left."""
    found: dict[str, str] = {}
    name = f"{suite.name}.toml" if suite.path is None else suite.path.name
    while name not in found:
        try:
            text = suite.to_toml() if suite.path is None and not found else (suite.folder / name).read_text("utf-8")
            base = tomllib.loads(text).get("extends")
        except (OSError, ValueError):
            break
        found[name] = text
        if not isinstance(base, str):
            break
        name = base
    return list(found.items())
