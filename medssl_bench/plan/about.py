"""What a stage is of, in the words of its suite; no result depends on it, and no key has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from medssl_bench.plugin.watching import ArmInfo


@dataclass(frozen=True)
class About:
    """What a stage is of; the fields are those of `medssl_bench.plugin.watching.StageInfo`."""

    arms: tuple[ArmInfo, ...] = ()
    dataset: str = ""
    labels: str = ""
    seed: int | None = None
    draw: int | None = None
    fold: int | None = None
    recipe: str = ""
    method: str = ""
    on: str = ""
    seeds: int | None = None
    draws: int | None = None

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data, without what it does not say."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", ())}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_data` described, also where another version has written it."""
        known = {field.name for field in fields(cls)}
        found = {name: value for name, value in data.items() if name in known}
        return cls(**{**found, "arms": tuple(ArmInfo(**arm) for arm in found.get("arms", ()))})


NOTHING = About()
"""What a stage says of itself if its plan is not known."""
