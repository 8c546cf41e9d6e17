"""How long a GPU waits while this project trains."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.arms import make

Span = tuple[float, float]


def device_idle() -> float:
    """Return the part of a pretraining in which no kernel runs on the GPU, as torch's profiler sees it.

    The first half is not looked at: kernels are chosen and the step is recorded there.
    """
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    train = make("harness", {"device": "cuda", "images": 12_800})
    train(50)
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        train(200)
    spans = [
        (event.time_range.start, event.time_range.end)
        for event in profiled.events() or ()
        if event.device_type == DeviceType.CUDA
    ]
    middle = (min(start for start, _ in spans) + max(end for _, end in spans)) / 2
    return idle_part(span for span in spans if span[0] >= middle)


def idle_part(spans: Iterable[Span]) -> float:
    """Return the part of the time from the first beginning to the last end that lies in no span."""
    ordered = sorted(spans)
    first = reached = ordered[0][0]
    idle = 0.0
    for start, end in ordered:
        idle += max(0.0, start - reached)
        reached = max(reached, end)
    return idle / (reached - first)
