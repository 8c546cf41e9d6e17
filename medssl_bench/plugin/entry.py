"""One registered component: of which plugin it is, and what its factory declares."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from medssl_bench.errors import PluginError
from medssl_bench.plugin import docstring
from medssl_bench.plugin.first_options import FIRST_OPTIONS
from medssl_bench.plugin.kinds import Kind
from medssl_bench.plugin.parameters import ParameterTable
from medssl_bench.stopping import Stopped, is_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Register(Protocol):
    """What a plugin's hook is given: call it once for each component."""

    def __call__(
        self,
        name: str,
        factory: Callable[..., Any] | str,
        *,
        revision: int = 1,
        work: Callable[[Mapping[str, Any], int], Any] | None = None,
    ) -> None:
        """Register a component.

        Args:
            name: what suites call it; letters, digits, ``_``, ``.`` and ``-``.
            factory: function or class that makes it, or ``"module:attribute"``, imported when first used.
            revision: raise it whenever the component gives other results than before, so that results
                made with the older one are computed again.
            work: of a method, counts what it does for an image: ``(parameters, size) -> medssl_bench.methods.Passes``,
                without torch; None: two trained views.
        """


@dataclass(frozen=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        name: the name of its entry point, or of its file.
        origin: ``built-in``, ``installed``, ``editable`` or ``inline``.
        distribution: the distribution that it comes with, or an empty string.
        version: version of that distribution, or an empty string.
        source: SHA-256 of its source when that can change under an unchanged version, else None.
        problem: why it is not used (broken or blocked), or an empty string.
        file: the file of an inline plugin, else None.
    """

    name: str
    origin: str
    distribution: str = ""
    version: str = ""
    source: str | None = None
    problem: str = ""
    file: Path | None = None

    def provenance(self) -> dict[str, Any]:
        """Return what a record says of the plugin."""
        return {
            "origin": self.origin,
            "distribution": self.distribution,
            "version": self.version,
            "source": self.source,
        }


@dataclass(frozen=True)
class Entry:
    """A registered component; its factory is imported and read when first needed."""

    kind: Kind
    name: str
    plugin: Plugin
    target: Callable[..., Any] | str
    revision: int = 1
    work: Callable[[Mapping[str, Any], int], Any] | None = None

    @cached_property
    def factory(self) -> Callable[..., Any]:
        """The factory.

        Raises:
            PluginError: it cannot be imported.
        """
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            with redirect_stdout(sys.stderr):
                factory: Callable[..., Any] = getattr(import_module(module), attribute)
        except BaseException as error:  # SystemExit too: a module that exits must not end the harness
            if is_stop(error):
                raise Stopped from error
            raise PluginError(f"{self.title}: cannot import {self.target}: {_line(error)}") from error
        return factory

    @cached_property
    def table(self) -> ParameterTable:
        """The parameters.

        Raises:
            PluginError: the factory cannot be imported, or has a signature that the harness cannot call.
        """
        factory = self.factory
        try:
            make = _table if isinstance(factory, Hashable) else ParameterTable
            return make(factory, self.kind)
        except PluginError as error:
            raise PluginError(f"{self.title}: {error}") from error

    @property
    def later(self) -> set[str]:
        """Options that a component of this repository got after keys were first made of it."""
        first = FIRST_OPTIONS.get(f"{self.plugin.name} {self.kind.name} {self.name}")
        if first is None:
            return set()
        return {name for name in self.table.defaults if name not in first and name not in self.table.neutral}

    @property
    def title(self) -> str:
        """How messages name the component."""
        return f"{self.kind.name} {self.name!r} of plugin {self.plugin.name!r}"

    @property
    def summary(self) -> str:
        """The first line of the factory's docstring."""
        return docstring.summary(self.factory)


@lru_cache(maxsize=1024)
def _table(factory: Callable[..., Any], kind: Kind) -> ParameterTable:
    """Return the parameters of a factory; a process that loads plugins again, as tests do, reads them once."""
    return ParameterTable(factory, kind)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
