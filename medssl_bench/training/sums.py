"""Means of metrics over the batches of an epoch."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


class Sums:
    """Means of metrics over batches, read from the device once."""

    def __init__(self, totals: Mapping[str, Tensor] | None = None, count: int = 0) -> None:
        self.totals: dict[str, Tensor] = dict(totals or {})
        self.count = count

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Add what a batch has given; nothing is read from the device."""
        self.count += 1
        for name, value in metrics.items():
            found = value.detach().float()
            # a copy: what a recorded step returns is written over by the next
            self.totals[name] = self.totals[name] + found if name in self.totals else found.clone()

    def means(self) -> dict[str, float]:
        """Return the mean of each metric."""
        # by name: sums that come back from a checkpoint stand in the order of its file
        return {name: float(total) / self.count for name, total in sorted(self.totals.items())}
