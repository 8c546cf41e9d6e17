"""What a finished pretraining keeps of a method, and a method that trains nothing."""

from __future__ import annotations

import torch


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
