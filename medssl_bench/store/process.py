"""Which process this is, and whether another one is surely dead: in a name, since names can be renamed atomically."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import uuid
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process of some machine.

    Attributes:
        host: name of the machine, for people.
        machine: what tells machines apart, and on Linux also boots of one and containers on one.
        number: process number.
        birth: when it was started, as the machine counts; ``0`` where that cannot be known.
    """

    host: str
    machine: str
    number: int
    birth: str

    @classmethod
    def this(cls) -> Process:
        """Return this process."""
        return cls(*_machine(), os.getpid(), _birth(os.getpid()) or "0")

    @classmethod
    def parse(cls, text: str) -> Process | None:
        """Return the process whose `str` this is, or None."""
        parts = text.split("-")
        if len(parts) != 4 or not parts[2].isdecimal():
            return None
        return cls(parts[0], parts[1], int(parts[2]), parts[3])

    def __str__(self) -> str:
        return f"{self.host}-{self.machine}-{self.number}-{self.birth}"

    def is_here(self) -> bool:
        """Return whether it is of this machine, and of the time since it was started."""
        return self.machine == _machine()[1]

    def is_of(self, hosts: Iterable[str]) -> bool:
        """Return whether it is of another machine than this that has one of these names, or fits a pattern (node*)."""
        return not self.is_here() and any(fnmatchcase(self.host, as_host(host)) for host in hosts)

    def is_dead(self) -> bool:
        """Return whether it surely does not run any more; of a process of another machine nothing is sure."""
        if not self.is_here():
            return False
        birth = _birth(self.number)
        if birth is not None:
            return birth != self.birth
        try:
            os.kill(self.number, 0)
        except PermissionError:  # of another user, whose processes /proc may hide
            return False
        except (ProcessLookupError, OverflowError):
            return True
        return _PROC.is_dir()  # one's own are never hidden: it has ended, and is not waited for


def as_host(name: str) -> str:
    """Return the name of a machine, or a pattern, as names of processes have it."""
    return re.sub(r"[^A-Za-z0-9*?]+", "_", name)[:32]


@lru_cache(maxsize=1)
def _machine() -> tuple[str, str]:
    host = re.sub(r"[^A-Za-z0-9]+", "_", platform.node())[:32] or "unknown"
    try:  # a container has processes of its own, numbered from 1, and may have the name of another
        parts = [
            (_PROC / "sys/kernel/random/boot_id").read_text("utf-8").strip(),
            str((_PROC / "self/ns/pid").readlink()),
        ]
    except OSError:
        parts = [platform.node(), str(uuid.getnode())]
    return host, hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _birth(number: int) -> str | None:
    """Return when a process of this machine was started; None: it is dead, or this system does not tell."""
    try:
        text = (_PROC / str(number) / "stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]  # field 22 of proc(5)
