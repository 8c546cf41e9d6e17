"""iBOT: its losses against lightly's, what the student may not see, and a ViT where it needs one."""

import pytest
import torch
import torch.nn.functional as F
from lightly.loss import DINOLoss, IBOTPatchLoss, KoLeoLoss
from medssl_bench_methods.selfdistillation.ibot import koleo, patch_loss
from method_builders import NOW, SIZE, batch_of, build, tiny_encoder

from medssl_bench.errors import StageError

SMALL = {"hidden": 16, "projection": 8, "prototypes": 12}


def make_ibot(**parameters):
    torch.manual_seed(0)
    encoder = tiny_encoder("test_vit", img_size=SIZE, patch_size=4)
    return build("ibot", encoder=encoder, **{**SMALL, **parameters})


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("images", "hidden", "outputs"), [(3, 2, 5), (8, 4, 16), (5, 7, 9)])
def test_the_loss_of_patches_is_lightlys(images, hidden, outputs, seed):
    numbers = torch.Generator().manual_seed(seed)
    teacher, student = (torch.rand(images * hidden, outputs, generator=numbers) * 2 - 1 for _ in range(2))
    student.requires_grad_()
    center = torch.rand(1, outputs, generator=numbers) - 0.5
    lightlys = IBOTPatchLoss(output_dim=outputs)
    lightlys.center.center.copy_(center)
    mask = torch.arange(9) < hidden

    ours = patch_loss(F.softmax((teacher - center) / 0.04, dim=1), student, 0.1)
    theirs = lightlys(teacher, student, mask.view(1, 3, 3).expand(images, -1, -1))

    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    mine, other = (torch.autograd.grad(loss, student, retain_graph=True)[0] for loss in (ours, theirs))
    torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("shape", [(4, 3), (16, 8), (9, 20)])
def test_koleo_is_lightlys(shape):
    features = torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ours, theirs = koleo(features), KoLeoLoss()(features)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        *(torch.autograd.grad(loss, features)[0] for loss in (ours, theirs)), rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("keep", ["student", "teacher"])
def test_the_method_is_lightlys_losses_of_images_and_of_patches(keep):
    method, batch = make_ibot(centering="mean", keep=keep, local_views=1, local_size=8).eval(), batch_of(SIZE, SIZE, 8)
    with torch.no_grad():
        method.hiding.token.normal_()
        torch.manual_seed(3)
        loss, metrics = method(batch, NOW)
        torch.manual_seed(3)
        places = torch.rand(16, 16).argsort(dim=1)[:, :5]
        masked = torch.zeros(16, 16, dtype=torch.bool)
        for row, columns in enumerate(places):
            masked[row, columns] = True
        large = torch.cat(batch.views[:2])
        student = method.student.tokens(large, masked=masked, mask_token=method.hiding.token)
        teacher = method.teacher.tokens(large)
        images = [method.head(method.student.pooled(student)), method.head(method.student(batch.views[2]))]
        taught = method.teacher_head(method.teacher(large))
        of_images = DINOLoss(output_dim=12, warmup_teacher_temp_epochs=1)(
            taught.chunk(2), [*images[0].chunk(2), images[1]], teacher_temp=0.04
        )
        of_patches = IBOTPatchLoss(output_dim=12)(
            method.teacher_head(teacher[:, 1:][masked]),
            method.head(student[:, 1:][masked]),
            masked.view(16, 4, 4),
        )
    torch.testing.assert_close(loss, of_images + of_patches, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(metrics["patch_loss"], of_patches, rtol=1e-4, atol=1e-4)


def test_the_student_cannot_see_hidden_patches():
    method, large = make_ibot().eval(), torch.rand(2, 3, SIZE, SIZE)
    places = torch.tensor([[0], [15]])
    changed = large.clone()
    changed[0, :, :4, :4], changed[1, :, 12:, 12:] = 0, 1
    with torch.no_grad():
        plain = method._student(batch_of(SIZE, SIZE, count=1), large, places)
        other = method._student(batch_of(SIZE, SIZE, count=1), changed, places)
        seen = method.teacher.tokens(large)
    assert all(torch.equal(*pair) for pair in zip(plain, other, strict=True))
    assert not torch.equal(seen, method.teacher.tokens(changed))


def test_as_many_patches_are_hidden_in_every_crop():
    assert make_ibot(masked=0.3).hidden == 5
    assert make_ibot(masked=0.01).hidden == 1


def test_the_token_learns_and_koleo_adds_its_weight():
    method, batch = make_ibot(frozen=0.0).train(), batch_of(SIZE, SIZE)
    torch.manual_seed(0)
    loss, _ = method(batch, NOW)
    loss.backward()
    assert method.hiding.token.grad.abs().sum() > 0
    spread = make_ibot(frozen=0.0, koleo=0.1).train()
    torch.manual_seed(0)
    assert not torch.isclose(spread(batch, NOW)[0], loss)


def test_a_convolutional_encoder_is_refused():
    with pytest.raises(StageError, match="ibot hides patches, so it needs a ViT"):
        build("ibot", **SMALL)
