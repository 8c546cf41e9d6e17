"""BYOL and distillation from a fine-tuned arm as inline plugins."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from medssl_bench.errors import StageError
from medssl_bench.methods import Progress

NOW = Progress(step=0, total=10, epoch=0)
BYOL = '{ name = "byol", momentum = 0.9 }'
DISTILL = '{ name = "distill" }'
TEACHER = """
  [[comparison.arm]]
  name = "supervised"
  evaluator = { name = "finetune", epochs = 6, batch_size = 16, validate_every = 3 }
"""
TAUGHT = {"recipe": 'teacher = { arm = "supervised" }', "arms": TEACHER}


def test_a_suite_trains_with_byol(run_suite):
    finished = run_suite("teacher.py", BYOL, epochs=6)

    losses = [row["loss"] for row in finished.history()]
    assert all(0 <= loss <= 4 for loss in losses)
    assert losses[-1] < losses[0]


def test_byol_gives_the_same_bits_for_the_same_seed(run_suite):
    first, second = (run_suite("teacher.py", BYOL, store=store).record("pretrain") for store in ("a", "b"))

    assert first.files["encoder.safetensors"] == second.files["encoder.safetensors"]


def test_byol_compares_each_view_with_the_other(make_method, make_batch):
    byol = make_method("teacher.py", "byol").eval()
    batch = make_batch(16, 16)

    loss, _ = byol(batch, NOW)

    total = 0.0
    for online, target in (batch.views, batch.views[::-1]):
        predicted = byol.predictor(byol.projector(byol.encoder(online)))
        total += F.mse_loss(F.normalize(predicted), F.normalize(byol.target(target)), reduction="sum").item()
    assert loss.item() == pytest.approx(total / 16, rel=1e-4)


def test_byols_target_is_a_moving_average_without_gradient(make_method, make_batch):
    byol = make_method("teacher.py", {"name": "byol", "momentum": 0.75})
    loss, _ = byol(make_batch(16, 16), NOW)
    loss.backward()
    assert all(parameter.grad is None for parameter in byol.target.parameters())
    before = [parameter.clone() for parameter in byol.target.parameters()]
    current = [*byol.encoder.parameters(), *byol.projector.parameters()]
    with torch.no_grad():
        for parameter in current:
            parameter.add_(1.0)

    byol.after_step(NOW)

    for old, average, now in zip(before, byol.target.parameters(), current, strict=True):
        torch.testing.assert_close(average, 0.75 * old + 0.25 * now)


def test_a_suite_distils_a_fine_tuned_arm(run_suite):
    finished = run_suite("teacher.py", DISTILL, epochs=8, **TAUGHT)

    history = finished.history()
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert history[-1]["agreement"] > 0.8
    supervised = next(r for r in finished.store.records() if r.kind == "evaluate" and "encoder.safetensors" in r.files)
    assert supervised.key in finished.record("pretrain").identity["parents"]


def test_the_teacher_is_the_arm_and_stays_as_it_was(run_suite):
    """What the method kept of its teacher, batch statistics included, is what the arm left."""
    from medssl_bench.store.tensors import load_tensors

    finished = run_suite("teacher.py", DISTILL, **TAUGHT)

    supervised = next(r for r in finished.store.records() if r.kind == "evaluate" and "encoder.safetensors" in r.files)
    folder = finished.store.folder(supervised.key)
    arm = {f"teacher.0.{name}": value for name, value in load_tensors(folder / "encoder.safetensors").items()}
    arm |= {f"teacher.1.{name}": value for name, value in load_tensors(folder / "head.safetensors").items()}
    kept = finished.tensors("pretrain", "method")
    assert {name for name in kept if name.startswith("teacher.")} == set(arm)
    assert all(torch.equal(kept[name], value) for name, value in arm.items())


def test_distillation_gives_the_same_bits_for_the_same_seed(run_suite):
    first, second = (run_suite("teacher.py", DISTILL, store=s, **TAUGHT).record("pretrain") for s in ("a", "b"))

    assert first.files["encoder.safetensors"] == second.files["encoder.safetensors"]


def test_the_loss_is_the_divergence_from_the_teachers_logits(make_method, make_batch):
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5)).requires_grad_(requires_grad=False)
    method = make_method("teacher.py", {"name": "distill", "temperature": 3.0}, teacher=teacher).eval()
    batch = make_batch(16)

    loss, metrics = method(batch, NOW)

    said, wanted = method.head(method.encoder(batch.views[0])), teacher(batch.views[0])
    p, q = F.softmax(wanted / 3, dim=1), F.softmax(said / 3, dim=1)
    assert loss.item() == pytest.approx(9 * (p * (p / q).log()).sum(dim=1).mean().item(), rel=1e-3)
    assert metrics["agreement"].item() == pytest.approx((said.argmax(1) == wanted.argmax(1)).float().mean().item())


def test_distillation_without_a_teacher_fails_in_one_line(make_method):
    with pytest.raises(StageError, match="distill needs a teacher"):
        make_method("teacher.py", "distill")
