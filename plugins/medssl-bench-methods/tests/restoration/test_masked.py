"""Masked images: what is hidden, and that only this is compared."""

import numpy as np
import pytest
import torch
from medssl_bench_methods.restoration.hidden_patches import draw_mask, masked_loss

from medssl_bench.errors import StageError


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (5, 3, 12, 12), (3, 1, 16, 16)])
def test_the_loss_and_its_gradient_are_those_of_a_plain_loop(shape, seed):
    numbers = np.random.default_rng(seed)
    drawn, images = numbers.random(shape), numbers.random(shape)
    mask = numbers.random((shape[0], 1, *shape[2:])) < 0.6
    total, count, slope = 0.0, 0, np.zeros(shape)
    for place in np.ndindex(*shape):
        if mask[place[0], 0, place[2], place[3]]:
            total, count = total + abs(drawn[place] - images[place]), count + 1
            slope[place] = np.sign(drawn[place] - images[place])

    given = torch.tensor(drawn, dtype=torch.float32, requires_grad=True)
    loss = masked_loss(given, torch.tensor(images, dtype=torch.float32), torch.tensor(mask))
    loss.backward()

    assert loss.item() == pytest.approx(total / count, rel=1e-5)
    np.testing.assert_allclose(given.grad, slope / count, rtol=1e-5)


def test_the_same_number_of_patches_is_hidden_in_every_image():
    mask = draw_mask(64, 16, 4, 0.6, torch.device("cpu"))
    by_patch = mask[:, 0].unfold(1, 4, 4).unfold(2, 4, 4).flatten(3).float().mean(dim=3)
    assert set(by_patch.unique().tolist()) == {0.0, 1.0}
    assert by_patch.flatten(1).sum(dim=1).tolist() == [10.0] * 64  # 0.6 of 16
    assert len({tuple(row) for row in by_patch.flatten(1).tolist()}) > 32  # images have masks of their own
    assert draw_mask(1, 4, 4, 0.1, torch.device("cpu")).all()


def test_the_encoder_sees_the_others_alone_and_the_loss_is_of_the_hidden(make_method, seen_by_encoder):
    method, images = make_method("masked").eval(), torch.rand(8, 3, 16, 16)

    seen, loss, _ = seen_by_encoder(method, images)

    hidden = (seen == 0.5).all(dim=1, keepdim=True).expand_as(seen)  # random pixels are never exactly the mask's value
    assert torch.equal(seen[~hidden], images[~hidden])
    drawn = method.decoder(method.encoder(seen)).view(-1, 3, 16, 16)
    assert loss.item() == pytest.approx((drawn - images)[hidden].abs().mean().item(), rel=1e-4)


def test_what_is_hidden_cannot_be_seen(make_method, seen_by_encoder):
    """Images that differ in hidden pixels only are the same to the encoder."""
    method, images = make_method("masked").eval(), torch.rand(4, 3, 16, 16)
    torch.manual_seed(3)
    mask = draw_mask(4, 16, 4, 0.6, torch.device("cpu"))
    given = []
    for views in (images, torch.where(mask, torch.rand_like(images), images)):
        torch.manual_seed(3)
        given.append(seen_by_encoder(method, views)[0])
    assert torch.equal(*given)


def test_its_view_has_the_geometry_alone(make_method):
    (view,) = make_method("masked").views()
    assert not view.intensity


def test_it_learns_what_is_hidden(make_method, train):
    line, slopes = torch.linspace(-0.5, 0.5, 16), torch.rand(32, 2, 3, 1, 1) - 0.5
    losses, metrics = train(make_method("masked"), 0.5 + slopes[:, 0] * line[:, None] + slopes[:, 1] * line)
    assert losses[-1] < 0.7 * losses[0]
    assert metrics["explained"] > 0.3


def test_a_patch_that_does_not_divide_is_refused_in_one_line(make_method):
    with pytest.raises(StageError, match="a patch of 5 does not divide views of 16 pixels"):
        make_method("masked", patch=5)
