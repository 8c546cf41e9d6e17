"""Training steps: done operation by operation, or recorded once and played back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medssl_bench.randomness import forked
from medssl_bench.training.recording import Recorder
from medssl_bench.training.state import state_of

Input = Tensor | int
Step = Callable[..., dict[str, Tensor]]
"""Changes a module and an optimiser, and returns metrics. It depends on its inputs alone."""


class NotRecorded(UserWarning):
    """Steps that should have been recorded are done by hand."""


_BY_HAND = 3
"""Steps of each shape before one is recorded: libraries choose their kernels in these, and moments are made."""

_SHAPES = 2
"""How many shapes of a step are recorded: whole batches, and the rest at the end of an epoch."""


class Steps:
    """Does the steps of a training.

    With a recorder, a step is recorded once it has been done a few times, and played back from then on. When it is
    recorded it is also done by hand from the same state: if both do not end alike, or it cannot be recorded, a warning
    says so, and steps go on by hand.

    Args:
        module: what is trained.
        optimizer: what trains it; of one that is recorded, learning rates are tensors on the device.
        recorder: what records the steps; None: every step is done by hand.

    Attributes:
        is_recording: whether a step is being done only to record it.
    """

    def __init__(self, module: nn.Module, optimizer: Optimizer, recorder: Recorder | None) -> None:
        self._module = module
        self._optimizer = optimizer
        self._recorder = recorder
        self.is_recording = False
        self._done: dict[_Shape, int] = {}
        self._recorded: dict[_Shape, _Recorded] = {}

    def forget(self) -> None:
        """Give back the memory of what is recorded; further steps are done by hand."""
        self._recorder = None
        self._recorded.clear()

    @property
    def recorded(self) -> int:
        """How many shapes of a step have been recorded."""
        return len(self._recorded)

    def do(self, step: Step, *inputs: Input) -> dict[str, Tensor]:
        """Do a step.

        Args:
            step: what is done with the inputs. Once it is recorded, what was recorded is done instead.
            inputs: tensors on the device, and numbers; a recorded step is given numbers as scalar int64 tensors.

        Returns:
            What the step returns; of a recorded one it must be read before the next step.
        """
        shape = _shape(inputs)
        if shape in self._recorded:
            return self._recorded[shape].play(inputs)
        if self._recorder is None:
            return step(*inputs)
        self._done[shape] = self._done.get(shape, 0) + 1
        if self._done[shape] > _BY_HAND and len(self._recorded) < _SHAPES:
            return self._record(self._recorder, step, inputs)
        return self._recorder.warm_up(lambda: step(*inputs))

    def _record(self, recorder: Recorder, step: Step, inputs: tuple[Input, ...]) -> dict[str, Tensor]:
        """Record a step, see whether the recording does the same as the step, and do it in the way that is left."""
        before = self._state()
        self.is_recording = True
        try:
            recorded, wrong = self._try(recorder, step, inputs, before)
        except RuntimeError as error:
            recorded, wrong = None, (str(error).strip() or type(error).__name__).splitlines()[0]
        finally:
            self.is_recording = False
        self._restore(before)
        if recorded is not None:
            self._recorded[_shape(inputs)] = recorded
            return recorded.play(inputs)
        self._recorder = None
        self._optimizer.zero_grad(set_to_none=True)
        warnings.warn(f"training steps cannot be recorded, so they are slower: {wrong}", NotRecorded, stacklevel=2)
        return step(*inputs)

    def _try(
        self, recorder: Recorder, step: Step, inputs: tuple[Input, ...], before: Mapping[str, Tensor]
    ) -> tuple[_Recorded | None, str]:
        """Return a recording, or what is wrong with it; draws from global generators are the same each time.

        Raises:
            RuntimeError: the step cannot be recorded.
        """
        buffers = _Buffers(inputs)
        results: dict[str, Tensor] = {}
        with forked(0):
            wanted = _copies(recorder.rehearse(lambda: step(*buffers.shown)))
        after = self._state()
        self._restore(before)
        with forked(0):  # once more, as some kernels add in no fixed order
            recorder.rehearse(lambda: step(*buffers.shown))
        noise = _distances(after, self._state())
        with forked(1):  # what is drawn on the host would be fixed: it must show
            play = recorder.record(lambda: results.update(step(*buffers.shown)))
        self._restore(before)
        with forked(0):
            play()
        moved, off = _distances(after, before), _distances(after, self._state())
        same = all(off[kind] <= _TOLERANCE**2 * moved[kind] + 4 * noise[kind] for kind in moved)
        if same and _alike(wanted, results):
            return _Recorded(buffers, play, results), ""
        self._recorded.clear()
        return None, "a recorded step ends as another than the same step done by hand"

    def _state(self) -> dict[str, Tensor]:
        return _copies(state_of(self._module, self._optimizer))

    @torch.no_grad()
    def _restore(self, state: Mapping[str, Tensor]) -> None:
        for name, tensor in state_of(self._module, self._optimizer).items():
            tensor.copy_(state[name])


_Shape = tuple[Any, ...]


def _shape(inputs: tuple[Input, ...]) -> _Shape:
    """Return what must be the same for a recording to fit."""
    return tuple((each.shape, each.dtype, each.stride()) if isinstance(each, Tensor) else () for each in inputs)


@dataclass(frozen=True)
class _Recorded:
    buffers: _Buffers
    playing: Callable[[], object]
    results: dict[str, Tensor]

    def play(self, inputs: tuple[Input, ...]) -> dict[str, Tensor]:
        self.buffers.fill(inputs)
        self.playing()
        return self.results


class _Buffers:
    """The tensors from which a recorded step reads its inputs, laid out in memory as the inputs are."""

    def __init__(self, inputs: tuple[Input, ...]) -> None:
        self.device = next(each.device for each in inputs if isinstance(each, Tensor))
        self._held = [
            torch.empty_like(_compact(each))
            if isinstance(each, Tensor)
            else torch.empty((), dtype=torch.int64, device=self.device)
            for each in inputs
        ]
        self.shown = tuple(
            held.expand(each.shape) if isinstance(each, Tensor) else held
            for held, each in zip(self._held, inputs, strict=True)
        )
        self.fill(inputs)

    def fill(self, inputs: tuple[Input, ...]) -> None:
        """Take over inputs, without waiting for the device."""
        for held, each in zip(self._held, inputs, strict=True):
            if isinstance(each, Tensor):
                held.copy_(_compact(each))
            else:
                held.fill_(each)


def _compact(tensor: Tensor) -> Tensor:
    """Return a tensor without its repetitions: a grey image is one channel that is shown three times."""
    for place, step in enumerate(tensor.stride()):
        if step == 0 and tensor.shape[place] > 1:
            tensor = tensor.narrow(place, 0, 1)
    return tensor


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


_TOLERANCE = 0.1
"""Largest difference of two ways of a step, as a part of the step.

Kernels that add in no fixed order differ by far less; a recording that reads what it should not, by far more.
"""


def _alike(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> bool:
    return wanted.keys() == found.keys() and all(
        torch.allclose(found[name].float(), value.float(), rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        for name, value in wanted.items()
    )


def _distances(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> dict[str, float]:
    """Return how far two states are from one another, squared: weights, buffers and each kind of moment by itself."""
    found: dict[str, list[Tensor]] = {}
    for name, tensor in one.items():
        difference = torch.where(tensor == other[name], 0.0, tensor.float() - other[name].float())  # infinities too
        found.setdefault(f"{name.split('.')[0]} {name.split('.')[-1]}", []).append(difference.square().sum())
    return {kind: float(torch.stack(squares).sum()) for kind, squares in found.items()}
