"""Reads the parts of a docstring that the command line shows: in Google's style, and in numpydoc's and Sphinx's."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import textwrap
from itertools import pairwise
from typing import Any

_SECTIONS = r"(?:Keyword |Other )?(?:Args|Arguments|Parameters|Params)"
_GOOGLE = re.compile(rf"^{_SECTIONS}:$")
_NUMPY = re.compile(rf"^{_SECTIONS}$")
_SECTION = re.compile(
    rf"^(?:(?:{_SECTIONS}|Returns|Raises|Yields|Attributes|Examples?|Notes?):|:(?:param|type|raises?|returns?)\b.*"
    rf"|(?:{_SECTIONS}|Returns|Raises|Yields|Attributes|Examples?|Notes?)\n-{{3,}})$",
    re.MULTILINE,
)
"""Where a section begins."""

_ATTRIBUTES = re.compile(r"^Attributes(:?)$", re.MULTILINE)

_SPHINX = re.compile(r"^:param (?:[^:]*\s)?\*{0,2}(\w+): *(.*)$")
_NAMED = re.compile(r"^\*{0,2}(\w+)\s*(?:\((?:[^()]|\([^()]*\))*\))?: *(.*)$")
"""``name: text`` or ``name (type): text``, the type with parentheses of its own."""


def own_text(documented: object) -> str:
    """Return the docstring of a function, or of a class and its ``__init__``; none that it inherits.

    A base class says what all of its kind are, and not what this one does.
    """
    while isinstance(documented, functools.partial):
        documented = documented.func
    if not inspect.isclass(documented):
        return inspect.getdoc(documented) or ""
    texts = [vars(documented).get("__doc__"), getattr(vars(documented).get("__init__"), "__doc__", None)]
    if "__dataclass_params__" in vars(documented) and (texts[0] or "").startswith(f"{documented.__name__}("):
        del texts[0]  # the signature, which a dataclass without a docstring gets
    return "\n\n".join(inspect.cleandoc(text) for text in texts if text)


def summary(documented: object) -> str:
    """Return the first line of an object's docstring, or an empty string."""
    return own_text(documented).partition("\n")[0].strip()


def description(documented: object) -> str:
    """Return an object's docstring up to its first section, such as ``Args:``."""
    return _SECTION.split(own_text(documented), maxsplit=1)[0].strip()


def arguments(documented: object) -> dict[str, str]:
    """Return the text of each argument that an object's docstring documents, its lines joined."""
    return _named(own_text(documented))


def fields(documented: Any) -> dict[str, str]:
    """Return the text of each field that a class or a base class of it documents, its lines joined.

    They are in a section such as ``Args:`` or ``Attributes:`` of its docstring, or in a docstring below the field.
    """
    found: dict[str, str] = {}
    for base in reversed(documented.__mro__):
        if base.__module__.partition(".")[0] not in {"builtins", "abc", "pydantic"}:
            found |= _below_fields(base) | _named(_ATTRIBUTES.sub(r"Args\1", own_text(base)))
    return found


def _below_fields(documented: type) -> dict[str, str]:
    """Return the docstrings that stand below fields in the source of a class, if there is a source."""
    try:
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(documented))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return {}
    found = {}
    for field, below in pairwise(getattr(body, "body", [])):
        text = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else None
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, str):
            found[field.target.id] = " ".join(text.split())
    return found


def _named(text: str) -> dict[str, str]:
    lines = text.splitlines()
    found: dict[str, str] = {}
    for place, line in enumerate(lines):
        if _GOOGLE.match(line):
            found |= _google(lines[place + 1 :])
        elif _NUMPY.match(line) and re.fullmatch(r"-{3,}", "".join(lines[place + 1 : place + 2]).strip()):
            found |= _numpy(lines[place + 2 :])
        elif match := _SPHINX.match(line):
            found[match[1]] = " ".join([match[2], *_indented(lines[place + 1 :])]).strip()
    return found


def _google(lines: list[str]) -> dict[str, str]:
    """Return what the indented lines of a section say: names at its indentation, more of their text below."""
    found: dict[str, str] = {}
    name, margin = "", None
    for line in lines:
        if line and not line.startswith(" "):
            break
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip())
        margin = depth if margin is None else margin
        match = _NAMED.match(line.strip()) if depth == margin else None
        if match:
            name, found[match[1]] = match[1], match[2]
        elif name and depth > margin:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def _numpy(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, line in enumerate(lines):
        if not line.strip() or line.startswith(" "):
            continue
        if "".join(lines[place + 1 : place + 2]).startswith("---") or line.startswith(":"):
            break  # the next section
        names = line.partition(":")[0]
        for name in re.findall(r"\w+", names):
            found[name] = " ".join(_indented(lines[place + 1 :]))
    return found


def _indented(lines: list[str]) -> list[str]:
    """Return the indented lines at the beginning, without their margin and without empty ones."""
    found = []
    for line in lines:
        if line and not line.startswith(" "):
            break
        if line.strip():
            found.append(line.strip())
    return found
