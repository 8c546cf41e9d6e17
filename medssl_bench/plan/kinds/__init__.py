"""The kinds of stages: a module for each, with its spec, its identity, its work, and how a plan gets such stages.

A module here, and the function that its class names in `does`, are all of a kind. A module has its class as `KIND`. It
may have a function `follow`, which is called after the evaluation of each arm in each cell.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import UserError, quoted

if TYPE_CHECKING:
    from types import ModuleType

    from medssl_bench.plan.cell import Cell, Planned
    from medssl_bench.plan.spec import Spec
    from medssl_bench.plan.stage import Stage
    from medssl_bench.suite.table import Arm


Follow = Callable[["Planned", "Arm", "Cell", "Stage"], None]
"""Adds stages after the evaluation of an arm: given what is planned, the arm, the cell and that evaluation."""


@cache
def kinds() -> dict[str, type[Spec]]:
    """Return the class of each kind of stage, by the kind's name."""
    return {module.KIND.kind: module.KIND for module in _modules()}


@cache
def followers() -> tuple[Follow, ...]:
    """Return the functions `follow` of the kinds that have one."""
    return tuple(module.follow for module in _modules() if hasattr(module, "follow"))


def _modules() -> list[ModuleType]:
    return [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]


def spec_of(kind: str, data: Any) -> Spec:
    """Return what a record says that its stage was, or what an executor sent.

    Args:
        kind: name of the kind of stage.
        data: as `Spec.to_data` gives it.

    Raises:
        UserError: there is no such kind, or the data does not describe such a stage.
    """
    if kind not in kinds():
        raise UserError(f"there is no kind of stage {kind!r}; there are {quoted(list(kinds()))}")
    return kinds()[kind].from_data(data)
