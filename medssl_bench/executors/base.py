"""What an executor is: it takes the stages to run and gives how each of them ended."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import WatcherWarning
from medssl_bench.plugin.watching import Epoch, Outcome
from medssl_bench.stopping import Stopped, is_stop

if TYPE_CHECKING:
    import pluggy

    from medssl_bench.datasets import DatasetContext
    from medssl_bench.plan.stage import Stage
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.store.store import Store


class Watchers:
    """Tells the plugins that watch what happens; one that raises is left out from then on, and the run goes on.

    Args:
        manager: pluggy's manager.

    Attributes:
        ended: the outcomes reported so far, in order; an interrupted run returns them.
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager
        self.ended: list[Outcome] = []

    def blocked(self) -> list[str]:
        """Return the names of the plugins that are left out."""
        return sorted(name for name, plugin in self._manager.list_name_plugin() if plugin is None)

    def tell(self, hook: str, **arguments: Any) -> None:
        """Call a watching hook, such as ``medssl_stage_begins``."""
        if hook == "medssl_stage_ends":
            self.ended.append(arguments["outcome"])
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        listening = {found.plugin_name for found in caller.get_hookimpls()}  # whatever their functions are called
        for name, plugin in self._manager.list_name_plugin():
            if plugin is None or name not in listening:
                continue
            others = [other for other in self._manager.get_plugins() if other is not plugin]
            try:
                self._manager.subset_hook_caller(hook, others)(**{k: _own(v) for k, v in arguments.items()})
            except BaseException as error:  # watching must not harm what is watched
                if is_stop(error):
                    raise Stopped from error
                self._manager.unregister(plugin)
                text = " ".join(f"plugin {name!r} stops watching: {type(error).__name__}: {error}".split())
                warnings.warn(text, WatcherWarning, stacklevel=2)


def _own(argument: Any) -> Any:
    """Return an argument whose numbers a watcher may change: they may be those that a record is made of."""
    if isinstance(argument, Epoch):
        return replace(argument, metrics=dict(argument.metrics))
    if isinstance(argument, Outcome):
        return replace(argument, metrics=dict(argument.metrics), flags=dict(argument.flags))
    return [_own(each) for each in argument] if isinstance(argument, list) else argument


@dataclass(frozen=True)
class Job:
    """Stages to run, and what for.

    Attributes:
        stages: in an order in which every stage stands after those it builds on; parents that are not among them
            are finished.
        registry: where components come from.
        store: where results go.
        context: where data sets find files.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto``.
        watchers: called with the events of the run.
    """

    stages: tuple[Stage, ...]
    registry: Registry
    store: Store
    context: DatasetContext
    device: str
    watchers: Watchers


class Executor(ABC):
    """A way to run stages. Its module imports torch only inside methods: plans are made without torch."""

    @abstractmethod
    def run(self, job: Job) -> list[Outcome]:
        """Prepare the store, run the stages, and return how each of them ended, the blocked ones too.

        A failing stage must not stop the others; `KeyboardInterrupt` passes through.
        """

    def outline(self, job: Job) -> list[str]:  # noqa: ARG002
        """Return how it would run a job, a line each, for `plan --executor`; by default nothing is said.

        Args:
            job: the stages that are not done; nothing is run, and nothing is written.

        Raises:
            UserError: it cannot run such a job.
        """
        return []

    def health(self) -> list[tuple[str, str, bool]]:
        """Return what `doctor` says of it: lines of a name, what was found, and whether that is good.

        By default nothing is said, and nothing should be where it does not seem to be used.
        """
        return []
