"""The record that a finished, or failed, stage leaves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


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
    """

    key: str
    kind: str
    title: str
    status: Literal["done", "failed"]
    identity: dict[str, Any]
    metrics: dict[str, Any] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    epochs_scale: float = 1.0
    reason: str = ""
    spec: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the record as JSON text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Return the record of a JSON text.

        Raises:
            ValueError: the text is not a record.
        """
        data = json.loads(text)
        try:
            return cls(**data)
        except TypeError as error:
            raise ValueError(f"not a record: {error}") from error
