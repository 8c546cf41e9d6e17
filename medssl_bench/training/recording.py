"""Records what is done on the device, to be played back with one launch instead of a thousand: CUDA graphs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Protocol, TypeVar

import torch

_Result = TypeVar("_Result")


class Recorder(Protocol):
    """Records operations on tensors; `medssl_bench.testing.tape.Tape` is one that needs no GPU."""

    def warm_up(self, work: Callable[[], _Result]) -> _Result:
        """Do some work as it is done where it will be recorded."""

    def rehearse(self, work: Callable[[], _Result]) -> _Result:
        """Do the same, but refuse to wait for the device.

        Raises:
            RuntimeError: the work reads a value back, say, and so cannot be recorded.
        """

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
        self._stream = _side_stream(torch.cuda.current_device() if device.index is None else device.index)
        self._memory = torch.cuda.graph_pool_handle()

    def warm_up(self, work: Callable[[], _Result]) -> _Result:
        """Do the work on the stream that is recorded later."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            result = work()
        torch.cuda.current_stream(self._device).wait_stream(self._stream)
        return result

    def rehearse(self, work: Callable[[], _Result]) -> _Result:
        """Do the work on that stream, where waiting for the device is an error.

        A recording that fails of that would leave torch's allocator, and some generators, in disorder.

        Raises:
            RuntimeError: the work waits for the device.
        """
        before = torch.cuda.get_sync_debug_mode()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype")
            torch.cuda.set_sync_debug_mode("error")
        try:
            return self.warm_up(work)
        finally:
            torch.cuda.set_sync_debug_mode(before)

    def record(self, work: Callable[[], object]) -> Callable[[], object]:
        """Return the graph of the work, to be played on the current stream.

        Raises:
            RuntimeError: the work cannot be recorded.
        """
        graph = torch.cuda.CUDAGraph()
        here = torch.cuda.stream(torch.cuda.current_stream(self._device))  # torch does not come back from a failure
        # "thread_local": another thread may read ahead and pin memory meanwhile
        with here, torch.cuda.graph(graph, self._memory, self._stream, capture_error_mode="thread_local"):
            work()
        return graph.replay


@cache
def _side_stream(device: int) -> torch.cuda.Stream:
    """Return the stream of a device that is recorded, as the default stream cannot be.

    It is one for all trainings: libraries keep memory for each stream that they have seen.
    """
    return torch.cuda.Stream(device)


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
