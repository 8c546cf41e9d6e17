"""Records what is done on the device, to be played back with one launch instead of a thousand: CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import torch

_Result = TypeVar("_Result")


class Recorder(Protocol):
    """Records operations on tensors; `medssl_bench.contract.tape.Tape` is one that needs no GPU."""

    def warm_up(self, work: Callable[[], _Result]) -> _Result:
        """Do some work as it is done where it will be recorded."""

    def record(self, work: Callable[[], object]) -> Callable[[], object]:
        """Record some work without doing it.

        Returns:
            Does it, each time that it is called, on the very tensors that were there when it was recorded.

        Raises:
            RuntimeError: it cannot be recorded, as it reads a value back, say.
        """


class CudaGraphs:
    """Records CUDA graphs (see "CUDA Graphs" in the notes of torch's documentation).

    The graphs of one recorder share their memory: they must not be played at the same time, and what one leaves must be
    read before the next is played.

    Args:
        device: a CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # the default stream cannot be recorded
        self._memory = torch.cuda.graph_pool_handle()

    def warm_up(self, work: Callable[[], _Result]) -> _Result:
        """Do the work on the stream that is recorded later."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            result = work()
        torch.cuda.current_stream(self._device).wait_stream(self._stream)
        return result

    def record(self, work: Callable[[], object]) -> Callable[[], object]:
        """Return the graph of the work, to be played on the current stream.

        Raises:
            RuntimeError: the work cannot be recorded.
        """
        graph = torch.cuda.CUDAGraph()
        # "thread_local": another thread may read ahead and pin memory meanwhile
        with torch.cuda.graph(graph, self._memory, self._stream, capture_error_mode="thread_local"):
            work()
        return graph.replay


_Choose = Callable[[torch.device], Recorder | None]
_chosen: list[_Choose] = []


def recorder_for(device: torch.device) -> Recorder | None:
    """Return what records training steps on a device; None: nothing does, as on the processor."""
    if _chosen:
        return _chosen[-1](device)
    return CudaGraphs(device) if device.type == "cuda" else None


@contextmanager
def recorded_by(choose: _Choose) -> Iterator[None]:
    """Let another recorder, or none, record training steps inside the block."""
    _chosen.append(choose)
    try:
        yield
    finally:
        _chosen.pop()
