"""What a store keeps of data sets: ``datasets/``, a signed file for each."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.store.atomic import write_atomically
from medssl_bench.store.reading import read_text
from medssl_bench.store.signed import read_signed, signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = re.compile(r"[0-9a-f]{32}\.json")
"""Names of these files: the first 32 digits of the data set's key."""


@dataclass(frozen=True)
class Description:
    """What is known of a data set.

    Attributes:
        fingerprint: of its content.
        info: what it says of itself; the caller checks it.
        signed: whether the file has a digest; older versions wrote none.
    """

    fingerprint: str
    info: dict[str, Any]
    signed: bool = True


def description_name(key: str) -> str:
    """Return the name of the file of the data set with this key."""
    return f"{key[:32]}.json"


def description_text(name: str, description: Description) -> str:
    """Return the text of the file of this name."""
    data = {"key": name.removesuffix(".json"), "fingerprint": description.fingerprint, "info": description.info}
    return signed(data)


def write_description(folder: Path, key: str, description: Description) -> None:
    """Keep what is known of a data set; a file that says the same already is left alone.

    Args:
        folder: of the store.
        key: of the data set.
        description: what is known of it.

    Raises:
        OSError: it cannot be written.
    """
    file = folder / "datasets" / description_name(key)
    text = description_text(file.name, description)
    with suppress(OSError, ValueError):
        if read_text(file) == text:
            return
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text)


def read_description(file: Path) -> Description:
    """Return what a file says of a data set.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        ValueError: it is not what was written.
    """
    return parse_description(read_text(file), file.name)


def parse_description(text: str, name: str) -> Description:
    """Return what the text of a file of this name says of a data set.

    Raises:
        ValueError: it is not what was written.
    """
    if not NAME.fullmatch(name):
        raise ValueError("this is no name of such a file")
    data, has_digest = read_signed(text)
    if not has_digest and "key" in data:
        raise ValueError("its digest is missing")
    if has_digest and f"{data.get('key')}.json" != name:
        raise ValueError("it is of another data set")
    fingerprint, info = data.get("fingerprint"), data.get("info")
    if not isinstance(fingerprint, str) or not isinstance(info, dict):
        raise ValueError("it does not describe a data set")
    return Description(fingerprint, info, has_digest)


def descriptions(folder: Path) -> Iterator[tuple[Path, Description | str]]:
    """Yield each file of a store's ``datasets/``, and what it says or what is wrong with it.

    Args:
        folder: of the store.
    """
    for file in sorted((folder / "datasets").glob("*.json")):
        if file.name.startswith("."):  # being written
            continue
        try:
            yield file, read_description(file)
        except FileNotFoundError:  # it has gone meanwhile
            continue
        except (OSError, ValueError) as error:
            yield file, getattr(error, "strerror", None) or str(error)


def set_description_aside(folder: Path, file: Path) -> Path | None:
    """Move a file that is not what was written to ``damaged/``; return where to, or None: it cannot be moved."""
    target = folder / "damaged" / f"datasets-{file.stem}-{uuid.uuid4().hex[:8]}"
    try:
        target.parent.mkdir(exist_ok=True)
        file.rename(target)
    except OSError:
        return None
    return target
