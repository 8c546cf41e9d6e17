"""What a unit asks for: suites do not say, since they are of no machine; a profile and the command line do.

A profile is a TOML file. ``[slurm]`` is for all stages that the executor `slurm` runs, ``[slurm.pretrain]`` for those
of that kind. What the command line says counts before both. A unit of several kinds asks for the largest numbers; names
are those of the kind that takes most of its time.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platformdirs import user_config_path
from pydantic import TypeAdapter, ValidationError

from medssl_bench.errors import UserError, did_you_mean
from medssl_bench_cluster.engine import Resources

if TYPE_CHECKING:
    from medssl_bench.store.record import Record
    from medssl_bench_cluster.units import Unit

KINDS = ("pretrain", "embed", "evaluate", "analyse", "corrupt", "transfer")

_GIB = 2**30
_LARGEST = 2**20
_NAMES = tuple(field.name for field in fields(Resources) if not field.name.startswith("wished_"))
_CHECK = TypeAdapter(Resources)


def default_profile() -> Path:
    """Return where the profile of this user is: ``~/.config/medssl-bench/cluster.toml`` on Linux."""
    return user_config_path("medssl-bench") / "cluster.toml"


@dataclass(frozen=True)
class Profile:
    """What jobs ask for, by kind of stage.

    Attributes:
        given: what is said for all kinds, and below the names of kinds for those alone.
        overrides: what counts before it.
        source: the file, for messages; empty: there is none.
    """

    given: Mapping[str, Any]
    overrides: Mapping[str, Any]
    source: str = ""

    @classmethod
    def load(cls, engine: str, file: Path | None, overrides: Mapping[str, Any]) -> Profile:
        """Read a profile, and see that it is valid.

        Args:
            engine: name of the executor, whose table counts.
            file: the profile; None: the user's, if there is one.
            overrides: what counts before it; None of them counts that is None.

        Raises:
            UserError: it cannot be read, or says what is not known.
        """
        place = default_profile() if file is None else file
        given = {} if file is None and not place.exists() else _read(place).get(engine, {})
        if not isinstance(given, dict):
            raise UserError(f"{place}: {engine}: expected a table")
        found = cls(given, {name: value for name, value in overrides.items() if value is not None}, str(place))
        for kind in KINDS:
            found.of((kind,))
        for name in given:
            if name not in (*_NAMES, *KINDS):
                raise UserError(f"{place}: {engine}.{name}: unknown{did_you_mean(name, (*_NAMES, *KINDS))}")
        return found

    def of(self, kinds: Iterable[str]) -> Resources:
        """Return what a unit of some kinds of stages asks for, the first of which counts for names.

        Raises:
            UserError: the profile is not valid.
        """
        each = [self._of(kind) for kind in kinds]
        largest: dict[str, Any] = {}
        for name in ("cpus", "gpus", "mem_gb", "minutes"):
            known = [value for value in (getattr(found, name) for found in each) if value is not None]
            largest[name] = max(known, default=None)
        first = each[0]
        return Resources(**largest, partition=first.partition, account=first.account, options=first.options)

    def _of(self, kind: str) -> Resources:
        own = self.given.get(kind, {})
        if not isinstance(own, dict):
            raise UserError(f"{self.source}: {kind}: expected a table")
        for name in own:
            if name not in _NAMES:
                raise UserError(f"{self.source}: {kind}.{name}: unknown{did_you_mean(name, _NAMES)}")
        general = {name: value for name, value in self.given.items() if name in _NAMES}
        try:
            found = _CHECK.validate_python({**general, **own, **self.overrides})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UserError(f"{self.source}: {kind}: {where}: {first['msg']}") from error
        numbers = {"cpus": found.cpus, "mem_gb": found.mem_gb, "minutes": found.minutes}
        for name, value in numbers.items():
            if value is not None and not value > 0:
                raise UserError(f"{self.source}: {kind}: {name} = {value:g}: give a number above 0")
        if found.gpus < 0:
            raise UserError(f"{self.source}: {kind}: gpus = {found.gpus}: give 0 or more")
        return found


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8") if file.stat().st_size <= _LARGEST else ""
        return tomllib.loads(text)
    except OSError as error:
        raise UserError(f"{file}: the profile cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: the profile is not valid TOML: {error}") from error


class Requests:
    """What units ask for.

    Args:
        profile: what is said of it.
        seconds: how long each stage is expected to take, by key.
        records: finished stages, whose memory tells of like ones.
        limits_time: whether to wish for a number of minutes.
    """

    def __init__(
        self,
        profile: Profile,
        seconds: Mapping[str, float],
        records: Iterable[Record] = (),
        *,
        limits_time: bool = True,
    ) -> None:
        self._profile, self._seconds, self._limits_time = profile, seconds, limits_time
        self._peaks: dict[str, float] = {}
        for record in records:
            peak, group = record.cost.get("peak_memory_bytes"), str(record.cost.get("speed_group"))
            if isinstance(peak, int | float):
                self._peaks[group] = max(peak, self._peaks.get(group, 0.0))

    def of(self, unit: Unit) -> Resources:
        """Return what a unit asks for.

        Minutes that are not given are three times those expected, and five. Memory that is not given is half as
        much again as the most that like stages took, and 1 GiB; where nothing is known, the cluster decides. Both are
        wishes, which an engine cuts to what it has.
        """
        shares: dict[str, float] = {}
        for stage in unit.stages:
            shares[stage.kind] = shares.get(stage.kind, 0.0) + self._seconds.get(stage.key, 1.0)
        found = self._profile.of(sorted(shares, key=lambda kind: -shares[kind]))
        peaks = [self._peaks.get(stage.speed_group) for stage in unit.stages]
        memory = None
        if found.mem_gb is None and all(peak is not None for peak in peaks):
            memory = math.ceil(max(peak for peak in peaks if peak is not None) / _GIB * 1.5 + 1)
        wished = math.ceil(3 * unit.seconds / 60 + 5) if self._limits_time else None
        return replace(found, wished_minutes=wished, wished_mem_gb=memory)
