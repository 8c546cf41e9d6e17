"""Marks that the type of a parameter can carry: ``Annotated[Path, LooksInto(check)]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Components:
    """Marks a parameter that is a list of components: ``ops: Annotated[list[Any], Components("op")]``.

    In the suite each item is a name or a table; the factory receives the built components.
    """

    kind: str


@dataclass(frozen=True)
class OneComponent:
    """Marks a parameter that is a component or none: ``augmentation: Annotated[Any, OneComponent("augmentation")]``.

    The factory receives a function that makes the component from the positional arguments of its kind, by name
    (``augmentation(size=28)``), or None.
    """

    kind: str


@dataclass(frozen=True)
class AddedLater:
    """Marks a parameter that a component was given later: ``Annotated[str, AddedLater("none")]``.

    At the neutral value the component does what it did before, bit for bit, so the parameter is not in the
    key, and results made before it existed stay valid.
    """

    neutral: Any


@dataclass(frozen=True)
class ForReaders:
    """Marks a parameter that tells readers of results something, and changes none: ``Annotated[str, ForReaders()]``.

    It is in no key: what is said can be put right, and results stay valid.
    """


@dataclass(frozen=True)
class OrElse:
    """Marks a parameter that must be given unless another one is: ``Annotated[str | None, OrElse("config_file")]``.

    The factory refuses to be without both; the contract test asks for the parameter in place of building it without.
    """

    other: str


@dataclass(frozen=True)
class InDuration:
    """Marks a parameter of a schedule in the unit of the training's duration: ``Annotated[int, InDuration(least=0)]``.

    ``epochs_scale`` scales it with the duration; `least` is the smallest number that it may become. With `below`, as of
    a warm-up, a suite is refused where it is not below the duration.
    """

    least: int
    below: bool = False


@dataclass(frozen=True)
class LooksInto:
    """Marks a parameter whose file is looked into when a suite is read: ``Annotated[Path | None, LooksInto(check)]``.

    `check` is called with the file, where there is one, and raises ValueError with what is wrong, in one line. It must
    be quick, and import no torch. `others` returns the files that this one names, if any: their content is in the key.
    """

    check: Callable[[Path], None]
    others: Callable[[Path], list[Path]] | None = None
