"""Units of submission: which stages go into one job."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medssl_bench.plan.stage import Stage

PACK_SECONDS = 600.0
"""How long a pack of short stages is expected to take at most."""

_UNKNOWN = 60.0
"""Seconds of a stage without an estimate."""


@dataclass(frozen=True)
class Unit:
    """Stages that one job does, one after the other.

    Attributes:
        stages: every stage stands after those it builds on.
        seconds: how long they are expected to take.
    """

    stages: tuple[Stage, ...]
    seconds: float = 0.0

    @cached_property
    def keys(self) -> frozenset[str]:
        """Keys of its stages."""
        return frozenset(stage.key for stage in self.stages)

    @cached_property
    def id(self) -> str:
        """The hash of the keys, 16 hexadecimal digits: the same command again names the same units."""
        return hashlib.sha256("\n".join(sorted(self.keys)).encode()).hexdigest()[:16]

    @cached_property
    def parents(self) -> frozenset[str]:
        """Keys of the stages that it builds on, outside of it."""
        return frozenset(parent for stage in self.stages for parent in stage.parents) - self.keys

    @property
    def title(self) -> str:
        """What it is for, in words."""
        more = len(self.stages) - 1
        return self.stages[0].title + (f" and {more} more" if more else "")


def units_of(stages: Sequence[Stage], seconds: Mapping[str, float], pack_seconds: float = PACK_SECONDS) -> list[Unit]:
    """Return the units of a job's stages, in an order in which every unit stands after those it builds on.

    A pretraining is a unit of its own. Stages on one encoder form packs, and stages without a trained one do.
    Stages that share features stay together: they are judged together, and features are worth nothing alone.

    Args:
        stages: every stage stands after those it builds on.
        seconds: how long each is expected to take, by key.
        pack_seconds: how long a pack is expected to take at most, unless what stays together takes longer.
    """
    took = {stage.key: seconds.get(stage.key, _UNKNOWN) for stage in stages}
    groups: dict[str, list[list[Stage]]] = {}
    for bundle in _bundles(stages):
        groups.setdefault(_root(bundle[0]), []).append(bundle)
    packs = [pack for bundles in groups.values() for pack in _packs(bundles, took, pack_seconds)]
    place = {stage.key: number for number, stage in enumerate(stages)}
    found = []
    for pack in packs:
        pack.sort(key=lambda stage: place[stage.key])
        found.append(Unit(tuple(pack), sum(took[stage.key] for stage in pack)))
    return _in_order(found, took)


def _bundles(stages: Iterable[Stage]) -> list[list[Stage]]:
    """Return what must not be parted: stages with the features or the classifier that they read, and their siblings."""
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        while leader.setdefault(key, key) != key:
            key = leader[key] = leader[leader[key]]
        return key

    listed = list(stages)
    for stage in listed:
        for parent in stage.parents:
            if stage.kind != "pretrain" and parent != _encoder_of(stage):
                leader[find(stage.key)] = find(parent)
    found: dict[str, list[Stage]] = {}
    for stage in listed:
        found.setdefault(find(stage.key), []).append(stage)
    return list(found.values())


def _encoder_of(stage: Stage) -> str | None:
    """Return the key of the stage that left the encoder which this one begins with."""
    start: str | None = getattr(stage.spec, "start", None)
    return start


def _root(first: Stage) -> str:
    """Return what the stages of a pack have in common: the encoder, or an empty text for one that is not trained yet.

    A pretraining has a root of its own.
    """
    return first.key if first.kind == "pretrain" else _encoder_of(first) or ""


def _packs(bundles: list[list[Stage]], took: Mapping[str, float], pack_seconds: float) -> list[list[Stage]]:
    packs: list[list[Stage]] = []
    room = 0.0
    for bundle in bundles:
        if bundle[0].kind == "pretrain":
            packs += [[stage] for stage in bundle]
            room = 0.0
            continue
        needed = sum(took[stage.key] for stage in bundle)
        if needed > room or not packs:
            packs.append([])
            room = pack_seconds
        packs[-1] += bundle
        room -= needed
    return packs


def _in_order(units: list[Unit], took: Mapping[str, float]) -> list[Unit]:
    """Sort units so that each stands after those it builds on; those that build on each other are taken apart."""
    home = {key: unit for unit in units for key in unit.keys}
    waits = {unit.id: {home[key].id for key in unit.parents if key in home} for unit in units}
    followers: dict[str, list[Unit]] = {}
    for unit in units:
        for parent in waits[unit.id]:
            followers.setdefault(parent, []).append(unit)
    ready = [unit for unit in units if not waits[unit.id]]
    found: list[Unit] = []
    for unit in ready:  # it grows
        found.append(unit)
        for follower in followers.get(unit.id, []):
            waits[follower.id].discard(unit.id)
            if not waits[follower.id]:
                ready.append(follower)
    if len(found) == len(units):
        return found
    known = {unit.id for unit in found}
    single = [Unit((stage,), took[stage.key]) for unit in units if unit.id not in known for stage in unit.stages]
    return found + _in_order(single, took)
