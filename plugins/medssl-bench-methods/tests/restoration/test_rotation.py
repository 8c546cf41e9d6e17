"""Rotation: torchvision's turns, the loss of a plain loop, and what cannot be told."""

import pytest
import torch
from medssl_bench_methods.restoration.turning import turned
from torchvision.transforms.v2.functional import rotate


def test_turns_are_torchvisions():
    images = torch.rand(8, 3, 16, 16)
    turns = torch.arange(8) % 4
    for image, count, ours in zip(images, turns, turned(images, turns), strict=True):
        assert torch.equal(ours, rotate(image, 90.0 * count.item()))


def test_four_turns_are_the_identity():
    images, one = torch.rand(4, 3, 9, 9), torch.ones(4, dtype=torch.int64)
    found = images
    for _ in range(4):
        found = turned(found, one)
    assert torch.equal(found, images)


def test_the_loss_is_the_cross_entropy_of_the_turn_of_each_image(make_method, seen_by_encoder):
    method, images = make_method("rotation").eval(), torch.rand(32, 3, 16, 16)

    seen, loss, metrics = seen_by_encoder(method, images)

    found = [
        next(turn for turn in range(4) if torch.equal(image.rot90(turn, (1, 2)), given))
        for image, given in zip(images, seen, strict=True)
    ]
    assert len(set(found)) == 4
    shares = method.head(method.encoder(seen)).double().softmax(dim=1)
    assert loss.item() == pytest.approx(-shares[torch.arange(32), found].log().mean().item(), rel=1e-5)
    assert metrics["accuracy"].item() == (shares.argmax(dim=1) == torch.tensor(found)).double().mean().item()


def test_all_turns_of_every_image(make_method, seen_by_encoder):
    method, images = make_method("rotation", turns="all").eval(), torch.rand(4, 3, 16, 16)
    seen, _, _ = seen_by_encoder(method, images)
    assert torch.equal(seen, torch.cat([images.rot90(turn, (2, 3)) for turn in range(4)]))


def test_it_learns_which_way_is_up(make_method, train, discs):
    sky = torch.linspace(0.4, 0, 16)[:, None]
    _, metrics = train(make_method("rotation"), (discs + sky).clamp(0, 1))
    assert metrics["accuracy"] > 0.6


def test_what_has_no_up_teaches_nothing(make_method, train):
    """Images that stay the same under a quarter turn, as those of cells nearly do: any answer is a guess."""
    corner = torch.rand(64, 3, 16, 16)
    same = sum(corner.rot90(turn, (2, 3)) for turn in range(4)) / 4
    losses, _ = train(make_method("rotation"), same, steps=20)
    assert min(losses) > 1.2  # log 4 is 1.386
