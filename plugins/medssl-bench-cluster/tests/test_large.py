"""A plan of 10,000 stages: submitted in packs, followed and reported in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace

import pytest
from fake_engine import FakeEngine

from medssl_bench.executors import Watchers

STAGES = 10_000


class Told(Watchers):
    """Counts what is told, and keeps none of it."""

    def __init__(self, manager) -> None:
        super().__init__(manager)
        self.number = 0

    def tell(self, hook, **arguments):  # noqa: ARG002
        self.number += 1


@pytest.mark.slow
def test_ten_thousand_stages(make_job, driver, record_property):
    began = time.perf_counter()
    job = make_job(seeds=range(100), draws=range(17), labels=(10, 40))
    job = replace(job, watchers=Told(job.watchers._manager))
    planned = time.perf_counter() - began
    assert len(job.stages) > STAGES
    engine = FakeEngine(job.store, slots=64, stage_seconds=1.0)
    made = driver(job, engine, seconds={stage.key: 20.0 for stage in job.stages})
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    in_engine, plain = [0.0], engine.pause

    def pause(seconds):
        start = time.perf_counter()
        plain(seconds)
        in_engine[0] += time.perf_counter() - start

    made._pause = pause
    began = time.perf_counter()
    outcomes = made.run()
    followed = time.perf_counter() - began - in_engine[0]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {outcome.status for outcome in outcomes} == {"done"}
    found = {
        "stages": len(job.stages),
        "jobs": len(engine.jobs),
        "most jobs at a time": engine.most,
        "questions": engine.questions,
        "seconds to plan": round(planned, 1),
        "seconds of the driver": round(followed, 1),
        "MiB": round((peak - before) / 2**20, 1),
    }
    print(found)
    assert engine.most <= 64
    assert len(engine.jobs) < len(job.stages) / 10
    assert followed < 300
    assert peak - before < 300 * 2**20
