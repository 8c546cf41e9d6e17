"""The worker of the isolated executor: reads a job from its input, runs it, and says what happens, a JSON line each.

It ends as soon as its input does: when the process that started it is gone.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import threading
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import UserError
from medssl_bench.executors.base import Job, Watchers
from medssl_bench.executors.local import LocalExecutor
from medssl_bench.plan.stage import Stage
from medssl_bench.plugin.component import components_in
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.stopping import STATUS, stoppable
from medssl_bench.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.plugin.registry import Registry

_PR_SET_PDEATHSIG = 1  # of linux/prctl.h


class Events(Watchers):
    """Writes what the local executor tells its watchers as JSON lines.

    Nobody may be reading, as when the process that started this one is stopped: what an epoch has given is then left
    out, so that the work goes on.

    Args:
        pipe: open file descriptor to write to.
    """

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe
        self._writing = threading.RLock()  # one that a warning in the midst of a line does not wait for

    def tell(self, hook: str, **arguments: Any) -> None:
        """Write one event."""
        stage = arguments.pop("stage")
        more = {name: value if isinstance(value, str) else asdict(value) for name, value in arguments.items()}
        if isinstance(outcome := more.get("outcome"), dict):
            del outcome["stage"]
        self.write(hook=hook, stage=stage.key, **more)

    def write(self, **event: Any) -> None:
        """Write one line; wait for a reader, unless it is of an epoch."""
        line = json.dumps(event).encode() + b"\n"
        can_go = "epoch" in event and len(line) <= select.PIPE_BUF  # such a line is written whole or not at all
        with self._writing:  # a thread that warns must not break the line of another
            while line:
                try:
                    line = line[os.write(self._pipe, line) :]
                except BlockingIOError:
                    if can_go:
                        return
                    select.select([], [self._pipe], [])


def main() -> None:
    """Run the job of the input; exit with 0 at its end, 75 if it was asked to stop.

    The first argument of the process is the number of the open file descriptor that takes the events.
    """
    _die_with_parent()
    # what a plugin prints must not be taken for an answer, nor must it spoil the output of the run
    os.dup2(2, 1)
    events = Events(int(sys.argv[1]))
    warnings.showwarning = lambda message, category, *_: events.write(warning=str(message), category=category.__name__)
    given = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        with stoppable(patient=True):
            _run(given, events)
    except KeyboardInterrupt:
        sys.exit(STATUS)
    except UserError as error:
        events.write(refused=str(error))
    events.write(end=True)


def _run(given: dict[str, Any], events: Events) -> None:
    plugins = load_plugins(given["block"])
    for file, source in given["inline"].items():
        plugins.add_inline(Path(file), source)
    stages = [Stage(**{**stage, "parents": tuple(stage["parents"])}) for stage in given["stages"]]
    _check_components(stages, plugins.registry)
    context = DatasetContext(Path(given["data_dir"]), Path(given["cache_dir"]), given["mirror"])
    job = Job(tuple(stages), plugins.registry, Store(Path(given["store"])), context, given["device"], events)
    LocalExecutor(**given["settings"]).run(job)


def _check_components(stages: Sequence[Stage], registry: Registry) -> None:
    """Raise an error if a component is not what the plan was made with.

    Raises:
        UserError: it is not there, or its source is another.
    """
    for stage in stages:
        for component in components_in(stage.spec):
            if registry.find(component.kind, component.name).plugin.source != component.source:
                raise UserError(f"plugin {component.plugin!r} has changed since the plan was made; run again")


def _die_with_parent() -> None:
    """Let the kernel kill this process when its parent dies; systems without that notice it by `_end_with_input`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(STATUS)
