"""Ranges and fits that a suite chooses, against Pillow, tifffile and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from datasets.folder.folder_cases import TWO
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medssl_bench.datasets import decode as decoding
from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.pixel_choices import Choices, choices, proposed
from medssl_bench.datasets.value_range import eight_bit, percentile_range
from medssl_bench.errors import DataError

RNG = np.random.default_rng(0)


def decode(path, chosen, *, size=16, fit="crop", frame=None):
    return decoding.decode(path, size, 1, strict=True, choices=Choices(chosen, fit, frame)).pixels


def wanted(values, low, high):
    return np.rint(np.clip((values.astype(float) - low) / (high - low), 0, 1) * 255)


SIGNED = RNG.integers(-1000, 3000, (16, 16)).astype(np.int16)
FILES = {
    "unsigned PNG": RNG.integers(0, 4096, (16, 16)).astype(np.uint16),
    "unsigned TIFF": RNG.integers(0, 4096, (16, 16)).astype(np.uint16),
    "signed TIFF": SIGNED,
    "floating-point TIFF": (SIGNED / 1000).astype(np.float32),
    "32-bit TIFF": SIGNED.astype(np.int32) * 100,
    "8-bit PNG": RNG.integers(0, 100, (16, 16)).astype(np.uint8),
}


@pytest.fixture(params=FILES)
def file(request, tmp_path):
    """A file and its values, as tifffile and NumPy have them."""
    values = FILES[request.param]
    path = tmp_path / ("x.png" if "PNG" in request.param else "x.tif")
    if path.suffix == ".png":
        Image.fromarray(values).save(path)
    else:
        tifffile.imwrite(path, values)
        np.testing.assert_array_equal(tifffile.imread(path), values)
    return path, values


def test_a_range_of_ones_own(file):
    path, values = file
    low, high = float(np.quantile(values, 0.2)), float(np.quantile(values, 0.9))

    np.testing.assert_allclose(decode(path, (low, high)), wanted(values, low, high), atol=1)


def test_percentiles_of_each_image(file):
    path, values = file

    found = decode(path, "percentile")

    np.testing.assert_allclose(found, wanted(values, *np.percentile(values, [0.5, 99.5])), atol=1)
    assert (found.min(), found.max()) == (0, 255)


def test_the_full_range_of_the_type(file):
    path, values = file
    if values.dtype == np.float32:
        with pytest.raises(ValueError, match="floating-point"):
            decode(path, "full")
    elif values.dtype == np.int32:
        with pytest.raises(ValueError, match="negative pixels"):
            decode(path, "full")
    else:
        limits = np.iinfo(values.dtype)
        np.testing.assert_allclose(decode(path, "full"), wanted(values, limits.min, limits.max), atol=1)


def test_only_dicom_files_have_windows(file):
    with pytest.raises(ValueError, match="no window"):
        decode(file[0], "window")


def test_an_image_of_one_value_is_black_by_percentile(tmp_path):
    Image.fromarray(np.full((16, 16), 700, np.uint16)).save(tmp_path / "x.png")

    assert decode(tmp_path / "x.png", "percentile").max() == 0


def test_numbers_that_are_none_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.full((16, 16), np.nan, np.float32))

    with pytest.raises(ValueError, match="256 of its pixels are no numbers"):
        decode(tmp_path / "x.tif", (0.0, 1.0))


@given(st.lists(st.integers(-40_000, 70_000), min_size=2, max_size=50), st.integers(-50_000, 0), st.integers(1, 90_000))
@settings(deadline=None)
def test_8_bits_keep_the_order_of_values(values, low, span):
    values = np.sort(np.array(values))

    found = eight_bit(values, low, low + span).astype(int)

    assert (np.diff(found) >= 0).all()
    assert (found[values <= low] == 0).all()
    assert (found[values >= low + span] == 255).all()
    first, last = percentile_range(values)
    assert values.min() <= first <= last <= values.max()


@pytest.mark.parametrize("shape", [(24, 48), (48, 24), (20, 20)])
def test_pad_keeps_all_of_the_image_on_black(tmp_path, shape):
    values = RNG.integers(100, 256, shape).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "x.png")

    found = decode(tmp_path / "x.png", None, fit="pad")

    height, width = (round(side * 16 / max(shape)) for side in shape)
    top, left = (16 - height) // 2, (16 - width) // 2
    inner = np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(found[top : top + height, left : left + width], inner)
    outside = np.ones((16, 16), bool)
    outside[top : top + height, left : left + width] = False
    assert (found[outside] == 0).all()


def test_stretch_changes_the_shape(tmp_path):
    values = RNG.integers(0, 256, (24, 48)).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "x.png")

    expected = np.asarray(Image.fromarray(values).resize((16, 16), Image.Resampling.BICUBIC))

    np.testing.assert_array_equal(decode(tmp_path / "x.png", None, fit="stretch"), expected)


def test_pages_of_a_tiff_by_index(tmp_path):
    pages = RNG.integers(0, 256, (3, 16, 16)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", pages, photometric="minisblack")

    for index in range(3):
        np.testing.assert_array_equal(decode(tmp_path / "x.tif", None, frame=index), pages[index])
    with pytest.raises(ValueError, match="it holds 3 images; frame = 3"):
        decode(tmp_path / "x.tif", None, frame=3)


def test_16_bit_colours_count_as_16_bits(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", RNG.integers(0, 4096, (16, 16, 3)).astype(np.uint16), photometric="rgb")

    decoded = decoding.decode(tmp_path / "x.tif", 16, 3, strict=True)

    assert (decoded.limit, decoded.deep) == (65535, True)
    assert decoded.high < 4096
    with pytest.raises(ValueError, match="16-bit colours"):
        decoding.decode(tmp_path / "x.tif", 16, 3, strict=True, choices=Choices((0.0, 4095.0)))


# a folder


def fill(root, pixels, ending="png"):
    for label, name in enumerate(TWO):
        (root / name).mkdir(parents=True)
        for index in range(10):
            path = root / name / f"{index:02}.{ending}"
            values = pixels(label)
            tifffile.imwrite(path, values) if ending == "tif" else Image.fromarray(values).save(path)
    return root


def test_12_bits_in_16_are_asked_about_and_then_read(tmp_path, context):
    root = fill(tmp_path / "x", lambda label: (RNG.integers(0, 2048, (12, 12)) + 1500 * label).astype(np.uint16))

    with pytest.raises(DataError, match=r"say range = \[0, 4095\] \(all alike\) or range = \"percentile\""):
        folder(context, path=root).info()
    train = folder(context, path=root, size=12, range=[0, 4095]).load()["train"]
    means = [train.images[train.labels[:, 0] == label].mean() for label in (0, 1)]
    assert means[0] == pytest.approx(1024 / 16, abs=2)
    assert means[1] == pytest.approx(2524 / 16, abs=2)


def test_full_is_taken_at_its_word(tmp_path, context):
    root = fill(tmp_path / "x", lambda _: RNG.integers(0, 9000, (12, 12)).astype(np.uint16))

    with pytest.raises(DataError, match="nearly black"):
        folder(context, path=root).info()
    assert folder(context, path=root, size=12, range="full").load()["train"].images.max() == 35


def test_signed_values_are_told_with_the_range_of_all(tmp_path, context):
    values = RNG.integers(-1000, 400, (20, 12, 12)).astype(np.int16)
    left = iter(values)
    root = fill(tmp_path / "x", lambda _: next(left), "tif")

    with pytest.raises(DataError) as caught:
        folder(context, path=root).info()
    line = str(caught.value)
    assert f"20 of 20 images (benign/00.tif, say) have negative pixels: values go from {values.min()} to" in line
    assert f"say range = [{values.min()}, {values.max()}] (all alike)" in line


def test_images_that_each_use_little_of_their_range(tmp_path, context):
    levels = iter(range(0, 60_000, 3000))
    root = fill(tmp_path / "x", lambda _: (RNG.integers(0, 3000, (12, 12)) + next(levels)).astype(np.uint16))

    with pytest.raises(DataError, match="20 of 20 16-bit images: each uses a sixteenth"):
        folder(context, path=root).info()


def test_a_range_that_makes_them_black_is_refused(tmp_path, context):
    root = fill(tmp_path / "x", lambda _: RNG.integers(0, 4000, (12, 12)).astype(np.uint16))

    with pytest.raises(DataError, match=r"with range = \[5000, 9000\]: all 20 images would be of one value"):
        folder(context, path=root, range=[5000, 9000]).info()
    with pytest.raises(DataError, match=r"with range = \[0, 65535\]: .* nearly black; choose another"):
        folder(context, path=root, range=[0, 65535]).info()
    with pytest.raises(DataError, match="has nothing in it"):
        folder(context, path=root, range=[9, 9])


def test_one_range_for_8_and_16_bits_is_refused(tmp_path, context):
    root = fill(tmp_path / "x", lambda label: RNG.integers(0, 250, (12, 12)).astype(np.uint16 if label else np.uint8))

    with pytest.raises(DataError, match="10 of 20 images have more than 8 bits and the others have not"):
        folder(context, path=root, range=[0, 4095]).info()
    assert folder(context, path=root, range="percentile").info() is not None


def test_each_choice_has_a_cache_of_its_own(tmp_path, context):
    root = fill(tmp_path / "x", lambda _: RNG.integers(0, 250, (12, 20)).astype(np.uint8))

    read = [
        folder(context, path=root, size=12, **chosen).load()["train"].images.tobytes()
        for chosen in (
            {},
            {"fit": "pad"},
            {"fit": "stretch"},
            {"range": [0, 100]},
            {"range": "percentile"},
            {"fit": "crop"},
        )
    ]

    assert len(set(read)) == 5
    assert read[0] == read[-1]


def test_what_is_proposed():
    assert "range = [0, 4095]" in proposed(1500, 3547)
    assert "range = [-1000, 699]" in proposed(-1000, 699)
    assert "range = [0, 1]" in proposed(0, 1)
    assert "range = [0, 0.25]" in proposed(0, 0.25)
    assert 'range = "window"' in proposed(0, 1000, windows=True)
    assert choices("x", [0, 1], "crop", None) == Choices((0, 1), "crop", None)
