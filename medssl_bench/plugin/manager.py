"""Finds plugins, keeps the broken ones from harming the others, and fills the registry."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib import import_module
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from medssl_bench.errors import PluginError, UserError, did_you_mean
from medssl_bench.plugin import hookspecs
from medssl_bench.plugin.content import Source, read_source
from medssl_bench.plugin.hashed import HashedLoader, import_from, line_of
from medssl_bench.plugin.hooks import watched_hooks, wrong_with_hooks
from medssl_bench.plugin.installed_source import is_editable, package_of, read_and_import
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.markers import PROJECT
from medssl_bench.plugin.registry import Entry, NameCollision, Plugin, Registry
from medssl_bench.stopping import Stopped, is_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BLOCK_VARIABLE = "MEDSSL_BENCH_BLOCK"
"""Environment variable with a comma-separated list of plugins to leave out."""

BUILT_IN = (
    "medssl_bench.datasets.builtin",
    "medssl_bench.augmentations.builtin",
    "medssl_bench.encoders.builtin",
    "medssl_bench.methods.builtin",
    "medssl_bench.training.builtin",
    "medssl_bench.evaluators.builtin",
    "medssl_bench.metrics.builtin",
    "medssl_bench.executors.builtin",
)
"""Modules of the harness' own components; they are plugins like any other."""

_LONGEST = 400
"""Characters of the line that says what is wrong with a plugin."""


@dataclass
class Plugins:
    """The plugins of this process, and the components they registered.

    Attributes:
        registry: every component.
        found: every plugin that was found, the broken and blocked ones too.
        left_out: names of plugins that were asked to be left out.
        manager: pluggy's manager; its hooks watch runs.
    """

    registry: Registry = field(default_factory=Registry)
    found: list[Plugin] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager(PROJECT))

    def __post_init__(self) -> None:
        self.manager.add_hookspecs(hookspecs)

    @property
    def warnings(self) -> list[str]:
        """One line for each plugin that is broken, and for each that was to be left out and is not there."""
        names = [plugin.name for plugin in self.found]
        return [
            f"plugin {plugin.name!r} is not used: {plugin.problem}"
            for plugin in self.found
            if plugin.problem and plugin.problem != "blocked"
        ] + [
            f"there is no plugin {name!r} to leave out{did_you_mean(name, names)}"
            for name in sorted(self.left_out)
            if name not in names
        ]

    def blocked(self, name: str) -> bool:
        """Return whether a plugin is blocked."""
        return bool(self.manager.is_blocked(name))

    def find(self, name: str) -> Plugin:
        """Return a plugin by its name, or a Python file as one; what is wrong with it is its `problem`.

        Raises:
            UserError: there is none of this name.
        """
        if name.endswith(".py"):
            path = Path(name)
            if not path.is_file():
                raise UserError(f"there is no file {name}")
            try:
                return self.add_inline(path.resolve())
            except PluginError:
                return self.found[-1]
        known = [plugin.name for plugin in self.found]
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
            raise UserError(f"there is no plugin {name!r}{hint}; install one of your own first (pip install -e .)")
        return self.found[known.index(name)]

    def check_watchers(self) -> None:
        """Check the plugins that were registered with `manager` itself, as a script does to watch a run.

        Raises:
            PluginError: one of them has a hook that there is not.
        """
        for name, plugin in self.manager.list_name_plugin():
            if plugin is not None and (wrong := wrong_with_hooks(plugin)):
                raise PluginError(f"plugin {name!r} cannot watch: {wrong}")

    def watched(self, name: str) -> list[str]:
        """Return the names of the run's hooks that a plugin implements."""
        return watched_hooks(self.manager.get_plugin(name)) if self.manager.has_plugin(name) else []

    def add(self, plugin: Plugin, load: Callable[[], object]) -> Plugin:
        """Load a plugin and register its components, or note why that failed.

        Raises:
            NameCollision: it registers a name that another plugin has registered.
        """
        if self.blocked(plugin.name):
            plugin = replace(plugin, problem="blocked")
        elif plugin.problem:
            pass
        elif self.manager.has_plugin(plugin.name):  # withdrawing it below would withdraw the other one
            other = next(found for found in self.found if found.name == plugin.name and not found.problem)
            problem = f"{other.origin} plugin {other.name!r} has that name already; rename it"
            if plugin.file is not None and other.file == plugin.file:
                problem = "it has changed since it was loaded; load the suite with new plugins"
            plugin = replace(plugin, problem=problem)
        else:
            try:
                with redirect_stdout(sys.stderr):  # what a plugin prints is no part of what a command prints
                    self._register(plugin, load())
            except NameCollision:
                raise
            except BaseException as error:
                if is_stop(error):
                    raise Stopped from error
                self._withdraw(plugin.name)
                kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
                text = _in_one_line(f"{kind}{error}") or type(error).__name__
                plugin = replace(plugin, problem=text + line_of(error, plugin.file))
        self.found.append(plugin)
        return plugin

    def _register(self, plugin: Plugin, implementation: object) -> None:
        if wrong := wrong_with_hooks(implementation):
            raise PluginError(wrong)
        self.manager.register(implementation, name=plugin.name)
        if not self.manager.get_hookcallers(implementation):
            raise PluginError("it implements no hook; mark its functions with @hookimpl")
        for kind in KINDS.values():
            hook = self.manager.subset_hook_caller(
                kind.hook, [other for other in self.manager.get_plugins() if other is not implementation]
            )
            hook(register=self._register_for(plugin, kind.name))

    def _register_for(self, plugin: Plugin, kind: str) -> Callable[..., None]:
        def register(name: str, factory: Callable[..., Any] | str, *, revision: int = 1, work: Any = None) -> None:
            self.registry.add(Entry(KINDS[kind], name, plugin, factory, revision, work))

        return register

    def _withdraw(self, name: str) -> None:
        if self.manager.has_plugin(name):
            self.manager.unregister(name=name)
        self.registry.remove(name)

    def add_inline(self, path: Path, expected: str | None = None) -> Plugin:
        """Load a Python file as a plugin: the only code that a suite can make run.

        A file that is loaded already and has not changed is not loaded again. It is read once: what is hashed is what
        is run, and no byte code is.

        Args:
            path: the file.
            expected: the digest that its source must have, or nothing of it is run; None: any.

        Raises:
            PluginError: the file is not a usable plugin.
        """
        read = read_source(path)
        source = read.digest
        if expected not in {None, source}:
            raise PluginError(f"{path.name} has changed since the plan was made; run again")
        for found in self.found:
            if (found.origin, found.file, found.source) == ("inline", path, source) and found.problem in {
                "",
                "blocked",
            }:
                return found
        plugin = self.add(
            Plugin(path.stem, "inline", source=source, distribution=path.name, file=path),
            lambda: _load_file(path, read),
        )
        if plugin.problem and plugin.problem != "blocked":
            raise PluginError(f"{path.name} is not a usable plugin: {plugin.problem}")
        return plugin


def load_plugins(block: Iterable[str] = ()) -> Plugins:
    """Load the built-in and the installed plugins.

    Args:
        block: names of plugins to leave out, besides those that `BLOCK_VARIABLE` lists.

    Raises:
        NameCollision: two plugins register the same name.
    """
    plugins = Plugins()
    for name in {*block, *map(str.strip, os.environ.get(BLOCK_VARIABLE, "").split(","))} - {""}:
        plugins.manager.set_blocked(name)
        plugins.left_out.add(name)
    for module in BUILT_IN:
        name = module.split(".")[1]
        added = plugins.add(Plugin(name, "built-in", "medssl-bench"), partial(import_module, module))
        if added.problem not in {"", "blocked"}:
            raise PluginError(f"built-in plugin {name!r}: {added.problem}")
    about, read = cache(_about), cache(read_and_import)  # several plugins may be of one distribution and package
    for entry_point in sorted(entry_points(group=PROJECT), key=lambda found: found.name):
        try:
            plugin = _describe(entry_point, about, read)
        except Exception as error:  # a distribution whose own files are broken
            if is_stop(error):
                raise Stopped from error
            problem = _in_one_line(f"{type(error).__name__}: {error}")
            plugins.found.append(Plugin(entry_point.name, "installed", problem=problem))
        else:
            plugins.add(plugin, entry_point.load)
    return plugins


def _about(distribution: Distribution) -> tuple[str, str, bool]:
    """Return name, version, and whether it is installed in place; the standard library reads its files each time."""
    return distribution.name, distribution.version, is_editable(distribution)


def _describe(
    entry_point: EntryPoint,
    about: Callable[[Distribution], tuple[str, str, bool]],
    read: Callable[[Path, Path], tuple[str, str]],
) -> Plugin:
    if entry_point.dist is None:
        return Plugin(entry_point.name, "installed")
    distribution, version, editable = about(entry_point.dist)
    place = package_of(entry_point.module) if editable else None
    source, problem = read(*place) if place else (None, "")
    return Plugin(
        name=entry_point.name,
        origin="editable" if editable else "installed",
        distribution=distribution,
        version=version,
        source=source,
        problem=problem,
    )


def _in_one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def _load_file(path: Path, source: Source) -> object:
    name = f"medssl_bench_inline_{path.stem}"
    beside = {file: content for file, content in source.files.items() if file != path}
    if problem := import_from(beside, source.root):
        raise PluginError(problem)
    loader = HashedLoader(name, str(path), source.files[path])
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        raise PluginError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module
