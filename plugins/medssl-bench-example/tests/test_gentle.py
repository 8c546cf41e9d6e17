import torch
from medssl_bench_example import gentle

from medssl_bench.augmentations.views import draw_view


def test_a_view_has_the_size_asked_for_and_stays_in_range() -> None:
    images = torch.rand(8, 3, 28, 28)
    view = draw_view(gentle(20), images, key=1)
    assert view.shape == (8, 3, 20, 20)
    assert 0 <= view.min() <= view.max() <= 1


def test_the_same_key_draws_the_same_view() -> None:
    images, module = torch.rand(8, 3, 28, 28), gentle(28)
    assert torch.equal(draw_view(module, images, key=1), draw_view(module, images, key=1))
    assert not torch.equal(draw_view(module, images, key=1), draw_view(module, images, key=2))


def test_blur_smooths() -> None:
    images = torch.rand(64, 3, 28, 28)

    def roughness(blur: float) -> float:
        return float(draw_view(gentle(28, blur=blur), images, key=1).diff(dim=-1).abs().mean())

    assert roughness(2.0) < roughness(0.11)
