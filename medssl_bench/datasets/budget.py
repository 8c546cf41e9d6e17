"""How many images of a split are used, and which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

Short = Literal["error", "clip", "skip"]
"""What to do when a set is too small."""

_SHORT = get_args(Short)
Unit = Literal["all", "count", "per_class", "groups", "percent", "none"]


@dataclass(frozen=True)
class Budget:
    """How many images of a split are used.

    Attributes:
        unit: ``all``, ``count`` (N images), ``per_class`` (N of each class), ``groups`` (all images of N groups, such
            as patients), ``percent`` or ``none``.
        amount: N, or the percentage in (0, 100]; 0 for ``all`` and ``none``.
        stratified: keep the class proportions (``count`` and ``percent`` only).
        short: what to do when the set is too small: ``error`` refuses the suite, ``clip`` takes all there
            are, ``skip`` leaves the cell out of the table.
    """

    unit: Unit
    amount: float = 0
    stratified: bool = False
    short: Short = "error"

    @property
    def is_drawn(self) -> bool:
        """Whether chance decides which images these are."""
        return self.unit not in {"all", "none"}

    @property
    def text(self) -> str:
        """The budget as column heads show it: ``100``, ``all``, ``10/class``, ``20 groups``, ``5%``."""
        amount = _number(self.amount)
        groups = f"{amount} group{'' if self.amount == 1 else 's'}"
        texts = {"all": "all", "none": "0", "per_class": f"{amount}/class", "groups": groups, "percent": f"{amount}%"}
        text = texts.get(self.unit, amount)
        return f"{text} stratified" if self.stratified else text

    def images(self, total: int) -> int | None:
        """Return how many images this is of a set of `total`; None for ``per_class`` and ``groups``: more decides it.

        Raises:
            ValueError: the set is too small and `short` is ``error``.
        """
        if self.unit in {"per_class", "groups"}:
            return None
        if self.unit in {"all", "none"}:
            return total if self.unit == "all" else 0
        if self.unit == "percent":
            return max(1, round(total * self.amount / 100))
        if self.amount > total and self.short == "error":
            raise ValueError(
                f"{_number(self.amount)} images are asked of a set of {total}; ask for fewer, or write "
                f'{{ count = {_number(self.amount)}, short = "clip" }} to take all there are'
            )
        return min(int(self.amount), total)

    def is_skipped(self, total: int) -> bool:
        """Return whether the cell is left out, as the set is too small and `short` is ``skip``."""
        return self.unit == "count" and self.short == "skip" and self.amount > total

    def to_data(self) -> dict[str, Any]:
        """Return the budget as JSON-able data; `short` decides whether there is a result, not which."""
        return {"unit": self.unit, "amount": self.amount, "stratified": self.stratified}

    @classmethod
    def from_data(cls, data: Any) -> Budget:
        """Return the budget that `to_data` described; `short` may be there too.

        Raises:
            TypeError: the data describes none.
        """
        if not isinstance(data, dict) or data.get("unit") not in get_args(Unit):
            raise TypeError("expected a budget")
        amount = data.get("amount", 0)
        if isinstance(amount, bool) or not isinstance(amount, int | float) or data.get("short", "error") not in _SHORT:
            raise TypeError("expected a budget with a number of images")
        return cls(**data)


def _number(amount: float) -> str:
    return str(int(amount)) if amount == int(amount) else repr(amount)
