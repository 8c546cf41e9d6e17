"""The record that a finished, or failed, stage leaves."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from medssl_bench.store.keys import content_key
from medssl_bench.store.signed import read_signed, signed

Status = Literal["done", "failed"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_FILES = 1000
"""More than any stage leaves."""

_COSTS = ("wall_seconds", "processor_seconds", "energy_joules", "images_seen", "peak_memory_bytes")
"""What of a cost is a number, if it is there."""


@dataclass(frozen=True)
class Record:
    """What is known of a stage that has ended.

    Attributes:
        key: its content key.
        kind: pretrain, embed, evaluate or analyse.
        title: what it was for.
        status: ``done`` or ``failed``.
        identity: what the key hashes.
        metrics: what was measured, by name; of an evaluation, also a table for the last epoch.
        cost: wall and processor seconds, images seen, peak memory.
        provenance: versions, plugins, git state, device, host, time.
        files: size in bytes and SHA-256 of each file beside the record, by name.
        epochs_scale: below 1 when the training was scaled down.
        reason: why it failed, in one line.
        spec: what a worker was given to do it.
        flags: what a reader must know before the result is believed: a sentence of one line by a code. Records of
            before there were flags have none.
    """

    key: str
    kind: str
    title: str
    status: Status
    identity: dict[str, Any]
    metrics: dict[str, Any] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    epochs_scale: float = 1.0
    reason: str = ""
    spec: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the record as JSON text, whose first field is the SHA-256 of the text without that field."""
        return signed(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Return the record of a JSON text; one without a digest is of a version that wrote none.

        Raises:
            ValueError: the text is not a record, or not the one that was written.
        """
        data, _ = read_signed(text)
        try:
            record = cls(**data)
        except TypeError as error:
            raise ValueError(f"not a record: {error}") from error
        if wrong := record.wrong():
            raise ValueError(f"not a record: {wrong}")
        return record

    def is_of_its_key(self) -> bool:
        """Return whether its key is the hash of its identity: else it is not the result that it is taken for."""
        return content_key(self.identity) == self.key

    def wrong(self) -> str:
        """Return what of it is not of the type it should have, or an empty string."""
        for name in ("key", "kind", "title", "reason"):
            if not isinstance(getattr(self, name), str):
                return f"{name} is no text"
        for name in ("identity", "metrics", "cost", "provenance", "files", "spec", "flags"):
            if not isinstance(getattr(self, name), dict):
                return f"{name} is no table"
        if not all(isinstance(sentence, str) for sentence in self.flags.values()):
            return "a flag is no text"
        if self.status not in get_args(Status):
            return f"status is {self.status!r}"
        if not _is_number(self.epochs_scale) or not 0 <= self.epochs_scale <= 1:
            return f"epochs_scale is {self.epochs_scale!r}"
        return _wrong_with_cost(self.cost) or _wrong_with_provenance(self.provenance) or _wrong_with_files(self.files)


def _wrong_with_cost(cost: dict[str, Any]) -> str:
    wrong = [name for name in _COSTS if cost.get(name) is not None and not _is_number(cost[name])]
    return f"cost.{wrong[0]} is no number" if wrong else ""


def _wrong_with_provenance(provenance: dict[str, Any]) -> str:
    for name in ("versions", "plugins", "git"):
        if name in provenance and not isinstance(provenance[name], dict if name != "git" else dict | None):
            return f"provenance.{name} is no table"
    if not all(isinstance(about, dict) for about in (provenance.get("plugins") or {}).values()):
        return "provenance.plugins has something else than tables"
    commit = (provenance.get("git") or {}).get("commit", "")
    return "" if isinstance(commit, str) else "provenance.git.commit is no text"


def _wrong_with_files(files: dict[str, Any]) -> str:
    if len(files) > _MOST_FILES:
        return f"it has {len(files):,} files"
    for name, about in files.items():
        if name in {"", ".", "..", "record.json"} or "/" in name or "\0" in name:
            return f"{name!r} is no name of a file"
        if not isinstance(about, dict) or not _is_size(about.get("bytes")) or not _is_sha256(about.get("sha256")):
            return f"files has no size and SHA-256 of {name!r}"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None
