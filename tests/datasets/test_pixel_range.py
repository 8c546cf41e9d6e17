"""Values that use little of the range of their files: told with what they use, before they become black."""

from __future__ import annotations

import numpy as np
import pytest
from datasets.folder.folder_cases import TWO, classes, image
from PIL import Image, TiffImagePlugin

from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.npz.dataset import npz
from medssl_bench.errors import DataError

RNG = np.random.default_rng(0)


def fill(root, pixels, ending="png", **options):
    """Write 10 images in each of two classes; `pixels` is called with the class number."""
    for label, name in enumerate(TWO):
        (root / name).mkdir(parents=True)
        for index in range(10):
            made = pixels(label)
            made = made if isinstance(made, Image.Image) else Image.fromarray(made)
            made.save(root / name / f"{index:02}.{ending}", **options)
    return root


def random(low, high, dtype=np.uint8, shape=(12, 12)):
    return RNG.integers(low, high, shape).astype(dtype)


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 4096), (1500, 3548), (0, 16384), (30_000, 36_000), (0, 255)],
    ids=["12 bits", "a window", "14 bits", "an offset", "8 bits"],
)
def test_16_bit_images_that_use_less_than_half_of_their_range(tmp_path, context, ending, low, high):
    root = fill(tmp_path / "x", lambda _: random(low, high, np.uint16), ending)
    files = np.array([np.asarray(Image.open(path)) for path in root.rglob(f"*.{ending}")])

    with pytest.raises(DataError) as caught:
        folder(context, path=root).info()

    assert f"20 16-bit images: values go from {files.min()} to {files.max()} of 0..65535" in str(caught.value)
    assert ("nearly black" in str(caught.value)) is (high < 20_000)


def test_16_bit_images_that_use_their_range_are_read(tmp_path, context):
    root = fill(tmp_path / "x", lambda label: random(0, 30_000 + 35_000 * label, np.uint16))

    images = folder(context, path=root, size=12).load()["train"].images

    assert images.max() > 240


def test_a_12_bit_image_among_16_bit_ones(tmp_path, context):
    root = fill(tmp_path / "x", lambda _: random(0, 65_000, np.uint16))
    Image.fromarray(random(0, 4000, np.uint16)).save(root / "benign" / "odd.png")

    with pytest.raises(DataError, match=r"1 of 21 16-bit images \(benign/odd.png, say\): values go from \d+ to 39"):
        folder(context, path=root).info()


@pytest.mark.parametrize(
    ("pixels", "used"),
    [
        (lambda _: random(0, 2), "values go from 0 to 1 of 0..255"),
        (lambda _: random(0, 16), "values go from 0 to 15 of 0..255"),
        (lambda _: random(0, 16, shape=(12, 12, 3)), "values go from 0 to 15 of 0..255"),
        (lambda label: random(0, 255 - 253 * label), "10 images of malignant: values go from 0 to 1 of 0..255"),
        (lambda label: random(0, 255) * (1 - label), "all 10 images of malignant are black"),
    ],
    ids=["a mask", "4 bits", "RGB", "masks as a class", "black masks as a class"],
)  # fmt: skip
def test_8_bit_images_that_would_be_black(tmp_path, context, pixels, used):
    root = fill(tmp_path / "x", pixels)

    with pytest.raises(DataError) as caught:
        folder(context, path=root).info()

    assert used in str(caught.value)


def test_dark_and_flat_images_are_noted(tmp_path, context):
    classes(tmp_path / "x")
    image(tmp_path / "x" / "benign" / "dark.png", spread=9)
    Image.new("L", (12, 12), 70).save(tmp_path / "x" / "benign" / "flat.png")

    for _ in range(2):  # from the files, and from the cache
        notes = folder(context, path=tmp_path / "x").info().notes
        assert "1 image is nearly black, with values up to 8 of 0..255 (benign/dark.png, say)" in notes
        assert "1 image is of one value in all pixels (benign/flat.png, say)" in notes


def signed_tiff(path, values):
    """Write 16-bit signed pixels, which Pillow itself does not write: as unsigned ones, with tag 339 (format) 2."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[339] = 2
    Image.fromarray(values.astype(np.int16).view(np.uint16)).save(path, tiffinfo=tags)


def test_signed_pixels_are_refused_for_what_they_are(tmp_path, context):
    root = fill(tmp_path / "x", lambda _: random(0, 200))
    values = RNG.integers(-1000, 400, (12, 12))
    signed_tiff(root / "benign" / "hu.tif", values)

    with pytest.raises(DataError) as caught:
        folder(context, path=root).info()

    wanted = (
        f"1 of 21 images (benign/hu.tif, say) have negative pixels: values go from {values.min()} to {values.max()}"
    )
    assert wanted in str(caught.value)
    assert 'range = "percentile"' in str(caught.value)
    assert "range = [" not in str(caught.value), "one range cannot be right for the others, of 8 bits, too"


def test_values_beyond_16_bits_and_floats_are_told(tmp_path, context):
    root = fill(tmp_path / "x", lambda _: random(0, 200))
    Image.fromarray(np.full((8, 8), 2**20, np.int32)).save(root / "benign" / "a.tif")
    Image.fromarray(np.linspace(-1, 2.5, 64, dtype=np.float32).reshape(8, 8)).save(root / "benign" / "b.tif")

    with pytest.raises(DataError) as caught:
        folder(context, path=root).info()

    assert "2 of 22 images (benign/a.tif, say) have more than 16 bits a pixel: values go from -1 to " in str(
        caught.value
    )


def test_white_that_is_zero_is_not_read_as_black(tmp_path, context):
    """Pillow inverts 8-bit images of this kind, but not 16-bit ones."""
    root = fill(tmp_path / "x", lambda _: random(0, 65_000, np.uint16), "tif")
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    path = root / "benign" / "inverted.tif"
    Image.fromarray(random(0, 65_000, np.uint16)).save(path, tiffinfo=tags)
    with Image.open(path) as opened:
        if opened.tag_v2[262] != 0:  # this Pillow writes its own
            pytest.skip("cannot write such a file")

    with pytest.raises(DataError, match="its smallest value is white"):
        folder(context, path=root).info()


def test_colour_profiles_are_noted(tmp_path, context):
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    root = fill(tmp_path / "x", lambda _: random(0, 255), icc_profile=srgb)
    assert not any("profile" in note for note in folder(context, path=root).info().notes)

    image(root / "benign" / "x.png")
    Image.open(root / "benign" / "x.png").save(root / "benign" / "x.png", icc_profile=lab)

    notes = folder(context, path=root).info().notes
    assert "1 image has a colour profile other than sRGB, which is not applied" in notes


@pytest.mark.parametrize(
    ("convert", "told"),
    [
        (lambda a: a.astype(np.uint16) * 16, "uint16, whose values go from 0 to 4080 of 0..65535 (rescale"),
        (lambda a: a.astype(np.int16) - 1000, "int16, whose values go from -1000 to -745 of -32768..32767 (rescale"),
        (lambda a: a / 255, "float64, whose values go from 0 to 1 (multiply by 255"),
        (lambda a: a.astype(np.float32), "float32, whose values go from 0 to 255 (round"),
        (lambda a: a / 100, "float64, whose values go from 0 to 2.55 (round"),
        (lambda a: a - 3.0, "float64, whose values go from -3 to 252 (rescale"),
        (lambda a: np.where(a == 7, np.nan, a), "float64, whose values go from 0 to 255 (round"),
        (lambda a: a > 100, "bool, which is no range of grey"),
        (lambda a: (a > 100).astype(np.uint8), "values go from 0 to 1 of 0..255, so they would be nearly black"),
        (lambda a: a // 16, "values go from 0 to 15 of 0..255, so they would be nearly black"),
        (lambda a: a * 0, "all 9 images of label 0 are black"),
    ],
)
def test_npz_arrays_are_refused_with_the_range_that_they_use(tmp_path, context, arrays, convert, told):
    for split in ("train", "val", "test"):
        images = arrays[f"{split}_images"]
        images[0, 0, :2] = 0, 255
        arrays[f"{split}_images"] = convert(images)
    np.savez(tmp_path / "own.npz", **arrays)

    for act in ("info", "load"):
        with pytest.raises(DataError) as caught:
            getattr(npz(context, path=tmp_path / "own.npz"), act)()
        assert told in str(caught.value)
