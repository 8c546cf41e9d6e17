"""DINO as an inline plugin: views of two sizes and crop scales, a teacher that is a moving average, a centre."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from medssl_bench.methods import Progress, View
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.training.view_maker import ViewMaker

NOW = Progress(step=0, total=10, epoch=0)
METHOD = '{ name = "dino", local_views = 3, momentum = 0.9 }'


def make_dino(make_method, **parameters):
    return make_method("multicrop.py", {"name": "dino", "local_views": 3, **parameters})


def test_a_suite_trains_with_it(run_suite):
    finished = run_suite("multicrop.py", METHOD)

    assert all(0 < row["loss"] < math.inf and 0 < row["entropy"] <= math.log(64) + 1e-3 for row in finished.history())
    assert finished.tensors("pretrain", "method")["center"].abs().sum() > 0


def test_the_same_seed_gives_the_same_bits(run_suite):
    first, second = (run_suite("multicrop.py", METHOD, store=store).record("pretrain") for store in ("a", "b"))

    assert first.files["encoder.safetensors"] == second.files["encoder.safetensors"]
    assert first.files["method.safetensors"] == second.files["method.safetensors"]


def test_local_views_are_smaller_and_show_less(make_method):
    dino = make_dino(make_method)
    registry = load_plugins().registry
    # everything but the crop is switched off, and a ramp tells by its range how much of the image a view shows
    augmentation = registry.resolve(
        "augmentation",
        {"name": "simclr", "flip_p": 0.0, "jitter_p": 0.0, "grayscale_p": 0.0, "blur_p": 0.0},
        Path(),
    )
    ramp = torch.linspace(0, 1, 16).expand(64, 3, 16, 16)

    views = ViewMaker(dino.views(), augmentation, 16, registry, "cpu", seed=0)(ramp, "views", 0)

    assert [tuple(view.shape) for view in views] == [(64, 3, 16, 16)] * 2 + [(64, 3, 8, 8)] * 3
    shown = [view.amax(dim=(1, 2, 3)) - view.amin(dim=(1, 2, 3)) for view in views]
    # a crop of area 0.05-0.4 is at most sqrt(0.4 * 4/3) wide, one of area 0.4-1 at least sqrt(0.4 * 3/4)
    for large in shown[:2]:
        assert large.min() > math.sqrt(0.4 * 3 / 4) - 0.15
    for small in shown[2:]:
        assert small.max() < math.sqrt(0.4 * 4 / 3) + 0.05
    assert not torch.equal(views[0], views[1])
    assert not torch.equal(views[2], views[3])


def test_the_loss_is_the_cross_entropy_over_pairs_of_crops(make_method, make_batch):
    dino = make_dino(make_method).eval()
    dino.center.copy_(torch.randn(64, generator=torch.Generator().manual_seed(0)))
    batch = make_batch(16, 16, 8, 8, 8)

    loss, _ = dino(batch, NOW)

    with torch.no_grad():
        student = [dino.head(dino.encoder(view)) / 0.1 for view in batch.views]
        teacher = [(dino.teacher(view) - dino.center) / 0.04 for view in batch.views[:2]]
    terms = [
        -(F.softmax(teacher[t], dim=1) * F.log_softmax(student[s], dim=1)).sum(dim=1).mean()
        for t in range(2)
        for s in range(5)
        if s != t
    ]
    assert len(terms) == 8
    assert loss.item() == pytest.approx(sum(terms).item() / 8, rel=1e-4)


def test_the_centre_follows_the_teacher_in_training_alone(make_method, make_batch):
    dino = make_dino(make_method, center_momentum=0.8)
    batch = make_batch(16, 16, 8, 8, 8)

    dino.eval()
    with torch.no_grad():
        dino(batch, NOW)
    assert torch.equal(dino.center, torch.zeros(64))

    dino.train()
    dino(batch, NOW)
    expected = 0.2 * dino.teacher(torch.cat(batch.views[:2])).mean(dim=0)
    torch.testing.assert_close(dino.center, expected)


def test_the_teacher_is_a_moving_average(make_method):
    dino = make_dino(make_method, momentum=0.75)
    before = [parameter.clone() for parameter in dino.teacher.parameters()]
    current = [*dino.encoder.parameters(), *dino.head.parameters()]
    with torch.no_grad():
        for parameter in current:
            parameter.add_(1.0)

    dino.after_step(NOW)

    for old, average, now in zip(before, dino.teacher.parameters(), current, strict=True):
        torch.testing.assert_close(average, 0.75 * old + 0.25 * now)


def test_the_views_differ_in_what_they_ask_of_the_augmentation(make_method):
    large, small = make_dino(make_method).views()[1:3]

    assert large == View(parameters={"crop_scale": [0.4, 1.0]})
    assert (small.size, small.parameters["crop_scale"]) == (8, [0.05, 0.4])
