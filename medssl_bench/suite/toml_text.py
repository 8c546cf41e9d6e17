"""Values as TOML, and paths as a suite resolves them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medssl_bench.errors import UserError, printable

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def written(value: Any) -> str:
    """Return a value as TOML on one line: text, numbers, true and false, lists and tables of them.

    Raises:
        UserError: a text is not UTF-8, which TOML must be.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_text(str(key))} = {written(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(written, value))}]"
    raise TypeError(f"{type(value).__name__} has no form in a suite")


def key_text(key: str) -> str:
    """Return a key as TOML."""
    return key if _BARE.fullmatch(key) else _text(key)


def path_text(path: Path, folder: Path) -> str:
    """Return a path as a suite in a folder writes it: relative to the folder, with forward slashes.

    Args:
        path: any path; a relative one starts from the working directory.
        folder: of the suite.

    Raises:
        UserError: it is not UTF-8.
    """
    relative = Path(os.path.relpath(path.absolute(), folder.resolve())).as_posix()
    if relative.startswith("~"):  # a suite would take it for a home folder
        relative = path.absolute().as_posix()
    return _text(relative)


def comment(text: str) -> str:
    """Return a text as it may stand in a comment."""
    return printable(text)


def _text(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UserError(f"{value!r} is not UTF-8, so no suite can name it; rename it") from None
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
