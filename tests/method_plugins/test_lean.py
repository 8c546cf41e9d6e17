"""What a finished pretraining keeps of a method, and a method that trains nothing."""

from __future__ import annotations

import torch

from medssl_bench.results.formats.text import notes


def test_what_the_training_alone_needs_is_not_stored(run_suite):
    finished = run_suite("lean.py", '"lean"')

    assert set(finished.tensors("pretrain", "method")) == {"head.weight", "head.bias"}


def test_a_method_may_train_nothing(run_suite):
    frozen = run_suite("lean.py", '{ name = "lean", frozen = true }', epochs=1)
    first = frozen.tensors("pretrain", "encoder")
    again = run_suite("lean.py", '{ name = "lean", frozen = true }', epochs=2, store="t").tensors("pretrain", "encoder")

    weights = [name for name in first if name.endswith("weight")]
    assert weights
    assert all(torch.equal(first[name], again[name]) for name in weights)
    assert frozen.history()[0]["loss"] != 0


def test_a_collapse_is_said_of_the_stage_and_of_every_result_that_builds_on_it(run_suite):
    sound, collapsed = (
        run_suite("lean.py", '"lean"'),
        run_suite("lean.py", '{ name = "lean", collapses = true }', store="t"),
    )

    assert [outcome.flags for outcome in sound.result.outcomes if outcome.flags] == []
    assert "spread 0.000" in collapsed.record("pretrain").flags["collapse"]
    flags = [value.flags for cell in collapsed.result.leaderboard.cells() for value in cell.values]
    assert flags
    assert all("spread 0.000" in found["collapse"] for found in flags)
    (table,) = collapsed.result.leaderboard.tables
    assert any("may have collapsed" in line for line in notes(table))
