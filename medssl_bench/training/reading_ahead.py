"""Batches of a set that does not fit on the device: the next one is read and sent while this one is worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor


def read_ahead(read: Callable[[Tensor], Tensor], batches: Sequence[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Yield batch after batch on the device, in order, one of them ahead.

    Reading happens in a thread of its own. For CUDA, batches go through pinned memory on a stream of their own, and the
    current stream waits for them, not the host.

    Args:
        read: returns the rows of some places, on the processor.
        batches: the places of each batch, on the processor.
        device: where they go.
    """
    arrive = _sender(device) if device.type == "cuda" else _plainly(device)
    with ThreadPoolExecutor(1, thread_name_prefix="reading ahead") as reader:

        def fetch(places: Tensor) -> Callable[[], Tensor]:
            return arrive(read(places))

        following = reader.submit(fetch, batches[0])
        for number in range(len(batches)):
            arrived = following.result()
            if number + 1 < len(batches):
                following = reader.submit(fetch, batches[number + 1])
            yield arrived()


_Send = Callable[[Tensor], Callable[[], Tensor]]
"""Begins to send rows, and returns what gives them when they are wanted."""


def _plainly(device: torch.device) -> _Send:
    def send(rows: Tensor) -> Callable[[], Tensor]:
        sent = rows.to(device)
        return lambda: sent

    return send


def _sender(device: torch.device) -> _Send:
    stream = torch.cuda.Stream(device)

    def send(rows: Tensor) -> Callable[[], Tensor]:
        with torch.cuda.stream(stream):
            sent = rows.pin_memory().to(device, non_blocking=True)  # torch keeps the pinned memory until it is copied
            copied = stream.record_event()

        def arrived() -> Tensor:
            current = torch.cuda.current_stream(device)
            current.wait_event(copied)
            sent.record_stream(current)  # its memory must not be given to another batch before this stream has read it
            return sent

        return arrived

    return send
