"""DINO: its loss against lightly's, its teacher, centre and schedules, and what must not change them."""

import math

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import DINOLoss
from medssl_bench_methods.ema import momentum_at
from medssl_bench_methods.selfdistillation.centering import Centering
from medssl_bench_methods.selfdistillation.dino import dino_loss
from medssl_bench_methods.selfdistillation.teaching import Pace
from medssl_bench_methods.sinkhorn import sinkhorn
from method_builders import NOW, batch_of, build

from medssl_bench.methods import Progress


def make_dino(**parameters):
    return build("dino", **{"hidden": 16, "projection": 8, "prototypes": 12, "local_views": 2, **parameters})


def random_outputs(shape, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    return [torch.rand(shape, generator=numbers) * 2 - 1 for _ in range(2)]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(2, 6, 4), (4, 16, 32), (6, 9, 20)])
def test_the_loss_is_lightlys(shape, seed):
    teacher, student = random_outputs(shape, seed)
    student.requires_grad_()
    center = torch.rand(shape[2]) - 0.5
    lightlys = DINOLoss(output_dim=shape[2], warmup_teacher_temp_epochs=1)
    lightlys.center.copy_(center)

    ours = dino_loss(F.softmax((teacher[:2] - center) / 0.04, dim=2), student, 0.1)
    theirs = lightlys(list(teacher[:2]), list(student), teacher_temp=0.04)

    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    mine, other = (torch.autograd.grad(loss, student, retain_graph=True)[0] for loss in (ours, theirs))
    torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("keep", ["student", "teacher"])
@pytest.mark.parametrize("centering", ["mean", "sinkhorn"])
def test_the_method_is_a_loop_over_pairs_of_crops(centering, keep):
    method = make_dino(centering=centering, keep=keep).eval()
    if centering == "mean":
        method.centering.center.uniform_(-0.5, 0.5)
    batch = batch_of(16, 16, 9, 9)

    loss, _ = method(batch, NOW)

    with torch.no_grad():
        student = [F.log_softmax(method.head(method.student(view)) / 0.1, dim=1) for view in batch.views]
        taught = torch.cat([method.teacher_head(method.teacher(view)) for view in batch.views[:2]])
    wanted = sinkhorn(taught, epsilon=0.04)
    if centering == "mean":
        wanted = F.softmax((taught - method.centering.center) / 0.04, dim=1)
    terms = [-(wanted.chunk(2)[t] * student[s]).sum(dim=1).mean().item() for t in range(2) for s in range(4) if s != t]
    assert loss.item() == pytest.approx(sum(terms) / 6, rel=1e-4)


def test_the_centre_takes_off_what_is_added_to_all_outputs():
    taught, added = random_outputs((8, 6))[0], torch.randn(6)
    centering = Centering("mean", 6, 0.0).train()
    centering(taught, torch.tensor(0.04))
    plain = centering(taught, torch.tensor(0.04))
    centering(taught + added, torch.tensor(0.04))
    torch.testing.assert_close(centering(taught + added, torch.tensor(0.04)), plain, rtol=1e-4, atol=1e-6)


def test_the_centre_moves_in_training_alone():
    method, batch = make_dino(centering="mean", center_momentum=0.8), batch_of(16, 16, 9, 9)
    method.eval()(batch, NOW)
    assert method.centering.center.abs().sum() == 0
    method.train()(batch, NOW)
    expected = 0.2 * method.teacher_head(method.teacher(torch.cat(batch.views[:2]))).mean(dim=0)
    torch.testing.assert_close(method.centering.center, expected)


@pytest.mark.parametrize("keep", ["student", "teacher"])
def test_no_gradient_reaches_the_teacher_and_it_is_a_moving_average(keep):
    method = make_dino(keep=keep, momentum=0.75, momentum_end=0.75).train()
    method(batch_of(16, 16, 9, 9), NOW)[0].backward()
    teacher = [*method.teacher.parameters(), *method.teacher_head.parameters()]
    student = [*method.student.parameters(), *method.head.parameters()]
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in teacher)
    assert sum(float(parameter.grad.abs().sum()) for parameter in student if parameter.grad is not None) > 0
    before = [parameter.clone() for parameter in teacher]
    with torch.no_grad():
        for parameter in student:
            parameter.add_(1.0)

    method.after_step(NOW)

    for old, average, now in zip(before, teacher, student, strict=True):
        torch.testing.assert_close(average, 0.75 * old + 0.25 * now)


def test_a_teacher_with_momentum_one_never_moves():
    method = make_dino(momentum=1.0)
    before = [parameter.clone() for parameter in method.teacher.parameters()]
    with torch.no_grad():
        for parameter in method.student.parameters():
            parameter.add_(1.0)
    method.after_step(NOW)
    assert all(torch.equal(*pair) for pair in zip(before, method.teacher.parameters(), strict=True))


def test_the_kept_encoder_is_named_once_and_the_rest_is_not_stored():
    method = make_dino(keep="teacher")
    assert method.encoder is method.teacher
    assert not any(parameter.requires_grad for parameter in method.encoder.parameters())
    names = [name for name in method.state_dict() if name.endswith("conv1.0.weight")]
    assert len(names) == len(set(names)) == len([name for name in names if "encoder" in name])
    assert make_dino(keep="student").encoder is not method.encoder


def test_momentum_and_temperature_follow_the_papers_schedules():
    pace = Pace(0.99, 1.0, 0.04, 0.07, 0.01)
    found = [momentum_at(pace.momentum, pace.momentum_end, Progress(step, 2, 0)) for step in range(3)]
    assert found == pytest.approx([0.99, 0.995, 1])
    assert [pace.temperature_at(part) for part in (0, 0.15, 0.3, 1)] == pytest.approx([0.04, 0.055, 0.07, 0.07])
    method = make_dino(teacher_temperature_end=0.07, frozen=0.25)
    found = []
    for step in range(4):
        method.after_step(Progress(step, 10, 0))
        found.append((method.teacher_temperature.item(), method.head.moves.item()))
    assert found == [pytest.approx(pair) for pair in [(0.05, 0), (0.06, 0), (0.07, 1), (0.07, 1)]]


def test_the_last_layer_is_frozen_at_first():
    method = make_dino(frozen=0.5).train()
    for step, moves in [(0, False), (4, True)]:
        method.after_step(Progress(step, 10, 0))
        method(batch_of(16, 16, 9, 9), NOW)[0].backward()
        assert bool(method.head.prototypes.grad.abs().sum() > 0) == moves


def test_the_gradient_of_each_parameter_is_clipped():
    clipped, free = make_dino(clip=1e-3).train(), make_dino(clip=None).train()
    for method in (clipped, free):
        method.head.moves.fill_(1)
        method(batch_of(16, 16, 9, 9), NOW)[0].backward()
    pairs = zip(clipped.parameters(), free.parameters(), strict=True)
    pairs = [(short.grad, whole.grad) for short, whole in pairs if whole.grad is not None]
    assert max(float(whole.norm()) for _, whole in pairs) > 1e-3
    for short, whole in pairs:
        torch.testing.assert_close(short, whole * min(1, 1e-3 / (float(whole.norm()) + 1e-6)), rtol=1e-3, atol=1e-9)


def test_the_gauges_tell_a_collapse():
    method, batch = make_dino(centering="mean").eval(), batch_of(16, 16, 9, 9)
    with torch.no_grad():
        method.teacher_head.prototypes.copy_(method.teacher_head.prototypes[:1].expand(12, -1))
    uniform = method(batch, NOW)[1]
    assert uniform["entropy"] == pytest.approx(1, abs=1e-4)
    method.centering.center[1:] = 100
    one = method(batch, NOW)[1]
    assert one["entropy"] == pytest.approx(0, abs=1e-4)
    assert 1 / 12 <= one["used"] <= 1


def test_a_student_that_says_the_same_of_all_images_has_no_spread():
    method, batch = make_dino().eval(), batch_of(16, 16, 9, 9)
    assert method(batch, NOW)[1]["spread"] > 0
    with torch.no_grad():
        method.head.layers[-1].weight.zero_()
        method.head.layers[-1].bias.fill_(1)
    assert method(batch, NOW)[1]["spread"] == pytest.approx(0, abs=1e-5)


def test_equal_teacher_and_student_have_the_entropy_as_loss():
    outputs = torch.log_softmax(torch.randn(1, 5, 7).expand(3, -1, -1), dim=2)
    loss = dino_loss(outputs[:2].exp(), outputs, 1.0)
    torch.testing.assert_close(loss, -(outputs[0].exp() * outputs[0]).sum(dim=1).mean())
    assert loss < math.log(7)
