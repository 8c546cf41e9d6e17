"""How many stages wait in the queue of a cluster, and why."""

from __future__ import annotations

from collections import Counter


class Queued:
    """The stages of a run that wait in the queue of a cluster."""

    def __init__(self) -> None:
        self._why: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._why)

    def waits(self, key: str, why: str) -> None:
        """Note that a stage waits, and why."""
        self._why[key] = why

    def leaves(self, key: str) -> None:
        """Note that a stage does not wait any more."""
        self._why.pop(key, None)

    def words(self) -> str:
        """Return how many wait, as ``12 queued (Resources, Priority)``: the most frequent reason first."""
        reasons = [why for why, _ in Counter(self._why.values()).most_common() if why]
        return f"{len(self._why)} queued" + (f" ({', '.join(reasons)})" if reasons else "")
