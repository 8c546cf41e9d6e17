"""A recorder that needs no GPU: it plays back as a CUDA graph does, with the same memory and without any Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_Result = TypeVar("_Result")


class Tape:
    """Records every operation on tensors, and plays all of them back on the tensors that were there.

    What Python decides while it is recorded (numbers, branches, shapes, which tensor is used where) is fixed, as in a
    CUDA graph. Reading a value back is refused, as there.
    """

    def warm_up(self, work: Callable[[], _Result]) -> _Result:
        """Do the work; nothing else is needed here."""
        return work()

    def rehearse(self, work: Callable[[], _Result]) -> _Result:
        """Do the work.

        Raises:
            RuntimeError: it reads a value back.
        """
        with _Unread():  # type: ignore[no-untyped-call] # of torch
            return work()

    def record(self, work: Callable[[], object]) -> Callable[[], object]:
        """Return what plays the work back; what recording it has changed is changed back.

        Raises:
            RuntimeError: the work reads a value back.
        """
        recording = _Recording()
        try:
            with torch.random.fork_rng(devices=[]), recording:
                work()
        finally:
            recording.take_back()
        return recording.play


class _Unread(TorchDispatchMode):
    """Refuses that a value is read back."""

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        if function.name() == "aten::_local_scalar_dense":
            raise RuntimeError("a value is read back while it is recorded")
        return function(*arguments, **(named or {}))


class _Recording(_Unread):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._calls: list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = []
        self._before: list[tuple[Tensor, Tensor]] = []
        self._kept: set[int] = set()

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        named = named or {}
        for tensor in _written(function, arguments, named):
            if id(tensor) not in self._kept:
                self._kept.add(id(tensor))
                self._before.append((tensor, tensor.clone()))
        result = super().__torch_dispatch__(function, types, arguments, named)
        if not function.is_view:
            self._calls.append((function, arguments, named, result))
        return result

    @torch.no_grad()
    def take_back(self) -> None:
        """Give every tensor that was written to what it held before."""
        for tensor, before in reversed(self._before):
            tensor.copy_(before)
        self._before.clear()

    @torch.no_grad()
    def play(self) -> None:
        """Do every operation again, each result where it was."""
        for function, arguments, named, result in self._calls:
            again = function(*arguments, **named)
            both = (
                [(result, again)]
                if isinstance(result, Tensor)
                else zip(*map(tree_leaves, (result, again)), strict=True)
            )
            for held, new in both:
                if isinstance(held, Tensor) and held is not new and held.data_ptr() != new.data_ptr():
                    held.copy_(new)


def _written(function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Iterator[Tensor]:
    """Yield the tensors that an operation writes to."""
    for place, name in _places_written(function):
        given = arguments[place] if place < len(arguments) else named.get(name)
        yield from (leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor))


@cache
def _places_written(function: Any) -> tuple[tuple[int, str], ...]:
    """Return place and name of each argument that an operation writes to; asking torch takes longer than small work."""
    return tuple(
        (place, argument.name)
        for place, argument in enumerate(function._schema.arguments)  # noqa: SLF001 - torch has no other name for it
        if argument.alias_info is not None and argument.alias_info.is_write
    )
