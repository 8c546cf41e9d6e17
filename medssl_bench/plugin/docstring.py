"""Reads the parts of a Google-style docstring that the command line shows."""

from __future__ import annotations

import inspect
import re

_ARGUMENT = re.compile(r"^ {4}\*{0,2}(\w+)(?: \([^)]*\))?: *(.*)$")


def summary(documented: object) -> str:
    """Return the first line of an object's docstring, or an empty string."""
    return (inspect.getdoc(documented) or "").partition("\n")[0].strip()


def description(documented: object) -> str:
    """Return an object's docstring up to its ``Args:`` section."""
    text = inspect.getdoc(documented) or ""
    return re.split(r"^(?:Args|Returns|Raises|Yields|Attributes):$", text, maxsplit=1, flags=re.MULTILINE)[0].strip()


def arguments(documented: object) -> dict[str, str]:
    """Return the text of each argument in an object's ``Args:`` section, its lines joined."""
    lines = (inspect.getdoc(documented) or "").splitlines()
    if "Args:" not in lines:
        return {}
    found: dict[str, str] = {}
    name = ""
    for line in lines[lines.index("Args:") + 1 :]:
        if line and not line.startswith(" "):
            break
        if match := _ARGUMENT.match(line):
            name, found[match[1]] = match[1], match[2]
        elif name and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
