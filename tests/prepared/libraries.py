"""Libraries that are loaded and out of sight: an import finds them again, with all that they had imported."""

from __future__ import annotations

import ctypes
import importlib
import importlib.abc
import importlib.util
import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


@dataclass
class _Group:
    """What the import of one library brings.

    Attributes:
        modules: its new modules, by name.
        filters: filters of warnings that they add.
        needs: numbers of the groups that they have imported from.
    """

    modules: dict[str, ModuleType] = field(default_factory=dict)
    filters: list[Any] = field(default_factory=list)
    needs: set[int] = field(default_factory=set)


class Libraries(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads libraries, takes them out of `sys.modules`, and puts them there when they are imported.

    So a process in which nothing has imported torch has no torch, as far as its code can see. The standard library
    stays. One thing differs from a real process: a library that torch's import was the first to load is shown together
    with torch. A test of what a command imports is marked ``real_processes``.

    Args:
        names: of the libraries and of single modules. What others need stands before them, so that it can be there
            without them.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._groups: list[_Group] = []
        self._group_of: dict[str, int] = {}
        self._shown: set[int] = set()
        self._specs: dict[str, ModuleSpec | None] = {}
        sys.meta_path.insert(0, self)
        for name in names:
            self._load(name)

    def _load(self, name: str) -> None:
        before, filters, group = set(sys.modules), list(warnings.filters), _Group()
        importlib.import_module(name)
        group.needs = set(self._shown)
        for new in [new for new in sys.modules if new not in before and new.partition(".")[0] not in _STANDARD]:
            if new not in self._group_of:
                group.modules[new] = sys.modules[new]
                self._group_of[new] = len(self._groups)
        group.filters = [added for added in warnings.filters if added not in filters]
        self._groups.append(group)
        for known in self._group_of:
            sys.modules.pop(known, None)
        self._shown.clear()
        warnings.filters[:] = filters

    def begin(self) -> None:
        """Give this process random numbers of its own, where a library has taken a seed as it was loaded."""
        for group in self._groups:
            if "numpy.random" in group.modules:
                group.modules["numpy.random"].seed()

    def leave(self) -> None:
        """Let the end of Python pass the libraries by: taking them apart costs more than a short process."""
        for module in (module for group in self._groups for module in group.modules.values()):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(module))
        for name in self._group_of:
            sys.modules.pop(name, None)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that is loaded and out of sight."""
        return importlib.util.spec_from_loader(fullname, self) if fullname in self._group_of else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module as it is."""
        module = self._groups[self._group_of[spec.name]].modules[spec.name]
        self._specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Show it, and what came with it."""
        assert module.__spec__ is not None
        name = module.__spec__.name
        module.__spec__ = self._specs.pop(name)
        self._show(self._group_of[name])

    def _show(self, number: int) -> None:
        if number in self._shown:
            return
        self._shown.add(number)
        group = self._groups[number]
        for needed in group.needs:
            self._show(needed)
        for name, module in group.modules.items():
            sys.modules.setdefault(name, module)
        warnings.filters[:0] = group.filters  # type: ignore[index]


_STANDARD = sys.stdlib_module_names
