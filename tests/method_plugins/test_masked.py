"""Masked reconstruction as an inline plugin: what is hidden, and that only this is compared."""

from __future__ import annotations

import pytest
import torch

from medssl_bench.methods import Batch, Progress

NOW = Progress(step=0, total=10, epoch=0)
METHOD = '{ name = "masked", hidden = 0.5 }'


@pytest.fixture
def method(make_method):
    return make_method("masked.py", {"name": "masked", "patch": 4, "hidden": 0.5})


def seen_by_the_encoder(method, batch):
    seen = []
    hook = method.encoder.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].detach()))
    loss, _ = method(batch, NOW)
    hook.remove()
    return seen[0], loss


def test_a_suite_trains_with_it(run_suite):
    finished = run_suite("masked.py", METHOD, epochs=8)

    losses = [row["loss"] for row in finished.history()]
    assert losses[-1] < 0.7 * losses[0]
    assert finished.history()[-1]["val_loss"] < 0.7 * losses[0]


def test_the_same_seed_gives_the_same_bits(run_suite):
    first, second = (run_suite("masked.py", METHOD, store=store).record("pretrain") for store in ("a", "b"))

    assert first.files["encoder.safetensors"] == second.files["encoder.safetensors"]


def test_its_view_has_the_geometry_alone(run_suite, method):
    (view,) = method.views()

    assert not view.intensity


def test_half_of_the_patches_are_hidden_from_the_encoder(method, make_batch):
    batch = make_batch(16, count=32)

    seen, _ = seen_by_the_encoder(method, batch)

    hidden = (seen == 0.5).all(dim=1)  # random pixels are never exactly the mask's value
    by_patch = hidden.unfold(1, 4, 4).unfold(2, 4, 4).flatten(3).float().mean(dim=3)
    assert set(by_patch.unique().tolist()) == {0.0, 1.0}
    assert by_patch.flatten(1).sum(dim=1).tolist() == [8.0] * 32
    assert torch.equal(seen[~hidden[:, None].expand_as(seen)], batch.views[0][~hidden[:, None].expand_as(seen)])
    assert len({tuple(row) for row in by_patch.flatten(1).tolist()}) > 16  # images have masks of their own


def test_the_loss_is_the_error_in_hidden_patches(method, make_batch):
    batch = make_batch(16)

    seen, loss = seen_by_the_encoder(method, batch)

    hidden = (seen == 0.5).all(dim=1, keepdim=True).expand_as(seen)
    drawn = method.decoder(method.encoder(seen)).view(-1, 3, 16, 16)
    assert loss.item() == pytest.approx((drawn - batch.views[0])[hidden].abs().mean().item(), rel=1e-4)


def test_what_is_hidden_cannot_be_seen(method):
    """Images that differ in hidden pixels only give the same features."""
    method.eval()
    torch.manual_seed(3)
    mask = method.draw_mask(4, torch.device("cpu"))
    images = torch.rand(4, 3, 16, 16)
    changed = torch.where(mask, torch.rand_like(images), images)
    seen = []
    for views in (images, changed):
        torch.manual_seed(3)
        seen.append(seen_by_the_encoder(method, Batch((views,), views, torch.arange(4)))[0])

    assert torch.equal(*seen)


def test_a_patch_that_does_not_fit_fails_in_one_line(make_method):
    with pytest.raises(Exception, match="a patch of 5 does not divide views of 16 pixels"):
        make_method("masked.py", {"name": "masked", "patch": 5})
