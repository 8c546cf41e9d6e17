"""Context restoration and Models Genesis: what is distorted, what it is compared with, and that they learn."""

import pytest
import torch
from medssl_bench_methods.decoder import Decoder, explained
from medssl_bench_methods.ops.painting import Inpaint, Outpaint
from medssl_bench_methods.restoration.restoring import Paint
from sklearn.metrics import r2_score

from medssl_bench.errors import StageError

BOTH = pytest.mark.parametrize("name", ["context_restoration", "genesis"])


@BOTH
def test_the_loss_is_the_squared_difference_to_the_image_itself(name, make_method, seen_by_encoder):
    method, images = make_method(name).eval(), torch.rand(8, 3, 16, 16)

    seen, loss, metrics = seen_by_encoder(method, images)

    drawn = method.decoder(method.encoder(seen)).double()
    assert loss.item() == pytest.approx(((drawn - images) ** 2).mean().item(), rel=1e-5)
    assert not torch.equal(seen, images)
    channels = [array.double().transpose(0, 1).flatten(1).T.detach().numpy() for array in (images, drawn)]
    share = r2_score(*channels, multioutput="variance_weighted")
    assert metrics["explained"].item() == pytest.approx(share, abs=1e-5)


@BOTH
def test_its_view_has_the_geometry_alone(name, make_method):
    (view,) = make_method(name).views()
    assert not view.intensity


@BOTH
def test_it_learns_to_restore(name, make_method, train, discs):
    losses, metrics = train(make_method(name), discs)
    assert losses[-1] < 0.4 * losses[0]
    assert metrics["explained"] > 0.2  # more than the mean of the images


def test_context_restoration_keeps_the_histogram(make_method, seen_by_encoder):
    images = torch.rand(8, 3, 16, 16)
    seen, _, _ = seen_by_encoder(make_method("context_restoration"), images)
    assert torch.equal(seen.flatten(2).sort(dim=2).values, images.flatten(2).sort(dim=2).values)


def test_rates_of_nothing_distort_nothing(make_method, seen_by_encoder):
    images = torch.rand(8, 3, 16, 16)
    seen, _, _ = seen_by_encoder(make_method("genesis", shuffle=0.0, intensity=0.0, paint=0.0), images)
    assert torch.equal(seen, images)


def test_painting_is_inside_or_outside_at_its_rate():
    op, images = Paint(0.25, p=1.0), torch.full((4000, 1, 12, 12), 2.0)
    uniforms = torch.rand(4000, op.draws(1, 12, 12), generator=torch.Generator().manual_seed(0))
    painted = op.transform(images, uniforms)
    inside, outside = (kind.transform(images, uniforms[:, 1:]) for kind in (Inpaint(), Outpaint()))
    first = uniforms[:, 0] < 0.25
    assert torch.equal(painted[first], inside[first])
    assert torch.equal(painted[~first], outside[~first])
    assert first.float().mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("size", [4, 7, 16, 28, 64])
def test_the_decoder_draws_images_of_every_size(size):
    drawn = Decoder(12, size)(torch.randn(3, 12))
    assert drawn.shape == (3, 3, size, size)
    assert ((drawn >= 0) & (drawn <= 1)).all()


def test_the_decoder_costs_less_than_a_fifth_of_a_resnet18():
    from torch.utils.flop_counter import FlopCounterMode

    from medssl_bench.encoders.timm_encoder import TimmEncoder

    counts = []
    for module, given in ((TimmEncoder("resnet18", 28), (1, 3, 28, 28)), (Decoder(512, 28), (1, 512))):
        with FlopCounterMode(display=False) as counter:
            module.eval()(torch.zeros(given))
        counts.append(counter.get_total_flops())
    assert counts[1] < 0.2 * counts[0]


def test_hidden_pixels_alone_are_explained_where_they_alone_count():
    images, drawn = torch.rand(4, 3, 8, 8), torch.rand(4, 3, 8, 8)
    mask = torch.rand(4, 1, 8, 8) < 0.5
    changed = torch.where(mask, drawn, 1 - drawn)
    torch.testing.assert_close(explained(drawn, images, mask), explained(changed, images, mask))


def test_patches_that_do_not_fit_are_refused_in_one_line(make_method):
    with pytest.raises(StageError, match="two patches of 9 pixels do not fit side by side into views of 16 pixels"):
        make_method("context_restoration", patch=9)
