"""Corruptions, each beside another implementation, and what holds of all of them."""

import io

import numpy as np
import pytest
import torch
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv
from PIL import Image, ImageEnhance
from scipy.ndimage import convolve
from scipy.stats import norm, poisson

from medssl_bench.augmentations.corruptions.blur import DefocusBlur, MotionBlur, disc
from medssl_bench.augmentations.corruptions.catalogue import CORRUPTIONS, SEVERITIES, parameters, usual
from medssl_bench.augmentations.corruptions.digital import JpegCompression, Pixelate, Saturate
from medssl_bench.augmentations.corruptions.make import corrupted
from medssl_bench.augmentations.corruptions.noise import ImpulseNoise, ShotNoise, SpeckleNoise
from medssl_bench.augmentations.corruptions.spots import Bubble, StainDeposit
from medssl_bench.augmentations.op import Op


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    """Return smooth colour images with a dark disc in the middle."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:28, :28]
    far = np.hypot(rows - 13.5, columns - 13.5)
    base = np.where(far < 8, 90, 210)[None, :, :, None] + rng.integers(-20, 20, (6, 1, 1, 3))
    return (base + rng.normal(0, 4, (6, 28, 28, 3))).clip(0, 255).astype(np.uint8)


def changed(op: Op, images: torch.Tensor, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    uniforms = torch.rand(len(images), op.draws(*images.shape[1:]), generator=random)
    return op.transform(images.clone(), uniforms), uniforms


def test_speckle_is_normal_noise_in_proportion_to_the_value() -> None:
    images = torch.rand(4, 3, 9, 9) * 0.5
    found, uniforms = changed(SpeckleNoise(0.1), images)
    normal = norm.ppf(uniforms.double().numpy() + 2.0**-25).reshape(images.shape)
    np.testing.assert_allclose(found.numpy(), (images.numpy() * (1 + 0.1 * normal)).clip(0, 1), atol=1e-3)


def test_shot_noise_is_the_poisson_quantile() -> None:
    images = torch.rand(4, 3, 9, 9)
    found, uniforms = changed(ShotNoise(25), images)
    counts = poisson.ppf(uniforms.double().numpy().reshape(images.shape), images.double().numpy() * 25)
    np.testing.assert_allclose(found.numpy(), (counts / 25).clip(0, 1), atol=1e-6)


def test_impulse_noise_changes_a_share_of_the_values_to_black_and_white() -> None:
    found, _ = changed(ImpulseNoise(0.1), torch.full((40, 3, 28, 28), 0.5))
    shares = [float((found == value).float().mean()) for value in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([0.05, 0.9, 0.05], abs=3e-3)


def test_a_disc_covers_its_area() -> None:
    for radius in (0.7, 1.5, 2.3):
        kernel = disc(radius)
        assert float(kernel.sum()) == pytest.approx(1)
        assert torch.equal(kernel, kernel.T)
        assert torch.equal(kernel, kernel.flip(0))
        assert 1 / float(kernel.max()) == pytest.approx(np.pi * radius**2, rel=0.03)  # the middle is covered wholly


def test_defocus_is_the_convolution_with_a_disc() -> None:
    images = torch.rand(2, 3, 12, 12)
    found, _ = changed(DefocusBlur(1.8), images)
    kernel = disc(1.8).numpy()
    wanted = [[convolve(channel, kernel, mode="mirror") for channel in image] for image in images.numpy()]
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-5)


def test_motion_keeps_the_mean_and_blurs_along_its_line_alone() -> None:
    dot = torch.zeros(1, 1, 41, 41)
    dot[0, 0, 20, 20] = 1
    across = MotionBlur(3.0).transform(dot, torch.tensor([[0.5]]))[0, 0]  # no angle: horizontal
    assert float(across.sum()) == pytest.approx(1, abs=1e-3)
    assert float(across[20].sum()) == pytest.approx(1, abs=1e-3)
    places = torch.arange(41) - 20
    deviation = float((across[20] * places**2).sum().sqrt())
    assert deviation == pytest.approx(3.0, rel=0.1)  # the line ends at 2.5 deviations
    tilted = MotionBlur(3.0).transform(dot, torch.tensor([[1.0]]))[0, 0]  # 45 degrees
    torch.testing.assert_close(tilted, tilted.T, atol=1e-4, rtol=0)


@pytest.mark.parametrize("share", [0.8, 0.6, 0.5, 0.4])
def test_pixelate_takes_means_over_areas(cells: np.ndarray, share: float) -> None:
    found, _ = changed(Pixelate(share), torch.from_numpy(cells).permute(0, 3, 1, 2).float() / 255)
    fewer = int(28 * share)
    image = cells[0, ..., 0] / 255
    fine = np.kron(image, np.ones((fewer, fewer)))  # both grids divide this one
    coarse = fine.reshape(fewer, 28, fewer, 28).mean((1, 3))
    wanted = np.kron(coarse, np.ones((28, 28))).reshape(28, fewer, 28, fewer).mean((1, 3))
    np.testing.assert_allclose(found[0, 0].numpy(), wanted, atol=1e-6)


def test_pixelate_by_half_is_pillows_box_filter(cells: np.ndarray) -> None:
    found = corrupted(cells, "pixelate", 3)
    wanted = Image.fromarray(cells[0]).resize((14, 14), Image.Resampling.BOX).resize((28, 28), Image.Resampling.BOX)
    assert np.abs(found[0].astype(int) - np.asarray(wanted)).max() <= 1


def test_jpeg_is_pillows(cells: np.ndarray) -> None:
    found = corrupted(cells, "jpeg_compression", 3)
    file = io.BytesIO()
    Image.fromarray(cells[2]).save(file, "JPEG", quality=15)
    assert np.array_equal(found[2], np.asarray(Image.open(file)))
    grey, _ = changed(JpegCompression(15), torch.from_numpy(cells[..., :1]).permute(0, 3, 1, 2).float() / 255)
    file = io.BytesIO()
    Image.fromarray(cells[1, ..., 0]).save(file, "JPEG", quality=15)
    assert np.array_equal((grey[1, 0] * 255).round().numpy(), np.asarray(Image.open(file)))


def test_saturate_adds_to_the_saturation() -> None:
    images = torch.rand(3, 3, 9, 9)
    found, _ = changed(Saturate(0.2), images)
    hsv = rgb_to_hsv(images.permute(0, 2, 3, 1).double().numpy())
    hsv[..., 1] = (hsv[..., 1] + 0.2).clip(0, 1)
    np.testing.assert_allclose(found.permute(0, 2, 3, 1).numpy(), hsv_to_rgb(hsv), atol=1e-5)
    grey = torch.rand(2, 1, 5, 5).expand(-1, 3, -1, -1)
    torch.testing.assert_close(changed(Saturate(0.2), grey)[0], grey)


@pytest.mark.parametrize(
    ("name", "enhance"), [("brightness", ImageEnhance.Brightness), ("contrast", ImageEnhance.Contrast)]
)
@pytest.mark.parametrize("way", ["up", "down"])
def test_brightness_and_contrast_are_pillows(cells: np.ndarray, name: str, enhance: type, way: str) -> None:
    found = corrupted(cells, f"{name}_{way}", 4)
    (factor,) = parameters(f"{name}_{way}", [4])
    wanted = np.asarray(enhance(Image.fromarray(cells[0])).enhance(factor)).astype(int)
    assert np.abs(found[0] - wanted).max() <= 2  # Pillow rounds the mean grey value


def test_marks_darken_and_bubbles_whiten_a_part() -> None:
    images = torch.full((30, 3, 28, 28), 0.5)
    marks, _ = changed(StainDeposit(3), images)
    bubbles, _ = changed(Bubble(0.07), images)
    assert (marks <= 0.5 + 1e-6).all()
    assert (bubbles >= 0.5 - 1e-6).all()
    for found in (marks, bubbles):
        share = ((found - 0.5).abs() > 0.01).any(1).float().mean((1, 2))
        assert 0 < share.max() < 0.5
    assert (marks == marks[:, :1]).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_it_is_stronger_from_severity_to_severity(cells: np.ndarray, name: str) -> None:
    apart = [np.abs(corrupted(cells, name, severity).astype(int) - cells).mean() for severity in SEVERITIES]
    if name in {"stain_deposit", "pixelate"}:  # chance decides the marks; edges can lie well for some pixels
        assert apart[4] > apart[0] > 0
        return
    assert all(np.diff(apart) > 0), apart
    assert apart[0] > 0


@pytest.mark.parametrize("name", [*usual(1), "stain_deposit", "bubble"])
def test_grey_images_stay_grey(cells: np.ndarray, name: str) -> None:
    grey = cells[..., 0]
    found = corrupted(grey, name, 5)
    assert found.shape == grey.shape
    assert found.dtype == np.uint8
    assert not np.array_equal(found, grey)


@pytest.mark.parametrize("name", ["gaussian_noise", "motion_blur", "bubble"])
def test_corruption_severity_and_place_decide_what_chance_does(name: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (520, 8, 8, 3), dtype=np.uint8)  # two batches
    whole = corrupted(images, name, 2)
    assert np.array_equal(whole, corrupted(images, name, 2))
    assert np.array_equal(whole[:5], corrupted(images[:5], name, 2))  # the other images do not matter
    same = np.repeat(images[:1], 520, 0)
    found = corrupted(same, name, 2)
    assert not np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[512])


def test_which_are_usual() -> None:
    assert set(usual(3)) == set(CORRUPTIONS) - {"stain_deposit", "bubble"}
    assert set(usual(None)) == set(usual(3))
    assert set(usual(3)) - set(usual(1)) == {"saturate"}
