"""Makes one document of a suite file: what it extends, what its recipes extend, and its sweeps written out."""

from __future__ import annotations

from pathlib import Path

from medssl_bench.errors import SuiteError, did_you_mean
from medssl_bench.key_path import key_text
from medssl_bench.suite.merge import identity, merge, merge_recipe
from medssl_bench.suite.positions import Node, is_file, read_toml
from medssl_bench.suite.sweeps import write_out_sweeps
from medssl_bench.suite.wording import shown

_DEEPEST = 30
"""How many suites, or recipes, may extend one another in a row."""


def compose(document: Node) -> Node:
    """Return a suite with everything it extends.

    Raises:
        SuiteError: a suite that it extends cannot be read, is not TOML, or extends itself.
    """
    root = _extended_suite(document, ())
    _check_all_left_out(root)
    return write_out_sweeps(_extend_recipes(root))


def _extended_suite(root: Node, trail: tuple[Path, ...]) -> Node:
    path = root.position.file
    base = root.value.get("extends")
    if base is None:
        return root
    name = base.plain()
    if not isinstance(name, str) or Path(name).name != name:
        raise SuiteError.at(
            base.position, "extends", f"{shown(name)} is not the name of a suite file in the same folder"
        )
    target = path.parent / name
    if len(trail) >= _DEEPEST:
        raise SuiteError.at(base.position, "extends", f"at most {_DEEPEST} suites may extend one another in a row")
    if target in (*trail, path):
        chain = " -> ".join(file.name for file in (*trail, path, target))
        raise SuiteError.at(base.position, "extends", f"suites extend each other in a circle: {chain}")
    if not is_file(target):
        raise SuiteError.at(base.position, "extends", f"there is no file {shown(name)} beside this one")
    inherited = _extended_suite(read_toml(target), (*trail, path))
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
        inherited.replaced("comparison", Node(old, theirs.position)),
        root.replaced("comparison", Node(new, ours.position)),
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
            raise SuiteError.at(
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
            raise SuiteError.at(item.position, key_text((*here, "without")), message)
    gone = [item.plain() for item in unwanted.value]
    if present is not None:
        kept = [item for item in present.value if identity(item, name) not in gone]
        base = base.replaced(items, Node(kept, present.position))
    return base, over.replaced("without", None)


def _extend_recipes(root: Node) -> Node:
    """Return the document with every recipe's ``extends`` carried out."""
    recipes = root.value.get("pretraining")
    if recipes is None or not isinstance(recipes.value, dict):
        return root
    done = {name: _extended(name, recipes.value, ()) for name in recipes.value}
    return root.replaced("pretraining", Node(done, recipes.position))


def _extended(name: str, recipes: dict[str, Node], trail: tuple[str, ...]) -> Node:
    recipe = recipes[name]
    if not isinstance(recipe.value, dict) or "extends" not in recipe.value:
        return recipe
    base = recipe.value["extends"]
    key, target = key_text(("pretraining", name, "extends")), base.plain()
    if not isinstance(target, str):
        raise SuiteError.at(base.position, key, f"expected the name of a recipe, not {target!r}")
    if target not in recipes:
        raise SuiteError.at(base.position, key, f"there is no recipe {target!r}{did_you_mean(target, recipes)}")
    if len(trail) >= _DEEPEST:
        raise SuiteError.at(base.position, key, f"at most {_DEEPEST} recipes may extend one another in a row")
    if target in (*trail, name):
        chain = " -> ".join((*trail, name, target))
        raise SuiteError.at(base.position, key, f"recipes extend each other in a circle: {chain}")
    inherited = _extended(target, recipes, (*trail, name))
    return merge_recipe(inherited, recipe)
