"""Whether a method computes its loss and metrics in float32 where encoders and heads compute in bfloat16.

That the loss is a float32 tensor tells nothing: autocast rounds a product of float32 tensors, and gives float32 back
from what follows. Nor can a whole pass in float32 be compared, as its encoder gives other features. So a batch goes
through the method twice. First under autocast, as in a training; what the networks (modules with weights) give is
written down. Then without autocast, where each network gives what was written down, as float32. The two passes now
differ by what the method itself has rounded between its networks and its loss, and by nothing else.

Metrics that count may agree by chance, so what is rounded outside networks is also looked for among the operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from medssl_bench.methods.base import Batch, Method, Progress
from medssl_bench.randomness import forked
from medssl_bench.testing.checking import require

Prepared = tuple[Method, Batch, Progress]

_RELATIVE, _ABSOLUTE = 1e-4, 1e-6
"""Largest difference of two float32 passes; one rounding to bfloat16 is up to 4e-3."""

_PRODUCTS = {"mm", "bmm", "addmm", "addbmm", "baddbmm", "mv", "addmv", "dot", "linear", "matmul"}
_ADVICE = (
    "compare in float32: call .float() on what encoder and heads give, and go on under "
    "medssl_bench.methods.in_float32(device), as products are rounded again"
)


def compares_in_float32(prepare: Callable[[], Prepared], told: str) -> None:
    """Check one pass; it is made with gradients or without, as the caller has set.

    Args:
        prepare: makes the method, the same every time, and what it is called with.
        told: which pass it is, in words.

    Raises:
        Failed: loss or metrics are not float32, or not as exact.
    """
    rounded = _Pass()
    method, batch, progress = prepare()
    with forked(0), rounded.of(method), torch.autocast(batch.image.device.type, torch.bfloat16):
        loss, metrics = method(batch, progress)
    found = {"loss": loss, **metrics}
    for name, value in found.items():
        require(not _is_half(value), f"under bfloat16 autocast {_the(name)}{told} is {_name(value)}; {_ADVICE}")
    wrong = rounded.outside_networks()
    require(not wrong, f"under bfloat16 autocast {wrong}{told}; {_ADVICE}")
    method, batch, progress = prepare()
    with forked(0), _Pass(given=rounded.networks()).of(method):
        loss, metrics = method(batch, progress)
    _compare(found, {"loss": loss, **metrics}, told)


def _compare(found: Mapping[str, Tensor], exact: Mapping[str, Tensor], told: str) -> None:
    for name, value in found.items():
        one, other = (float(each[name].detach()) for each in (found, exact))
        require(
            torch.isclose(value.detach().double(), exact[name].detach().double(), _RELATIVE, _ABSOLUTE, equal_nan=True),
            f"under bfloat16 autocast {_the(name)}{told} is {one:.6g}; of the same outputs of encoder and heads it is "
            f"{other:.6g} in float32; {_ADVICE}",
        )


def _the(name: str) -> str:
    return "the loss" if name == "loss" else f"metric {name}"


def _is_half(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.element_size() < 4


def _name(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


@dataclass
class _Call:
    """A call of a module inside a pass."""

    kind: str
    outer: int | None
    weighted: bool
    result: Any = None
    generator: Tensor | None = None

    @property
    def is_network(self) -> bool:
        """Whether it is part of what may round: it has weights, and gives no scalar, as a loss does."""
        leaves = [leaf for leaf in tree_leaves(self.result) if isinstance(leaf, Tensor)]
        return self.weighted and bool(leaves) and all(leaf.ndim for leaf in leaves)


@dataclass
class _Pass:
    """Watches the calls of all modules; where it is given results of an earlier pass, networks give those.

    Attributes:
        given: by number of the call, what a network gave.
    """

    given: Mapping[int, _Call] = field(default_factory=dict)
    _method: nn.Module | None = None
    _calls: list[_Call] = field(default_factory=list)
    _open: list[int] = field(default_factory=list)
    _rounded: list[tuple[int | None, str]] = field(default_factory=list)

    @contextmanager
    def of(self, method: nn.Module) -> Iterator[None]:
        """Watch what happens inside the block, beside the method's own call."""
        self._method = method
        handles = (
            hooks.register_module_forward_pre_hook(self._enter),
            hooks.register_module_forward_hook(self._leave),
        )
        try:
            with _Rounding(self.note):
                yield
        finally:
            for handle in handles:
                handle.remove()

    @property
    def place(self) -> int | None:
        """The number of the innermost call that has begun; None: none but the method's own."""
        return self._open[-1] if self._open else None

    def _enter(self, module: nn.Module, _arguments: Any) -> None:
        if module is self._method:
            return
        weighted = any(True for _ in module.parameters())
        self._calls.append(_Call(type(module).__name__, self.place, weighted))
        self._open.append(len(self._calls) - 1)

    def _leave(self, module: nn.Module, _arguments: Any, result: Any) -> Any:
        if module is self._method:
            return None
        number = self._open.pop()
        call = self._calls[number]
        if number in self.given:
            known = self.given[number]
            require(known.kind == call.kind, "it calls other modules in float32 than in bfloat16")
            assert known.generator is not None
            torch.set_rng_state(known.generator)  # what is drawn next is the same, whatever the network drew
            return tree_map(_exact, known.result)
        call.result, call.generator = tree_map(_copy, result), torch.get_rng_state()
        return None

    def networks(self) -> dict[int, _Call]:
        """Return the outermost networks, by number of the call."""
        return {number: call for number, call in enumerate(self._calls) if call.is_network and not self._within(call)}

    def _within(self, call: _Call) -> bool:
        """Return whether a call is made by a network."""
        outer = None if call.outer is None else self._calls[call.outer]
        return outer is not None and (outer.is_network or self._within(outer))

    def outside_networks(self) -> str:
        """Say what was rounded outside networks, a product before all else, or return an empty string."""
        found = []
        for place, text in self._rounded:
            call = None if place is None else self._calls[place]
            if call is None or not (call.is_network or self._within(call)):
                found.append(text)
        return min(found, default="", key=lambda text: "product" not in text)

    def note(self, text: str) -> None:
        """Note that something is rounded in the innermost call."""
        self._rounded.append((self.place, text))


class _Rounding(TorchDispatchMode):
    """Notes what is rounded to half precision: results of products, and tensors that are made another type."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # of torch
        self._note = note

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        result = function(*arguments, **(named or {}))
        if _is_half(result):
            tensors = [leaf for leaf in tree_leaves(arguments) if isinstance(leaf, Tensor)]
            if function.overloadpacket.__name__ in _PRODUCTS:
                shapes = " and ".join(_shape(factor) for factor in tensors[-2:])
                self._note(f"a product of {shapes} is computed in {_name(result)}")
            elif tensors and tensors[0].dtype in {torch.float32, torch.float64}:
                self._note(f"a tensor of {_shape(tensors[0])} is rounded to {_name(result)}")
        return result


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"


def _copy(value: Any) -> Any:
    return value.detach().clone().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


def _exact(value: Any) -> Any:
    """Return a result that was rounded as float32, which may be changed in place."""
    if not isinstance(value, Tensor):
        return value
    return (value.float() if _is_half(value) else value).clone()
