"""Checks a document against the schema, what it requires, and which code it asks to run."""

from __future__ import annotations

import shlex
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import BaseModel, ValidationError

from medssl_bench.errors import Problem, SuiteError, did_you_mean, nearest_to
from medssl_bench.key_path import key_text
from medssl_bench.suite.budget import BudgetError
from medssl_bench.suite.positions import is_file
from medssl_bench.suite.refused_values import refuse_odd_values
from medssl_bench.suite.schema import SuiteModel
from medssl_bench.suite.wording import EXPECTED, wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from medssl_bench.suite.positions import Node

Key = tuple[str | int, ...]


def validate(root: Node) -> SuiteModel:
    """Return the document as a checked model.

    Raises:
        SuiteError: the document does not fit the schema.
    """
    if not root.value:
        message = "this suite is empty; it needs a schema, a name and a [[comparison]]"
        raise SuiteError([Problem(root.position, "schema", message)])
    refuse_odd_values(root)
    plain = root.plain()
    try:
        return SuiteModel.model_validate(plain)
    except ValidationError as error:
        raise SuiteError(_problems(root, plain, error.errors(include_url=False))) from None


def check_requirements(model: SuiteModel, root: Node) -> None:
    """Check that the distributions which the suite requires are installed.

    Raises:
        SuiteError: one is not, or its version does not do.
    """
    problems = []
    for index, text in enumerate(model.requires):
        message = _unmet(text)
        if message:
            key = ("requires", index)
            problems.append(Problem(root.locate(key), key_text(key), message))
    if problems:
        raise SuiteError(problems)


def inline_plugins(model: SuiteModel, root: Node) -> Iterator[tuple[Path, Problem]]:
    """Yield the Python files that the suite names as plugins, each with a problem to complete if it is broken.

    Raises:
        SuiteError: a name is not that of a Python file beside the suite.
    """
    for index, name in enumerate(model.plugins):
        key = ("plugins", index)
        position = root.locate(key)
        path = position.file.parent / name
        if Path(name).name != name or Path(name).suffix != ".py":
            message = f"{name!r} is not the name of a Python file; it must stand beside the suite, as in 'mine.py'"
            raise SuiteError([Problem(position, key_text(key), message)])
        if not is_file(path):
            raise SuiteError([Problem(position, key_text(key), f"there is no file {name!r} beside the suite")])
        yield path.resolve(), Problem(position, key_text(key), "")


def _unmet(text: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return f'{text!r} is not a requirement; write it as in "medssl-bench-thesis>=0.1"'
    if requirement.url:
        return f'{text!r} names an address; a suite may ask for a name and a version, as in "medssl-bench-thesis>=0.1"'
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed; pip install {shlex.quote(text)}"
    if not requirement.specifier.contains(installed, prereleases=True):
        return f"{requirement.name} {installed} is installed; pip install {shlex.quote(text)}"
    return ""


def _problems(root: Node, plain: Any, errors: list[ErrorDetails]) -> list[Problem]:
    """Turn pydantic's errors into problems, each once, at the keys that they are about, in the order of the lines."""
    found: dict[object, Problem] = {}
    expected: dict[object, dict[str, None]] = {}
    misspelt = {(*e["loc"][:-1], _meant(e["loc"])) for e in errors if e["type"] == "extra_forbidden"}
    for details in errors:
        if details["type"] == "missing" and details["loc"] in misspelt:
            continue
        path = _existing(plain, details)
        position, message = root.locate(path), _message(plain, path, details)
        # the variants of a swept recipe have the same problem at the same place
        place: tuple[object, ...] = (position, path[-1:], message)
        if (name := EXPECTED.get(details["type"])) is not None:  # a value may be of several types: one line has all
            place = (position, path[-1:])
            types = expected.setdefault(place, {})
            types[name] = None
            message = message.replace(name, " or ".join(types), 1)
        first = found.setdefault(place, Problem(position, key_text(path), message))
        found[place] = replace(first, message=message)
    return sorted(found.values(), key=lambda problem: problem.position.line if problem.position else 0)


def _existing(plain: Any, details: ErrorDetails) -> Key:
    """Return the path of an error as far as the document has it: pydantic goes on into what it makes of a value."""
    path = details["loc"]
    if details["type"] == "missing":
        return path
    error = details.get("ctx", {}).get("error")
    if isinstance(error, BudgetError):
        path = (*path, error.key)
    found: Key = ()
    for part in path:
        if part == 0 and isinstance(plain, dict):  # a table alone is read as a list of one
            continue
        try:
            plain = plain[part]
        except (KeyError, IndexError, TypeError):
            break
        found = (*found, part)
    return found


def _message(plain: Any, path: Key, details: ErrorDetails) -> str:
    if details["type"] == "missing":
        return "this key is required"
    if details["type"] == "extra_forbidden":
        known = _fields_at(path[:-1])
        return f"unknown key{did_you_mean(str(path[-1]), known) or '; known here: ' + ', '.join(known)}"
    for part in path:
        plain = plain[part]
    return wording(details, plain)


def _meant(path: Key) -> str:
    """Return the key that a misspelt one was probably meant to be, or an empty string."""
    return nearest_to(str(path[-1]), tuple(_fields_at(path[:-1])))


def _fields_at(path: Key) -> list[str]:
    """Return the keys that the schema knows at a path."""
    model: type[BaseModel] = SuiteModel
    inside = False
    for part in path:
        if inside or isinstance(part, int):  # a name of one's own, or an index: the model is that of the key before
            inside = False
            continue
        annotation = model.model_fields[part].annotation
        inside = any(get_origin(found) is dict for found in _types(annotation))
        model = next(t for t in _types(annotation) if isinstance(t, type) and issubclass(t, BaseModel))
    return [field.alias or name for name, field in model.model_fields.items()]


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _types(argument)
