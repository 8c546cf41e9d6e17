"""Writes out sweeps: one recipe for each combination of values, and one arm for each such recipe.

Where a recipe says `choose`, its arms are variants of one (`variant_of`), of which tables choose.
"""

from __future__ import annotations

import hashlib
import re
from itertools import product
from math import prod
from typing import Any

from medssl_bench.errors import SuiteError
from medssl_bench.key_path import key_text
from medssl_bench.suite.positions import Node
from medssl_bench.suite.schema import Pretraining

_UNNAMEABLE = re.compile(r"[\x00-\x1f/\\]")
"""What a name of an arm must not hold."""

_LONGEST = 48
"""Characters of the text that names a variant of a recipe."""

_MOST = 1000
"""Variants of a recipe that a sweep may make, and arms of a comparison; more could not be trained, nor listed."""

_LONGEST_NAME = 80
"""Characters of a name of an arm, as the schema has it."""


def write_out_sweeps(root: Node) -> Node:
    """Return the document with one recipe for each value of a sweep, and one arm for each such recipe."""
    recipes, comparisons = root.value.get("pretraining"), root.value.get("comparison")
    if recipes is None or not isinstance(recipes.value, dict):
        return root
    variants: dict[str, dict[str, Node]] = {}
    chosen: set[str] = set()
    for name, recipe in recipes.value.items():
        if isinstance(recipe.value, dict) and "sweep" in recipe.value:
            variants[name] = _variants(name, recipe)
            if "choose" in recipe.value and recipe.value["choose"].value == "validation":
                chosen.add(name)
    if not variants:
        return root
    written: dict[str, Node] = {}
    for name, recipe in recipes.value.items():
        swept = {f"{name} {suffix}": variant for suffix, variant in variants.get(name, {}).items()}
        written.update(swept or {name: recipe})
    root = root.replaced("pretraining", Node(written, recipes.position))
    if comparisons is None or not isinstance(comparisons.value, list):
        return root
    tables = [_sweep_arms(table, variants, chosen, place) for place, table in enumerate(comparisons.value)]
    return root.replaced("comparison", Node(tables, comparisons.position))


def _variants(name: str, recipe: Node) -> dict[str, Node]:
    """Return the recipe with each combination of its sweep's values, by a text that names the values."""
    sweep = recipe.value["sweep"]
    _check_sweep(name, sweep)
    plain = recipe.replaced("sweep", None)
    if "choose" in recipe.value and recipe.value["choose"].value == "validation":  # else the schema says what is wrong
        plain = plain.replaced("choose", None)
    found: dict[str, Node] = {}
    for combination in product(*(values.value for values in sweep.value.values())):
        variant = plain
        for swept, value in zip(sweep.value, combination, strict=True):
            variant = _with_default(variant, swept.partition(".")[0])
            variant = _set(variant, swept.split("."), value, ("pretraining", name, "sweep", swept))
        pairs = zip(sweep.value, combination, strict=True)
        label = _short(" ".join(f"{swept.rpartition('.')[2]}={_text(value.plain())}" for swept, value in pairs))
        if label in found:
            key = key_text(("pretraining", name, "sweep"))
            raise SuiteError.at(combination[-1].position, key, f"two variants of the recipe would be called {label!r}")
        found[label] = variant
    return found


def _check_sweep(name: str, sweep: Node) -> None:
    """Check that a sweep is a table of lists of values."""
    here = ("pretraining", name, "sweep")
    if not isinstance(sweep.value, dict) or not sweep.value:
        message = 'a sweep is a table such as { "augmentation.blur" = [0.5, 1.0] }'
        raise SuiteError.at(sweep.position, key_text(here), message)
    for swept, values in sweep.value.items():
        message = ""
        if swept in {"extends", "sweep"}:
            message = "this key cannot be swept"
        elif isinstance(values.value, dict):
            message = f'put the whole key in quotes, as in {{ "{swept}.{next(iter(values.value), "x")}" = [0.5, 1.0] }}'
        elif not isinstance(values.value, list) or not values.value:
            message = "give a list of at least one value"
        if message:
            raise SuiteError.at(values.position, key_text((*here, swept)), message)
    if (number := prod(len(values.value) for values in sweep.value.values())) > _MOST:
        raise SuiteError.at(
            sweep.position, key_text(here), f"a sweep of {number:,} variants; at most {_MOST:,} are possible"
        )


def _sweep_arms(table: Node, variants: dict[str, dict[str, Node]], chosen: set[str], place: int) -> Node:
    """Return a comparison in which every arm that uses a swept recipe stands once for each of its variants."""
    arms = table.value.get("arm") if isinstance(table.value, dict) else None
    if arms is None or not isinstance(arms.value, list):
        return table
    written: list[Node] = []
    for arm in arms.value:
        used = [name for name in variants if name in _recipes_of(arm)]
        if not used:
            written.append(arm)
            continue
        number = len(written) + prod(len(variants[name]) for name in used)
        if number > _MOST:
            message = f"its sweeps make {number:,} arms of this comparison; at most {_MOST:,} are possible"
            raise SuiteError.at(arm.position, key_text(("comparison", place, "arm")), message)
        choices = product(*(variants[name] for name in used))
        written += [_arm_variant(arm, dict(zip(used, suffixes, strict=True)), chosen) for suffixes in choices]
    return table.replaced("arm", Node(written, arms.position))


def _recipes_of(arm: Node) -> list[str]:
    chain = arm.value.get("pretraining") if isinstance(arm.value, dict) else None
    if chain is None or not isinstance(chain.value, list):
        return []
    links = [link.plain() for link in chain.value]
    return [str(link.get("recipe")) if isinstance(link, dict) else str(link) for link in links]


def _arm_variant(arm: Node, suffixes: dict[str, str], chosen: set[str]) -> Node:
    """Return an arm on one variant of each swept recipe, named after it; `chosen` has those of which tables choose."""
    links = []
    for link in arm.value["pretraining"].value:
        recipe = link.value.get("recipe") if isinstance(link.value, dict) else link
        name = recipe.plain() if recipe else None
        if isinstance(name, str) and name in suffixes:
            renamed = Node(f"{name} {suffixes[name]}", link.position)
            link = link.replaced("recipe", renamed) if isinstance(link.value, dict) else renamed  # noqa: PLW2901
        links.append(link)
    arm = arm.replaced("pretraining", Node(links, arm.value["pretraining"].position))
    if "name" in arm.value and isinstance(arm.value["name"].value, str):
        name = arm.value["name"].value
        if len(name) <= _LONGEST_NAME:  # else the schema reports the name in the file
            kept = [suffix for recipe, suffix in suffixes.items() if recipe not in chosen]
            if len(kept) < len(suffixes) and "variant_of" not in arm.value:
                one = _short(" ".join([name, *kept]), _LONGEST_NAME)
                arm = arm.replaced("variant_of", Node(one, arm.value["name"].position))
            name = _short(" ".join([name, *suffixes.values()]), _LONGEST_NAME)
        arm = arm.replaced("name", Node(name, arm.value["name"].position))
    return arm


def _with_default(recipe: Node, key: str) -> Node:
    """Return a recipe with its default component written out, so that its parameters can be set."""
    field = Pretraining.model_fields.get(key)
    if field is None or key in recipe.value or not isinstance(field.default, str):
        return recipe
    return recipe.replaced(key, Node(field.default, recipe.position))


def _set(node: Node, keys: list[str], value: Node, here: tuple[str, ...]) -> Node:
    """Return a table with one value set; a component written as a name becomes a table on the way."""
    if not keys:
        return value
    if isinstance(node.value, str):
        node = Node({"name": node}, node.position)
    if not isinstance(node.value, dict):
        message = f"{keys[0]!r} leads into {node.plain()!r}, which is neither a table nor the name of a component"
        raise SuiteError.at(value.position, key_text(here), message)
    inner = node.value.get(keys[0], Node({}, value.position))
    return node.replaced(keys[0], _set(inner, keys[1:], value, here))


def _text(value: Any) -> str:
    """Return a value as names of arms show it: components by name and parameters, ops with + between them."""
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list) and any(isinstance(item, str | dict) for item in value):
        return "+".join(map(_text, value))
    if isinstance(value, dict):
        given = ",".join(f"{key}={_text(item)}" for key, item in value.items() if key != "name")
        return f"{_text(value['name'])}({given})" if "name" in value else f"({given})"
    return _UNNAMEABLE.sub("_", str(value))


def _short(name: str, longest: int = _LONGEST) -> str:
    """Return a name that is not too long: a cut name has a checksum of the whole, so that it is unique."""
    if len(name) <= longest:
        return name
    return f"{name[: longest - 7]}~{hashlib.sha256(name.encode()).hexdigest()[:6]}"
