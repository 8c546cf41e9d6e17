"""The built-in executors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.store.leases import SECONDS

if TYPE_CHECKING:
    from medssl_bench.executors.base import Executor
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_executors(register: Register) -> None:
    """Register the executors that come with the harness."""
    register("local", Local)
    register("isolated", Isolated)


@dataclass(frozen=True, kw_only=True)
class Local:
    """One stage after the other, in this process.

    Args:
        checkpoint_seconds: time between two checkpoints of a training; by default the first comes after three seconds,
            and the others so far apart that they take no more than a sixtieth of the time.
        lease_seconds: how long another process may give no sign of life before its stage is taken over; a dead process
            of this machine is noticed at once.
        deterministic: on CUDA, use kernels only that give the same bits every time; they are slower. On the processor
            they do anyway.
        graphs: on CUDA, record training steps once and play them back (CUDA graphs), where the method, the encoder and
            the augmentation allow it; the results are those of steps that are not recorded.
    """

    checkpoint_seconds: Annotated[float, Field(gt=0)] | None = None
    lease_seconds: Annotated[float, Field(gt=0)] = SECONDS
    deterministic: bool = False
    graphs: bool = True

    def build(self) -> Executor:
        """Make the executor."""
        from medssl_bench.executors.local import LocalExecutor

        return LocalExecutor(**vars(self))


@dataclass(frozen=True, kw_only=True)
class Isolated(Local):
    """Stages in worker processes, one or several at a time: if one is killed, or crashes, one stage fails and no other.

    Args:
        jobs: how many stages are worked on at a time, where they do not build on each other. The workers share the
            cores, and other numbers of threads give other last digits. What runs out of memory beside others is done
            again alone.
        devices: those that the workers take in turn, in the place of `--device`: `"auto"`, which is every GPU here, or
            names such as `"cuda:0,cuda:2"`. Without it all share one. There must be as many jobs as names, or more.
    """

    jobs: Annotated[int, Field(ge=1)] = 1
    devices: str | tuple[str, ...] | None = None

    def build(self) -> Executor:
        """Make the executor."""
        from medssl_bench.executors.isolated import IsolatedExecutor

        settings = dict(vars(self))
        jobs, devices = settings.pop("jobs"), settings.pop("devices")
        names = devices.split(",") if isinstance(devices, str) else devices or ()
        return IsolatedExecutor(settings, jobs, [name.strip() for name in names])
