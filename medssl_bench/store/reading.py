"""Reads files that a stranger may have made: plain files alone, of bounded size, and JSON without surprises."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

LARGEST_TEXT = 4 * 2**20
"""Bytes of the largest record, description of a data set or the like that is read."""

_DEEPEST = 64
"""How deep lists and tables of a JSON text may stand in each other; those that are written stand eight deep."""


def open_plain(file: Path) -> BufferedReader:
    """Open a plain file to read its bytes.

    A link is not followed, and a pipe, a device or a socket neither waits nor answers.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it cannot be read, or is no plain file.
    """
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(file, flags)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK, errno.ENXIO}:  # a link, as systems say it; a socket
            raise _no_plain_file(file) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_plain_file(file)
    return os.fdopen(descriptor, "rb")


def _no_plain_file(file: Path) -> OSError:
    return OSError(errno.EINVAL, "it is no plain file, but a link, a pipe, a device or the like", str(file))


def plain_size(file: Path) -> int:
    """Return the bytes of a plain file, which is not opened.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is no plain file.
    """
    status = file.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise _no_plain_file(file)
    return status.st_size


def read_text(file: Path, largest: int = LARGEST_TEXT) -> str:
    """Return the text of a plain file.

    Args:
        file: the file.
        largest: the most bytes that it may have.

    Raises:
        OSError: it cannot be read, or is no plain file.
        ValueError: it is larger, or not UTF-8.
    """
    with open_plain(file) as stream:
        content = stream.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"it has more than {largest:,} bytes")
    return content.decode("utf-8")


def parse_json(text: str) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: it is no JSON, or has what cannot be written again: a number that is none, half a letter
            (a lone surrogate), or lists and tables too deep in each other.
    """
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("its lists and tables are too deep in each other") from error
    _check_depth(value)
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("it has half a letter (a lone surrogate)") from error
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            item
            for found in level
            if isinstance(found, dict | list)
            for item in (found.values() if isinstance(found, dict) else found)
        ]
        if not level:
            return
    raise ValueError("its lists and tables are too deep in each other")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large a number")
    return value
