"""One measured number, with the chance that it is of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from medssl_bench.plan.chance import Chance

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Value:
    """One measured number.

    Attributes:
        seed: of the trial that it is of.
        draw: likewise.
        value: the number.
        flags: what must be known of it: sentences by code.
        classes: the number of each class, by the class' name; empty unless the metric is measured for each class.
        fold: likewise; None: the data set's own splits.
        tuned: settings that validation labels chose for it, by name; empty where none were.
    """

    seed: int
    draw: int
    value: float
    flags: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, float | None] = field(default_factory=dict)
    fold: int | None = None
    tuned: Mapping[str, Any] = field(default_factory=dict)

    @property
    def chance(self) -> Chance:
        """The seed, draw and fold of its trial."""
        return Chance(self.seed, self.draw, self.fold)

    def to_data(self) -> dict[str, Any]:
        """Return the value as JSON-able data; ``classes`` is there where the metric is measured for each class."""
        names = ("seed", "draw", "fold", "value", "flags", "tuned")
        data = {name: getattr(self, name) for name in names}
        return {**data, "classes": self.classes} if self.classes else data
