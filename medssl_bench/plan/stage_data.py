"""A stage as JSON-able data, for a worker in another process or on another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.plan.about import About
from medssl_bench.plan.kinds import spec_of
from medssl_bench.plan.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping


def stage_to_data(stage: Stage) -> dict[str, Any]:
    """Return a stage as JSON-able data, from which `stage_from_data` makes it again."""
    return {
        "key": stage.key,
        "kind": stage.kind,
        "title": stage.title,
        "identity": stage.identity,
        "spec": stage.spec.to_data(),
        "parents": list(stage.parents),
        "images": stage.images,
        "speed_group": stage.speed_group,
        "work": stage.work,
        "about": stage.about.to_data(),
    }


def stage_from_data(data: Mapping[str, Any]) -> Stage:
    """Return the stage that `stage_to_data` described.

    Raises:
        UserError: the data does not describe a stage.
    """
    spec, parents = spec_of(data["kind"], data["spec"]), tuple(data["parents"])
    rest = {name: value for name, value in data.items() if name not in {"kind", "spec", "parents", "about"}}
    return Stage(spec=spec, parents=parents, about=About.from_data(data.get("about", {})), **rest)
