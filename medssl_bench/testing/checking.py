"""Steps of the contract test, and how each of them ends."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch

from medssl_bench.training.processor import one_thread

Step = tuple[str, Callable[[], str]]
"""What is checked, in words, and a function that returns what was found or raises."""

States = Mapping[str, object]
"""States of the global generators, by the name of the library."""

Group = list[Step]
"""Steps that have nothing to do with one another; those of the next group build on all of them."""


class Failed(Exception):
    """A component does not hold to the contract; the message says how."""


@dataclass(frozen=True)
class Check:
    """How a step ended.

    Attributes:
        component: kind and name.
        name: what was checked.
        ok: whether the component holds to it.
        found: what was found, or what is wrong, in one line.
    """

    component: str
    name: str
    ok: bool
    found: str


def require(holds: object, message: str) -> None:
    """Raise `Failed` unless something holds."""
    if not holds:
        raise Failed(message)


def run_steps(component: str, groups: Iterable[Group]) -> Iterator[Check]:
    """Run groups of steps; where a step fails, the groups after its own are left out: one fault has one line.

    A step that calls `sys.exit` fails, as does one that raises.
    """
    waiting = list(groups)
    while waiting:
        checks = [_run(component, *step) for step in waiting.pop(0)]
        failed = [check for check in checks if not check.ok]
        left = sum(map(len, waiting))
        if failed and left:
            told = f"{failed[-1].found} ({left} further check{'s' if left > 1 else ''} left out until this holds)"
            checks[checks.index(failed[-1])] = replace(failed[-1], found=told)
        yield from checks
        if failed:
            return


def _run(component: str, name: str, step: Callable[[], str]) -> Check:
    try:
        with one_thread():
            ok, found = True, step()
    except Failed as failure:
        ok, found = False, str(failure)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the component raises is wrong with it
        ok, found = False, f"{type(error).__name__}: {error}"
    return Check(component, name, ok=ok, found=" ".join(found.split()))


@contextmanager
def untouched_generators() -> Iterator[None]:
    """Check that the block draws nothing from the global generators of torch, NumPy and Python.

    Raises:
        Failed: it does.
    """
    before = generator_states()
    yield
    require_untouched(before, generator_states())


def require_untouched(before: States, after: States) -> None:
    """Check that the states of the global generators are the same after some work as before it.

    Raises:
        Failed: they are not.
    """
    for name, state in after.items():
        require(state == before[name], f"it draws from the global generator of {name} and leaves it changed")


def generator_states() -> States:
    """Return the states of the global generators of torch, NumPy and Python."""
    legacy = np.random.get_state()  # noqa: NPY002 - the legacy global generator is what is being guarded
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "NumPy": (legacy[1].tobytes(), legacy[2]),  # type: ignore[index]
        "Python": random.getstate(),
    }
