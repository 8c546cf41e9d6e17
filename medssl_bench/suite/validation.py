"""Checks a document against the schema, what it requires, and which code it asks to run."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from pydantic import BaseModel, ValidationError

from medssl_bench.errors import Problem, SuiteError, did_you_mean
from medssl_bench.suite.schema import SuiteModel
from medssl_bench.suite.source import key_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from medssl_bench.suite.source import Node


def validate(root: Node) -> SuiteModel:
    """Return the document as a checked model.

    Raises:
        SuiteError: the document does not fit the schema.
    """
    plain = root.plain()
    try:
        return SuiteModel.model_validate(plain)
    except ValidationError as error:
        raise SuiteError(_problem(root, plain, details) for details in error.errors(include_url=False)) from None


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
        if not path.is_file():
            raise SuiteError([Problem(position, key_text(key), f"there is no file {name!r} beside the suite")])
        yield path.resolve(), Problem(position, key_text(key), "")


def _unmet(text: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return f'{text!r} is not a requirement; write it as in "medssl-bench-thesis>=0.1"'
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is not installed; pip install '{text}'"
    if not requirement.specifier.contains(installed, prereleases=True):
        return f"{requirement.name} {installed} is installed; pip install '{text}'"
    return ""


def _problem(root: Node, plain: Any, details: ErrorDetails) -> Problem:
    """Turn one of pydantic's errors into a problem at the key that it is about."""
    path = details["loc"]
    kind, message = details["type"], details["msg"]
    if kind == "extra_forbidden":
        known = _fields_at(path[:-1])
        message = f"unknown key{did_you_mean(str(path[-1]), known)}; known here: {', '.join(known)}"
    elif kind == "missing":
        message = "this key is required"
    elif kind == "value_error":
        message = str(details.get("ctx", {}).get("error", message))
    else:
        value = _at(plain, path)
        shown = repr(value)
        message = f"{message[:1].lower()}{message[1:]}, not {shown if len(shown) <= 60 else shown[:57] + '...'}"
    return Problem(root.locate(path), key_text(path) or "schema", message.replace("\n", " "))


def _at(plain: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        try:
            plain = plain[part]
        except (KeyError, IndexError, TypeError):
            break
    return plain


def _fields_at(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the schema knows at a path."""
    model: Any = SuiteModel
    for part in path:
        model = _inner(model, part)
    return [field.alias or name for name, field in model.model_fields.items()]


def _inner(model: type[BaseModel], part: str | int) -> Any:
    """Return the model one step further along a path; steps into lists and name tables stay at their model."""
    field = model.model_fields.get(part) if isinstance(part, str) else None
    if field is None:
        return model
    found = [item for item in _types(field.annotation) if isinstance(item, type) and issubclass(item, BaseModel)]
    return found[0] if found else model


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _types(argument)
