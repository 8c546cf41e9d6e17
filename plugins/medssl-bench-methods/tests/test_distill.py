"""Distillation: its losses against torch's, and a suite that distils a fine-tuned arm."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from loss_checks import assert_same_with_gradients
from medssl_bench_methods.distillation.distill import distillation_loss
from method_builders import NOW, SIZE, batch_of, build
from torch import nn

import medssl_bench
from medssl_bench.errors import StageError
from medssl_bench.methods import MethodContext
from medssl_bench.store.store import Store
from medssl_bench.store.tensors import load_tensors

SUITE = """
schema = 1
name = "distil"
floors = []
[dataset.tiny]
name = "npz"
path = "tiny.npz"
[pretraining.recipe]
method = { name = "distill" }
encoder = { name = "timm", model = "test_resnet" }
augmentation = "simclr"
epochs = 8
batch_size = 16
optimizer = { lr = 2e-3 }
schedule = { name = "constant" }
teacher = { arm = "supervised" }
[[comparison]]
id = "table"
datasets = ["tiny"]
labels = ["all"]
encoder = { name = "timm", model = "test_resnet" }
  [[comparison.arm]]
  name = "pretrained"
  pretraining = ["recipe"]
  evaluator = "knn"
  [[comparison.arm]]
  name = "supervised"
  evaluator = { name = "finetune", epochs = 6, batch_size = 16, validate_every = 3 }
"""


def logits(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).mul(3).requires_grad_()


def teacher():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 5)).requires_grad_(requires_grad=False)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("shape", [(2, 3), (16, 8), (7, 2)])
def test_the_loss_is_torchs_divergence_and_the_teachers_entropy(shape, temperature):
    said, wanted = logits(shape, 0), logits(shape, 1).detach()
    shares = F.softmax(wanted / temperature, dim=1)
    entropy = torch.distributions.Categorical(logits=wanted / temperature).entropy().mean()
    theirs = nn.KLDivLoss(reduction="batchmean")(F.log_softmax(said / temperature, dim=1), shares) + entropy
    ours = distillation_loss(said, wanted, temperature, several_labels=False)
    assert_same_with_gradients(ours, theirs, [said], rtol=1e-4)


@pytest.mark.parametrize("several_labels", [False, True])
def test_a_student_that_says_the_same_learns_nothing(several_labels):
    said = logits((6, 4), 0)
    loss = distillation_loss(said, said.detach().clone(), 2.0, several_labels=several_labels)
    torch.testing.assert_close(torch.autograd.grad(loss, said)[0], torch.zeros(6, 4))


def test_several_labels_are_learnt_one_by_one():
    said, wanted = logits((6, 4), 0), logits((6, 4), 1).detach()
    p, q = torch.sigmoid(wanted.double() / 2), torch.sigmoid(said.double() / 2)
    theirs = -(p * q.log() + (1 - p) * (1 - q).log()).mean()
    assert_same_with_gradients(distillation_loss(said, wanted, 2.0, several_labels=True), theirs, [said])


@pytest.mark.parametrize("outputs", ["classes", "labels"])
def test_the_agreement_is_how_often_both_say_the_same(outputs):
    method = build("distill", context=MethodContext(SIZE, 60, teacher()), outputs=outputs).eval()
    batch = batch_of(16)
    said, wanted = method.head(method.encoder(batch.views[0])), method.teacher(batch.views[0])
    same = (said.argmax(1) == wanted.argmax(1)) if outputs == "classes" else ((said > 0) == (wanted > 0))
    assert method(batch, NOW)[1]["teacher_agreement"] == pytest.approx(same.float().mean().item())


def test_without_a_teacher_it_fails_in_one_line():
    with pytest.raises(StageError, match="distill needs a teacher: set teacher"):
        build("distill")


def test_its_view_has_crops_and_flips_alone_unless_asked():
    context = MethodContext(SIZE, 60, teacher())
    assert [view.intensity for view in build("distill", context=context).views()] == [False]
    assert [view.intensity for view in build("distill", context=context, intensity=True).views()] == [True]


@pytest.mark.slow
def test_a_suite_distils_a_fine_tuned_arm(tmp_path):
    rng, arrays = np.random.default_rng(0), {}
    for split, count in {"train": 56, "val": 20, "test": 24}.items():
        labels = np.arange(count) % 3
        noise = rng.normal(0, 25, (count, SIZE, SIZE, 3))
        arrays[f"{split}_images"] = (90 + 80 * np.eye(3)[labels][:, None, None] + noise).clip(0, 255).astype(np.uint8)
        arrays[f"{split}_labels"] = labels[:, None]
    np.savez(tmp_path / "tiny.npz", **arrays)
    (tmp_path / "suite.toml").write_text(SUITE, "utf-8")

    result = medssl_bench.run(tmp_path / "suite.toml", store=tmp_path / "s", device="cpu")

    assert [outcome.reason for outcome in result.outcomes if outcome.status != "done"] == []
    store = Store(tmp_path / "s")
    (pretraining,) = (record for record in store.records() if record.kind == "pretrain")
    (arm,) = (r for r in store.records() if r.kind == "evaluate" and "encoder.safetensors" in r.files)
    assert arm.key in pretraining.identity["parents"]
    assert pretraining.metrics["teacher_agreement"] > 0.8
    kept = load_tensors(store.folder(pretraining.key) / "method.safetensors")
    assert set(kept) == {"head.weight", "head.bias"}  # the teacher is stored by its own arm
