"""In- and out-painting: boxes of a plain loop, what is kept, and how often a further box comes."""

import numpy as np
import pytest
import torch
from medssl_bench_methods.ops.painting import Inpaint, Outpaint


def boxes_by_hand(uniforms, op, height, width, always):
    """Return which pixels lie in the boxes of one image."""
    inside = np.zeros((height, width), bool)
    for number, (more, tall, wide, down, right) in enumerate(uniforms[: 5 * op.boxes].reshape(-1, 5)):
        if number >= always and more >= 0.95:
            break
        slices = []
        for length, start, total in ((tall, down, height), (wide, right, width)):
            long = min(max(int(np.round((op.sides[0] + length * (op.sides[1] - op.sides[0])) * total)), 1), total)
            margin = min((total - long) // 2, round(3 / 64 * total))
            first = margin + int(start * (total - long - 2 * margin + 1))
            slices.append(slice(first, first + long))
        inside[tuple(slices)] = True
    return inside


@pytest.mark.parametrize("shape", [(28, 28), (64, 40), (9, 12)])
@pytest.mark.parametrize(("op", "always"), [(Inpaint(), 0), (Outpaint(), 1), (Inpaint(3, (0.5, 1.0)), 0)])
def test_boxes_are_those_of_a_plain_loop(op, always, shape):
    numbers = np.random.default_rng(0)
    images = torch.tensor(numbers.random((40, 3, *shape), np.float32)) / 2 + 2  # noise is below 1
    uniforms = numbers.random((40, op.draws(3, *shape)), np.float32)
    uniforms[::4, 5] = 0.99  # no second box

    painted = op.transform(images, torch.tensor(uniforms))

    for image, drawn, found in zip(images, uniforms, painted, strict=True):
        inside = torch.tensor(boxes_by_hand(drawn, op, *shape, always))
        kept = ~inside if always == 0 else inside
        noise = torch.tensor(drawn[5 * op.boxes :].reshape(shape))
        assert torch.equal(found, torch.where(kept, image, noise))


def test_a_chain_of_boxes_ends_with_the_first_that_does_not_come():
    op = Inpaint(5, (1.0, 1.0))
    images = torch.full((2, 1, 8, 8), 0.5)
    uniforms = torch.full((2, op.draws(1, 8, 8)), 0.25)
    uniforms[0, 0] = 0.99

    painted = op.transform(images, uniforms)

    assert torch.equal(painted[0], images[0])
    assert (painted[1] == 0.25).all()


def test_out_painting_always_keeps_something():
    op = Outpaint()
    uniforms = torch.rand(500, op.draws(1, 28, 28))
    uniforms[:, :25:5] = 0.99
    kept = (op.transform(torch.full((500, 1, 28, 28), 2.0), uniforms) == 2).flatten(1).float().mean(dim=1)

    assert kept.min() > 0.15  # 12 of 28 pixels squared are 0.18
    assert kept.max() < 0.35


def test_grey_images_stay_grey():
    images = torch.rand(8, 1, 28, 28).expand(-1, 3, -1, -1)
    for op in (Inpaint(), Outpaint()):
        painted = op.transform(images, torch.rand(8, op.draws(3, 28, 28)))
        assert torch.equal(painted[:, 0], painted[:, 1])
        assert torch.equal(painted[:, 0], painted[:, 2])
