"""Reads everything that a store holds, and tells what is not as it was written."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.errors import DamagedError, DamageWarning, NotReadable
from medssl_bench.store.access import not_readable
from medssl_bench.store.listing import closed, finished, listed
from medssl_bench.store.reading import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from medssl_bench.store.store import Store


_WEIGHTS = {"encoder.safetensors", "method.safetensors", "head.safetensors"}
"""What reports do not read."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a finished stage.

    Attributes:
        key: of the stage, or the name of its folder.
        what: what is wrong, in one line.
        is_damage: whether it is not what was written; False: this user may not read it.
    """

    key: str
    what: str
    is_damage: bool = True


def audit(store: Store) -> Iterator[Finding | None]:
    """Yield for each finished stage what is wrong with it first, or None.

    Sizes and SHA-256 sums of all files are compared with the record, the record with its digest, and files that no
    record names are reported.
    """
    for folder in finished(store.path):
        try:
            what = _wrong_with(store, folder.name)
        except NotReadable as error:
            yield Finding(folder.name, str(error), is_damage=False)
        else:
            yield Finding(folder.name, what) if what else None
    for place in closed(store.path):
        yield Finding(place.name, str(not_readable(place)), is_damage=False)


def _wrong_with(store: Store, key: str) -> str:
    folder = store.folder(key)
    if not folder.is_dir():
        return "it is not where a stage of this key belongs"
    if damage := store.damage(key):
        return damage
    record = store.record(key)
    if record is None:  # gone meanwhile
        return ""
    if not record.is_of_its_key():
        return "its key is not the hash of its identity"
    for name, about in record.files.items():
        try:
            with open_plain(folder / name) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except PermissionError as error:
            raise not_readable(folder / name) from error
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
        if digest != about["sha256"]:
            return f"the SHA-256 of {name} is not that of its record"
    foreign = sorted({path.name for path in listed(folder)} - record.files.keys() - {"record.json"})
    return f"{foreign[0]!r} is no file of this stage" if foreign else ""


def set_altered_aside(store: Store, keys: Iterable[str]) -> None:
    """Set finished stages aside of which a file that reports read has another SHA-256 than its record, with a warning.

    Args:
        store: where they are.
        keys: of the stages; those that are not finished are passed over.
    """
    for key in keys:
        record = store.record(key)
        for name in record.files.keys() - _WEIGHTS if record else ():
            try:
                store.checked(key, name)
            except DamagedError as error:
                warnings.warn(str(error), DamageWarning, stacklevel=3)
                break
