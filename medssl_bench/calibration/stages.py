"""What a stage costs beside its work, an encoder made and kept, and the start of a run."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import torch

from medssl_bench.calibration.bench import Bench, Timer, measured
from medssl_bench.costs.units import Work
from medssl_bench.stages.run import run_stage
from medssl_bench.store.record import Record
from medssl_bench.store.tensors import save_tensors

_START = "import sys; sys.path[:] = sys.argv[1:]; import medssl_bench.executors.worker, medssl_bench.stages.workshop"
_START += ", medssl_bench.encoders.timm_encoder, medssl_bench.stages.run"


def stages(bench: Bench) -> Work:
    """Return what stages cost beside their work."""
    shop = bench.workshop
    majority, spec = bench.stage("evaluate", "majority"), bench.pretraining.encoder
    numbers = iter(range(10_000))
    encoder = shop.encoder(spec, None)

    def do_little() -> None:
        outcome = run_stage(replace(majority, key=_key(next(numbers))), shop, lambda *_: None)
        assert outcome is not None
        assert outcome.status == "done", outcome.reason

    def keep() -> None:
        key = _key(next(numbers))
        lease = shop.store.leases.acquire(key)
        assert lease is not None
        save_tensors(encoder.state_dict(), lease.files / "encoder.safetensors")
        shop.store.finish(Record(key, "pretrain", "calibration", "done", {}), lease)
        lease.release(keep=False)

    processor = torch.device("cpu")
    return {
        "stage": measured(do_little, processor),
        "encoder made": measured(lambda: shop.encoder(spec, None), shop.device),
        "encoder kept": measured(keep, processor),
        "start": measured(_start, processor, Timer(least=1, most=1)),
    }


def _start() -> None:
    subprocess.run([sys.executable, "-P", "-c", _START, *filter(None, sys.path)], check=True, timeout=120)  # noqa: S603 - ourselves


def _key(number: int) -> str:
    return f"{number:064x}"
