"""What a log says of a stage that takes long."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from medssl_bench.cli import progress
from medssl_bench.cli.progress import PlainLines
from medssl_bench.plugin.watching import Epoch, StageInfo

STAGE = StageInfo("0" * 64, "pretrain", "pretrain · nat", None)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lines of a log of ten epochs of 25 seconds."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    log = io.StringIO()
    lines = PlainLines(Console(file=log, width=200))
    lines.medssl_stage_begins(STAGE)
    for index in range(10):
        now[0] += 25
        lines.medssl_epoch_ends(STAGE, Epoch(index, 10, {"loss": 4.5}, 300.0))
    return log.getvalue().splitlines()


def test_a_line_a_minute_with_the_time_left(told: list[str]) -> None:
    assert told == [
        "[1/0] pretrain · nat",
        "    epoch 3 of 10  loss 4.500  about 2 min 55 s left",
        "    epoch 6 of 10  loss 4.500  about 1 min 40 s left",
        "    epoch 9 of 10  loss 4.500  about 25 s left",
    ]
