"""Steps of the contract test, and how each of them ends."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from medssl_bench.training.processor import one_thread

Step = tuple[str, Callable[[], str]]
"""What is checked, in words, and a function that returns what was found or raises."""


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


def run_steps(component: str, steps: Iterable[Step]) -> Iterator[Check]:
    """Run steps one after the other; one that fails takes no other with it, nor does one that calls `sys.exit`."""
    for name, step in steps:
        try:
            with one_thread():
                ok, found = True, step()
        except Failed as failure:
            ok, found = False, str(failure)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the component raises is wrong with it
            ok, found = False, f"{type(error).__name__}: {error}"
        yield Check(component, name, ok=ok, found=" ".join(found.split()))


@contextmanager
def untouched_generators() -> Iterator[None]:
    """Check that the block draws nothing from the global generators of torch, NumPy and Python.

    Raises:
        Failed: it does.
    """
    before = _states()
    yield
    for name, state in _states().items():
        require(state == before[name], f"it draws from the global generator of {name} and leaves it changed")


def _states() -> dict[str, object]:
    legacy = np.random.get_state()  # noqa: NPY002 - the legacy global generator is what is being guarded
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "NumPy": (legacy[1].tobytes(), legacy[2]),  # type: ignore[index]
        "Python": random.getstate(),
    }
