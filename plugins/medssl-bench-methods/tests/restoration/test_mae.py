"""Masked autoencoders: lightly's patches and positions, the loss of a plain loop, and what cannot be seen."""

import numpy as np
import pytest
import torch
from lightly.models.utils import (
    get_2d_sine_cosine_positional_embedding,
    normalize_mean_var,
)
from lightly.models.utils import patchify as lightlys_patchify
from medssl_bench_methods.patches import patchify, sine_positions
from medssl_bench_methods.restoration.autoencoder import mae_loss, mae_targets
from medssl_bench_methods.restoration.components import mae
from torch import nn

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, MethodContext, Progress
from medssl_bench.randomness import forked

NOW = Progress(step=0, total=10, epoch=0)


def method_of(**parameters):
    with forked(0):
        encoder = TimmEncoder("test_vit", 16, options={"img_size": 16, "patch_size": 4})
        return mae(encoder, MethodContext(16, 64), decoder=32, **parameters)


@pytest.mark.parametrize(("size", "rows"), [(16, 4), (28, 7), (12, 2)])
def test_patches_and_positions_are_lightlys(size, rows):
    images = torch.rand(3, 3, size, size)
    assert torch.equal(patchify(images, rows), lightlys_patchify(images, size // rows))
    theirs = get_2d_sine_cosine_positional_embedding(64, rows, cls_token=False)
    np.testing.assert_allclose(sine_positions(rows, 64), theirs, atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("size", "rows", "hidden"), [(16, 4, 12), (28, 7, 37), (8, 2, 1)])
def test_the_loss_and_its_gradient_are_those_of_a_plain_loop(size, rows, hidden, seed):
    numbers = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 3, size, size, generator=numbers)
    pixels = 3 * (size // rows) ** 2
    drawn = torch.randn(3, rows**2, pixels, generator=numbers, requires_grad=True)
    mask = torch.rand(3, rows**2, generator=numbers).argsort(dim=1) < hidden
    targets = normalize_mean_var(lightlys_patchify(images.double(), size // rows), eps=1e-4).numpy()
    total, slope = 0.0, np.zeros(drawn.shape)
    for image, patch in mask.nonzero().tolist():
        difference = drawn.detach().double().numpy()[image, patch] - targets[image, patch]
        total += (difference**2).mean() / (3 * hidden)
        slope[image, patch] = 2 * difference / pixels / (3 * hidden)

    loss = mae_loss(drawn, mae_targets(images, rows, 1e-4), mask)
    loss.backward()

    assert loss.item() == pytest.approx(total, rel=1e-5)
    np.testing.assert_allclose(drawn.grad, slope, atol=1e-6)


def test_pixels_are_left_as_they_are_without_norm_pix():
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(mae_targets(images, 4, None), patchify(images, 4))


def test_what_is_hidden_cannot_be_seen():
    """Images that differ in hidden patches only give the same tokens, bit for bit."""
    method, images = method_of().eval(), torch.rand(4, 3, 16, 16)
    keep = torch.rand(4, 16).argsort(dim=1)[:, :4]
    seen = torch.zeros(4, 16, dtype=torch.bool).scatter(1, keep, value=True).view(4, 1, 4, 4)
    pixels = seen.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    changed = torch.where(pixels, images, torch.rand_like(images))

    assert torch.equal(method.encoder.tokens(images, keep), method.encoder.tokens(changed, keep))


def test_the_order_of_the_patches_that_are_kept_does_not_matter():
    method, images = method_of().eval(), torch.rand(4, 3, 16, 16)
    keep = torch.rand(4, 16).argsort(dim=1)[:, :4]
    plain, turned = (method.drawn(method.encoder.tokens(images, places), places) for places in (keep, keep.flip(1)))
    torch.testing.assert_close(plain, turned, atol=1e-5, rtol=1e-5)


def test_a_quarter_is_kept_and_the_rest_is_compared():
    method, images = method_of().eval(), torch.rand(8, 3, 16, 16)
    torch.manual_seed(5)
    loss, metrics = method(Batch((images,), images, torch.arange(8)), NOW)
    torch.manual_seed(5)
    keep = torch.rand(8, 16).argsort(dim=1)[:, :4]

    drawn = method.drawn(method.encoder.tokens(images, keep), keep)
    wrong = (drawn - mae_targets(images, 4, 1e-4)).square().mean(dim=2)
    expected = [
        row[[p for p in range(16) if p not in kept]].mean() for row, kept in zip(wrong, keep.tolist(), strict=True)
    ]
    assert loss.item() == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)
    assert metrics["explained"] < 0.1


def test_it_learns_what_is_hidden(train):
    line, slopes = torch.linspace(-0.5, 0.5, 16), torch.rand(16, 2, 3, 1, 1) - 0.5
    images = 0.5 + slopes[:, 0] * line[:, None] + slopes[:, 1] * line
    losses, metrics = train(method_of(), images, steps=40)
    assert losses[-1] < 0.7 * losses[0]
    assert metrics["explained"] > 0.05


def test_an_encoder_without_tokens_is_refused_in_one_line():
    encoder = TimmEncoder("test_resnet", 16)
    with pytest.raises(StageError, match="mae hides tokens, which TimmEncoder has not: take a ViT, such as vit_tiny"):
        mae(encoder, MethodContext(16, 64))
    assert not hasattr(nn.Identity(), "tokens")


def test_a_part_that_hides_nothing_is_refused_in_one_line():
    with pytest.raises(StageError, match=r"masked = 0\.01 of 16 patches hides all or none of them"):
        method_of(masked=0.01)
