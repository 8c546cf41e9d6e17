from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medssl_bench.datasets import decode as decoding
from medssl_bench.datasets.decode import is_colour


def decode(path, size, channels, *, strict):
    return decoding.decode(path, size, channels, strict=strict).pixels


@pytest.fixture
def save(tmp_path):
    """Save an image and return its path."""

    def save(image, name="image.png", **options):
        image = image if isinstance(image, Image.Image) else Image.fromarray(image)
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return save


RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (16, 16), dtype=np.uint8)
RGB = RNG.integers(0, 256, (16, 16, 3), dtype=np.uint8)


def test_pixels_of_an_image_of_the_right_size_stay(save):
    np.testing.assert_array_equal(decode(save(GREY), 16, 1, strict=True), GREY)
    np.testing.assert_array_equal(decode(save(RGB), 16, 3, strict=True), RGB)


def test_grey_becomes_three_equal_channels(save):
    np.testing.assert_array_equal(decode(save(GREY), 16, 3, strict=True), GREY[..., None].repeat(3, -1))


def test_colour_becomes_luma(save):
    grey = decode(save(RGB), 16, 1, strict=False)

    assert grey.shape == (16, 16)
    np.testing.assert_allclose(grey, RGB @ [0.299, 0.587, 0.114], atol=0.51)


def test_colour_is_not_made_grey_unasked(save):
    with pytest.raises(ValueError, match="in colour"):
        decode(save(RGB), 16, 1, strict=True)


def test_shrinking_is_antialiased(save):
    """Stripes finer than the new pixels average out; picking every fourth pixel would give black or white."""
    stripes = np.tile(np.uint8([0, 255]), (64, 32))

    small = decode(save(stripes), 16, 1, strict=True)

    np.testing.assert_allclose(small[:, 1:-1], 127.5, atol=2)


@pytest.mark.parametrize("wide", [True, False])
def test_the_middle_square_is_kept(save, wide):
    """Three squares in a row, of grey 50, 100 and 150: the middle one stays."""
    row = np.repeat(np.uint8([50, 100, 150]), 32)[None].repeat(32, 0)

    small = decode(save(row if wide else np.ascontiguousarray(row.T)), 8, 1, strict=True)

    assert small.shape == (8, 8)
    np.testing.assert_allclose(
        small, 100, atol=5
    )  # at its edges the neighbours shine through, as resizing first has it


def test_the_middle_square_is_that_of_resizing_first(save):
    image = Image.fromarray(GREY).resize((96, 64), Image.Resampling.BICUBIC)
    first = np.asarray(image.resize((48, 32), Image.Resampling.BICUBIC))[:, 8:40]

    np.testing.assert_array_equal(decode(save(image), 32, 1, strict=True), first)


def test_the_orientation_of_exif_is_applied(save):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise

    np.testing.assert_array_equal(decode(save(GREY, exif=exif), 16, 1, strict=True), np.rot90(GREY, -1))


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_16_bits_are_scaled_not_clipped(save, name):
    levels = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)

    decoded = decode(save(levels, name), 16, 1, strict=True)

    np.testing.assert_array_equal(decoded, np.arange(256).reshape(16, 16))
    assert not is_colour(save(levels, name))


def test_32_bit_integers_within_16_bits_are_scaled_and_others_refused(save):
    levels = (np.arange(256, dtype=np.int32) * 257).reshape(16, 16)

    np.testing.assert_array_equal(decode(save(levels, "a.tiff"), 16, 1, strict=True), np.arange(256).reshape(16, 16))
    with pytest.raises(ValueError, match="more than 16 bits"):
        decode(save(levels + 1, "b.tiff"), 16, 1, strict=True)


def test_floating_point_pixels_are_refused(save):
    with pytest.raises(ValueError, match="floating-point"):
        decode(save(GREY.astype(np.float32), "a.tiff"), 16, 1, strict=True)


def test_black_and_white(save):
    np.testing.assert_array_equal(decode(save(GREY > 127), 16, 1, strict=True), (GREY > 127) * np.uint8(255))


def test_cmyk_inks_become_light(save):
    white, cyan = Image.new("CMYK", (16, 16), (0, 0, 0, 0)), Image.new("CMYK", (16, 16), (255, 0, 0, 0))

    np.testing.assert_array_equal(decode(save(white, "a.tiff"), 16, 3, strict=True), 255)
    assert decode(save(cyan, "a.tiff"), 16, 3, strict=True)[0, 0].tolist() == [0, 255, 255]


def test_palettes_are_looked_up(save):
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])

    path = save(image)

    assert is_colour(path)
    assert decode(path, 16, 3, strict=True)[3, 3].tolist() == [200, 100, 50]


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (Image.new("RGBA", (16, 16), (200, 100, 50, 0)), {}),
        (Image.new("LA", (16, 16), (200, 0)), {}),
        (Image.new("L", (16, 16), 7), {"transparency": 7}),
        (Image.new("P", (16, 16), 1), {"transparency": 1}),
    ],
)
def test_transparent_parts_are_black(save, image, options):
    if image.mode == "P":
        image.putpalette([0, 0, 0, 200, 100, 50, 9, 9, 9])

    seen = image.copy()
    seen.putpixel((15, 15), {"RGBA": (9, 9, 9, 255), "LA": (9, 255), "L": 9, "P": 2}[image.mode])

    np.testing.assert_array_equal(decode(save(seen, **options), 16, 3, strict=True)[:15], 0)


def test_an_image_that_is_transparent_all_over_is_refused(save):
    """What is under full transparency may be anything: it would become a black image."""
    for image in (Image.new("RGBA", (16, 16), (200, 100, 50, 0)), Image.new("LA", (16, 16), (200, 0))):
        with pytest.raises(ValueError, match="transparent all over"):
            decode(save(image), 16, 3, strict=True)


def test_half_transparent_grey(save):
    decoded = decode(save(Image.new("LA", (16, 16), (200, 128))), 16, 1, strict=True)

    np.testing.assert_allclose(decoded, 100, atol=1)


def test_several_images_in_a_file_are_refused(save):
    path = save(Image.fromarray(GREY), "a.tiff", save_all=True, append_images=[Image.fromarray(GREY)])

    with pytest.raises(ValueError, match="it holds 2 images"):
        decode(path, 16, 1, strict=True)


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (GREY, False),
        (RGB, True),
        (GREY > 127, False),
        (Image.new("LA", (8, 8)), False),
        (Image.new("RGBA", (8, 8)), True),
    ],
)
def test_is_colour(save, image, colour):
    assert is_colour(save(image)) is colour


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    size=st.integers(8, 33),
    channels=st.sampled_from([1, 3]),
)
def test_every_image_becomes_a_square_of_the_asked_kind(tmp_path, mode, width, height, size, channels):
    buffer = io.BytesIO()
    Image.new(mode, (width, height)).save(buffer, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(buffer.getvalue())

    decoded = decode(path, size, channels, strict=False)

    assert decoded.shape == ((size, size) if channels == 1 else (size, size, 3))
    assert decoded.dtype == np.uint8
