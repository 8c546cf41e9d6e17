"""Makes one document of a suite file: what it extends, what its recipes extend, and its sweeps written out."""

from __future__ import annotations

import hashlib
import re
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from medssl_bench.errors import Position, Problem, SuiteError, did_you_mean
from medssl_bench.key_path import key_text
from medssl_bench.suite.merge import identity, merge, merge_recipe
from medssl_bench.suite.positions import Node, is_file, read_toml
from medssl_bench.suite.schema import Pretraining
from medssl_bench.suite.wording import shown

_UNNAMEABLE = re.compile(r"[\x00-\x1f/\\]")
"""What a name of an arm must not hold."""

_DEEPEST = 30
"""How many suites, or recipes, may extend one another in a row."""

_LONGEST = 48
"""Characters of the text that names a variant of a recipe."""

_MOST = 1000
"""Variants of a recipe that a sweep may make, and arms of a comparison; more could not be trained, nor listed."""

_LONGEST_NAME = 80
"""Characters of a name of an arm, as the schema has it."""


def compose(path: Path) -> Node:
    """Read a suite file and everything it extends.

    Raises:
        SuiteError: a file cannot be read, is not TOML, or extends itself.
    """
    root = _read(path, ())
    _check_all_left_out(root)
    return _write_out_sweeps(_extend_recipes(root))


def _read(path: Path, trail: tuple[Path, ...]) -> Node:
    root = read_toml(path)
    base = root.value.get("extends")
    if base is None:
        return root
    name = base.plain()
    if not isinstance(name, str) or Path(name).name != name:
        raise _error(base.position, "extends", f"{shown(name)} is not the name of a suite file in the same folder")
    target = path.parent / name
    if len(trail) >= _DEEPEST:
        raise _error(base.position, "extends", f"at most {_DEEPEST} suites may extend one another in a row")
    if target in (*trail, path):
        chain = " -> ".join(file.name for file in (*trail, path, target))
        raise _error(base.position, "extends", f"suites extend each other in a circle: {chain}")
    if not is_file(target):
        raise _error(base.position, "extends", f"there is no file {shown(name)} beside this one")
    inherited = _read(target, (*trail, path))
    return merge(*_without(inherited, root))


def _without(inherited: Node, root: Node) -> tuple[Node, Node]:
    """Return both documents without what the extending one leaves out, and without the keys that say so."""
    inherited, root = _leave_out(inherited, root, "comparison", "id", ())
    ours = root.value.get("comparison")
    theirs = inherited.value.get("comparison")
    if ours is None or theirs is None or not isinstance(ours.value, list) or not isinstance(theirs.value, list):
        return inherited, root
    bases = {identity(table, "id"): place for place, table in enumerate(theirs.value)}
    old, new = list(theirs.value), list(ours.value)
    for place, table in enumerate(new):
        base = bases.get(identity(table, "id"))
        if base is not None and isinstance(table.value, dict) and isinstance(old[base].value, dict):
            old[base], new[place] = _leave_out(old[base], table, "arm", "name", ("comparison", place))
    return (
        _with(inherited, "comparison", Node(old, theirs.position)),
        _with(root, "comparison", Node(new, ours.position)),
    )


def _check_all_left_out(root: Node) -> None:
    """Check that every ``without`` was about something that is extended: one that was is gone by now."""
    tables = root.value.get("comparison")
    places: list[tuple[Node, tuple[str | int, ...]]] = [(root, ())]
    if tables is not None and isinstance(tables.value, list):
        places += [(table, ("comparison", place)) for place, table in enumerate(tables.value)]
    for node, here in places:
        unwanted = node.value.get("without") if isinstance(node.value, dict) else None
        if unwanted is not None and unwanted.value:
            what = "no suite" if not here else "no comparison of this id in another suite"
            raise _error(
                unwanted.position, key_text((*here, "without")), f"{what} is extended here, so nothing can be left out"
            )


def _leave_out(base: Node, over: Node, items: str, name: str, here: tuple[str | int, ...]) -> tuple[Node, Node]:
    """Return `base` without the items that ``without`` of `over` names, and `over` without that key."""
    unwanted = over.value.get("without")
    if unwanted is None or not isinstance(unwanted.value, list):
        return base, over
    present = base.value.get(items)
    known = [identity(item, name) for item in present.value] if present is not None else []
    for item in unwanted.value:
        if item.plain() not in known:
            hint = did_you_mean(str(item.plain()), [str(found) for found in known])
            message = f"the suite that this one extends has no {items} {item.plain()!r}{hint}"
            raise _error(item.position, key_text((*here, "without")), message)
    gone = [item.plain() for item in unwanted.value]
    if present is not None:
        kept = [item for item in present.value if identity(item, name) not in gone]
        base = _with(base, items, Node(kept, present.position))
    return base, _with(over, "without", None)


def _extend_recipes(root: Node) -> Node:
    """Return the document with every recipe's ``extends`` carried out."""
    recipes = root.value.get("pretraining")
    if recipes is None or not isinstance(recipes.value, dict):
        return root
    done = {name: _extended(name, recipes.value, ()) for name in recipes.value}
    return _with(root, "pretraining", Node(done, recipes.position))


def _extended(name: str, recipes: dict[str, Node], trail: tuple[str, ...]) -> Node:
    recipe = recipes[name]
    if not isinstance(recipe.value, dict) or "extends" not in recipe.value:
        return recipe
    base = recipe.value["extends"]
    key, target = key_text(("pretraining", name, "extends")), base.plain()
    if not isinstance(target, str):
        raise _error(base.position, key, f"expected the name of a recipe, not {target!r}")
    if target not in recipes:
        raise _error(base.position, key, f"there is no recipe {target!r}{did_you_mean(target, recipes)}")
    if len(trail) >= _DEEPEST:
        raise _error(base.position, key, f"at most {_DEEPEST} recipes may extend one another in a row")
    if target in (*trail, name):
        chain = " -> ".join((*trail, name, target))
        raise _error(base.position, key, f"recipes extend each other in a circle: {chain}")
    inherited = _extended(target, recipes, (*trail, name))
    return merge_recipe(inherited, recipe)


def _write_out_sweeps(root: Node) -> Node:
    """Return the document with one recipe for each value of a sweep, and one arm for each such recipe."""
    recipes, comparisons = root.value.get("pretraining"), root.value.get("comparison")
    if recipes is None or not isinstance(recipes.value, dict):
        return root
    variants: dict[str, dict[str, Node]] = {}
    for name, recipe in recipes.value.items():
        if isinstance(recipe.value, dict) and "sweep" in recipe.value:
            variants[name] = _variants(name, recipe)
    if not variants:
        return root
    written: dict[str, Node] = {}
    for name, recipe in recipes.value.items():
        swept = {f"{name} {suffix}": variant for suffix, variant in variants.get(name, {}).items()}
        written.update(swept or {name: recipe})
    root = _with(root, "pretraining", Node(written, recipes.position))
    if comparisons is None or not isinstance(comparisons.value, list):
        return root
    tables = [_sweep_arms(table, variants, place) for place, table in enumerate(comparisons.value)]
    return _with(root, "comparison", Node(tables, comparisons.position))


def _variants(name: str, recipe: Node) -> dict[str, Node]:
    """Return the recipe with each combination of its sweep's values, by a text that names the values."""
    sweep = recipe.value["sweep"]
    _check_sweep(name, sweep)
    plain = _with(recipe, "sweep", None)
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
            raise _error(combination[-1].position, key, f"two variants of the recipe would be called {label!r}")
        found[label] = variant
    return found


def _check_sweep(name: str, sweep: Node) -> None:
    """Check that a sweep is a table of lists of values."""
    here = ("pretraining", name, "sweep")
    if not isinstance(sweep.value, dict) or not sweep.value:
        message = 'a sweep is a table such as { "augmentation.blur" = [0.5, 1.0] }'
        raise _error(sweep.position, key_text(here), message)
    for swept, values in sweep.value.items():
        message = ""
        if swept in {"extends", "sweep"}:
            message = "this key cannot be swept"
        elif isinstance(values.value, dict):
            message = f'put the whole key in quotes, as in {{ "{swept}.{next(iter(values.value), "x")}" = [0.5, 1.0] }}'
        elif not isinstance(values.value, list) or not values.value:
            message = "give a list of at least one value"
        if message:
            raise _error(values.position, key_text((*here, swept)), message)
    if (number := prod(len(values.value) for values in sweep.value.values())) > _MOST:
        raise _error(sweep.position, key_text(here), f"a sweep of {number:,} variants; at most {_MOST:,} are possible")


def _sweep_arms(table: Node, variants: dict[str, dict[str, Node]], place: int) -> Node:
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
            raise _error(arm.position, key_text(("comparison", place, "arm")), message)
        choices = product(*(variants[name] for name in used))
        written += [_arm_variant(arm, dict(zip(used, suffixes, strict=True))) for suffixes in choices]
    return _with(table, "arm", Node(written, arms.position))


def _recipes_of(arm: Node) -> list[str]:
    chain = arm.value.get("pretraining") if isinstance(arm.value, dict) else None
    if chain is None or not isinstance(chain.value, list):
        return []
    links = [link.plain() for link in chain.value]
    return [str(link.get("recipe")) if isinstance(link, dict) else str(link) for link in links]


def _arm_variant(arm: Node, suffixes: dict[str, str]) -> Node:
    """Return an arm on one variant of each swept recipe, named after it."""
    links = []
    for link in arm.value["pretraining"].value:
        recipe = link.value.get("recipe") if isinstance(link.value, dict) else link
        name = recipe.plain() if recipe else None
        if isinstance(name, str) and name in suffixes:
            renamed = Node(f"{name} {suffixes[name]}", link.position)
            link = _with(link, "recipe", renamed) if isinstance(link.value, dict) else renamed  # noqa: PLW2901
        links.append(link)
    arm = _with(arm, "pretraining", Node(links, arm.value["pretraining"].position))
    if "name" in arm.value and isinstance(arm.value["name"].value, str):
        name = arm.value["name"].value
        if len(name) <= _LONGEST_NAME:  # else the schema reports the name in the file
            name = _short(" ".join([name, *suffixes.values()]), _LONGEST_NAME)
        arm = _with(arm, "name", Node(name, arm.value["name"].position))
    return arm


def _with_default(recipe: Node, key: str) -> Node:
    """Return a recipe with the default component filled in, so that its parameters can be set."""
    field = Pretraining.model_fields.get(key)
    if field is None or key in recipe.value or not isinstance(field.default, str):
        return recipe
    return _with(recipe, key, Node(field.default, recipe.position))


def _set(node: Node, keys: list[str], value: Node, here: tuple[str, ...]) -> Node:
    """Return a table with one value set; a component written as a name becomes a table on the way."""
    if not keys:
        return value
    if isinstance(node.value, str):
        node = Node({"name": node}, node.position)
    if not isinstance(node.value, dict):
        message = f"{keys[0]!r} leads into {node.plain()!r}, which is neither a table nor the name of a component"
        raise _error(value.position, key_text(here), message)
    inner = node.value.get(keys[0], Node({}, value.position))
    return _with(node, keys[0], _set(inner, keys[1:], value, here))


def _with(node: Node, key: str, value: Node | None) -> Node:
    """Return a table with one key replaced, or removed."""
    table = {name: item for name, item in node.value.items() if name != key}
    if value is not None:
        table[key] = value
    return Node(table, node.position)


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


def _error(position: Position, key: str, message: str) -> SuiteError:
    return SuiteError([Problem(position, key, message)])
