"""A plan of thousands of stages: submitted in packs, followed and reported in bounded time and memory."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import replace

import pytest
from fake_engine import FakeEngine
from long import LONG

from medssl_bench.executors import Watchers


class Told(Watchers):
    """Counts what is told, and keeps none of it."""

    def __init__(self, manager) -> None:
        super().__init__(manager)
        self.number = 0

    def tell(self, hook, **arguments):  # noqa: ARG002
        self.number += 1


@pytest.mark.parametrize(
    "seeds",
    [
        13,
        pytest.param(100, marks=[pytest.mark.slow, LONG]),
    ],
)
def test_time_and_memory_of_a_large_plan(seeds, make_job, driver, monkeypatch, capsys):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # of the jobs of the engine, whose time is not measured
    began = time.perf_counter()
    job = make_job(seeds=range(seeds), draws=range(13), labels=(10, 40))
    job = replace(job, watchers=Told(job.watchers._manager))
    planned = time.perf_counter() - began
    assert len(job.stages) > 100 * seeds
    engine = FakeEngine(job.store, slots=64, stage_seconds=1.0)
    made = driver(job, engine, seconds={stage.key: 20.0 for stage in job.stages})
    in_engine, plain = [0.0], engine.pause

    def pause(seconds):
        start = time.process_time()
        plain(seconds)
        in_engine[0] += time.process_time() - start

    made._pause = pause
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    outcomes = made.run()
    followed = time.process_time() - began - in_engine[0]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    assert {outcome.status for outcome in outcomes} == {"done"}
    with capsys.disabled():
        print(
            f"\n{len(job.stages)} stages: planned in {planned:.0f} s; {len(engine.jobs)} jobs, {engine.most} at once; "
            f"{engine.questions} questions; the driver took {followed:.0f} s of a processor and {grown:.0f} MiB"
        )
    assert engine.most <= 64
    assert len(engine.jobs) < len(job.stages) / 10
    assert followed < 2 * seeds, "seconds"
    assert grown < 50 + 2.5 * seeds, "MiB"
