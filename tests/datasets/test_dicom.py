"""DICOM files: values, windows and colours as pydicom has them, and nothing of the patient."""

from __future__ import annotations

import json

import numpy as np
import pydicom
import pytest
from datasets.dicom_files import NAME, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut, apply_windowing
from pydicom.sequence import Sequence

from medssl_bench.datasets import decode as decoding
from medssl_bench.datasets import dicom
from medssl_bench.datasets.dicom import Window
from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.pixel_choices import Choices
from medssl_bench.datasets.value_range import RangeNeeded
from medssl_bench.errors import DataError

RNG = np.random.default_rng(0)
HU = RNG.integers(-1024, 1500, (16, 16)).astype(np.int16)
TWELVE = RNG.integers(0, 4096, (16, 16)).astype(np.uint16)
TWELVE[0, :2] = 0, 4095


def decode(path, chosen=None, *, frame=None, channels=1):
    choices = Choices(chosen, "crop", frame)
    return decoding.decode(path, 16, channels, strict=True, choices=choices)


def eight_bit(values, low, high):
    return np.rint(np.clip((values - low) / (high - low), 0, 1) * 255)


@pytest.mark.parametrize(("slope", "intercept"), [(1, -1024), (2.5, -300), (1, 0)])
def test_rescaled_values_as_pydicom_has_them(tmp_path, slope, intercept):
    path = write(tmp_path / "x.dcm", TWELVE, bits=12, RescaleSlope=slope, RescaleIntercept=intercept)
    data = pydicom.dcmread(path)

    wanted = eight_bit(apply_modality_lut(data.pixel_array, data), 0, 1000)

    np.testing.assert_allclose(decode(path, (0.0, 1000.0)).pixels, wanted, atol=1)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    centre=st.floats(-1000, 1000),
    width=st.floats(20, 3000),  # pydicom overflows at narrow sigmoids
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)
def test_windows_are_those_of_pydicom(centre, width, function):
    data = Dataset()
    data.WindowCenter, data.WindowWidth, data.VOILUTFunction = centre, width, function
    data.PhotometricInterpretation, data.BitsStored, data.PixelRepresentation = "MONOCHROME2", 16, 1
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    window = Window(float(data.WindowCenter), float(data.WindowWidth), function)

    wanted = (apply_windowing(HU, data) + 32768) / 65535

    np.testing.assert_allclose(window.shares(HU), wanted, atol=1e-6)


def test_the_window_of_a_file(tmp_path):
    elements = {"RescaleSlope": 1, "RescaleIntercept": -100, "WindowCenter": [40, 300], "WindowWidth": [400, 1500]}
    path = write(tmp_path / "x.dcm", HU, **elements)
    data = pydicom.dcmread(path)
    shown = apply_voi_lut(apply_modality_lut(data.pixel_array, data), data)

    np.testing.assert_allclose(decode(path, "window").pixels, eight_bit(shown, shown.min(), shown.max()), atol=1)
    with pytest.raises(ValueError, match="no window"):
        decode(write(tmp_path / "y.dcm", HU), "window")


def test_look_up_tables_of_a_file(tmp_path):
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.LUTData = (np.arange(4096) ** 2 // 257).astype(np.uint16).tobytes()
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    path = write(tmp_path / "x.dcm", TWELVE, bits=12, VOILUTSequence=Sequence([table]))
    data = pydicom.dcmread(path)

    wanted = apply_voi_lut(data.pixel_array, data) / 65535 * 255

    np.testing.assert_allclose(decode(path, "window").pixels, wanted, atol=1)


def test_monochrome1_is_inverted(tmp_path):
    chosen = (0.0, 4095.0)
    plain, inverted = (
        decode(write(tmp_path / f"{kind}.dcm", TWELVE, bits=12, kind=kind), chosen).pixels.astype(int)
        for kind in ("MONOCHROME2", "MONOCHROME1")
    )

    np.testing.assert_array_equal(inverted, 255 - plain)


def test_8_bits_stay_and_12_bits_are_scaled_by_their_range(tmp_path):
    eight = RNG.integers(0, 256, (16, 16)).astype(np.uint8)

    np.testing.assert_array_equal(decode(write(tmp_path / "8.dcm", eight)).pixels, eight)
    decoded = decode(write(tmp_path / "12.dcm", TWELVE, bits=12))
    np.testing.assert_array_equal(decoded.pixels, eight_bit(TWELVE, 0, 4095))
    assert (decoded.low, decoded.high, decoded.limit) == (0, 4095, 4095)


def test_hounsfield_units_need_a_range(tmp_path):
    signed = write(tmp_path / "a.dcm", HU)
    rescaled = write(
        tmp_path / "b.dcm", TWELVE, bits=12, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400
    )

    for path, low, high, window in ((signed, HU.min(), HU.max(), False), (rescaled, -1024, 3071, True)):
        with pytest.raises(RangeNeeded) as caught:
            decode(path)
        assert (caught.value.low, caught.value.high, caught.value.window) == (low, high, window)


def test_a_folder_of_scans_is_asked_about_and_then_read(tmp_path, context):
    for name, level in (("benign", 0), ("malignant", 200)):
        for index in range(10):
            values = RNG.integers(-100, 100, (16, 16)).astype(np.int16) + np.int16(level)
            write(tmp_path / "x" / name / f"IM{index:04}", values, WindowCenter=100, WindowWidth=500)

    with pytest.raises(DataError, match=r"20 of 20 images .* can be negative") as caught:
        folder(context, path=tmp_path / "x").info()
    assert 'say range = "window" (each file\'s own), range = [-100, 299]' in str(caught.value)

    images = folder(context, path=tmp_path / "x", size=16, range="window").load()["train"]
    means = [images.images[images.labels[:, 0] == label].mean() for label in (0, 1)]
    assert means[0] == pytest.approx((0 + 150) / 500 * 255, abs=5)
    assert means[1] == pytest.approx((200 + 150) / 500 * 255, abs=5)


def test_frames_by_index(tmp_path):
    path = write(tmp_path / "x.dcm", np.stack([TWELVE, TWELVE[::-1], TWELVE[:, ::-1]]), bits=12)

    np.testing.assert_array_equal(decode(path, frame=1).pixels, eight_bit(TWELVE[::-1], 0, 4095))
    with pytest.raises(ValueError, match=r"it holds 3 images; .* frame = 0"):
        decode(path)
    with pytest.raises(ValueError, match="frame = 3"):
        decode(path, frame=3)
    with pytest.raises(ValueError, match="it holds 1 image; frame = 1"):
        decode(write(tmp_path / "y.dcm", TWELVE, bits=12), frame=1)


def test_enhanced_files_say_rescale_and_window_for_each_frame(tmp_path):
    def group(intercept, centre):
        values, window, item = Dataset(), Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = 1, intercept
        window.WindowCenter, window.WindowWidth = centre, 400
        item.PixelValueTransformationSequence = Sequence([values])
        item.FrameVOILUTSequence = Sequence([window])
        return item

    frames = Sequence([group(0, 40), group(-1024, 300)])
    path = write(tmp_path / "x.dcm", np.stack([TWELVE, TWELVE]), bits=12, PerFrameFunctionalGroupsSequence=frames)

    np.testing.assert_allclose(decode(path, (0.0, 1000.0), frame=1).pixels, eight_bit(TWELVE - 1024.0, 0, 1000), atol=1)
    second = Window(300, 400, "LINEAR").shares(TWELVE - 1024.0) * 255
    np.testing.assert_allclose(decode(path, "window", frame=1).pixels, second, atol=1)


def test_padding_is_black_and_counts_in_no_percentile(tmp_path):
    values = HU.copy()
    values[:4] = -2000
    path = write(tmp_path / "x.dcm", values, PixelPaddingValue=-2000)

    pixels = decode(path, "percentile").pixels

    np.testing.assert_array_equal(pixels[:4], 0)
    np.testing.assert_array_equal(pixels[4:], eight_bit(values[4:], *np.percentile(values[4:], [0.5, 99.5])))


def test_colours(tmp_path):
    values = RNG.integers(0, 256, (16, 16, 3)).astype(np.uint8)
    path = write(tmp_path / "x.dcm", values, kind="RGB")

    assert decoding.is_colour(path)
    assert not decoding.is_colour(write(tmp_path / "y.dcm", TWELVE))
    np.testing.assert_array_equal(decode(path, channels=3).pixels, values)
    with pytest.raises(ValueError, match="in colour"):
        decode(path)


def test_what_is_no_image_is_refused(tmp_path):
    path = write(tmp_path / "x.dcm", TWELVE)
    data = pydicom.dcmread(path)
    del data.PixelData
    data.save_as(path)

    with pytest.raises(ValueError, match="DICOM without an image"):
        decode(path)
    (tmp_path / "y.dcm").write_bytes(b"text")
    with pytest.raises(Exception, match="DICOM"):
        decode(tmp_path / "y.dcm")


def test_bits_above_those_of_the_values_are_none_of_them(tmp_path):
    """Old files keep an overlay there."""
    overlay = TWELVE | (RNG.integers(0, 2, (16, 16)).astype(np.uint16) << 12)

    plain, overlaid = (decode(write(tmp_path / f"{n}.dcm", v, bits=12)) for n, v in enumerate((TWELVE, overlay)))

    np.testing.assert_array_equal(plain.pixels, overlaid.pixels)


def test_no_name_of_a_patient_is_even_read(tmp_path, context):
    for name in ("benign", "malignant"):
        for index in range(10):
            write(tmp_path / "x" / name / f"{index}.dcm", RNG.permutation(TWELVE), bits=12)
    path = tmp_path / "x" / "benign" / "0.dcm"
    assert NAME in str(pydicom.dcmread(path)), "it is in the file"

    assert "PatientName" not in dicom._read(path, pixels=True)
    found = folder(context, path=tmp_path / "x")
    told = json.dumps([str(found.info()), found.fingerprint()])
    kept = b"".join(file.read_bytes() for file in context.cache_dir.rglob("*") if file.is_file())
    assert "Dostoyevskaya" not in told
    assert b"Dostoyevskaya" not in kept
    assert b"4711" not in kept


def test_without_pydicom_a_line_says_what_to_install(tmp_path, context, monkeypatch):
    for name in ("benign", "malignant"):
        for index in range(10):
            write(tmp_path / "x" / name / f"{index}.dcm", TWELVE, bits=12)
    monkeypatch.setattr(dicom, "is_installed", lambda: False)

    with pytest.raises(DataError, match=r'pip install "medssl-bench\[dicom\]"'):
        folder(context, path=tmp_path / "x").info()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_errors_and_not_hangs(tmp_path, data):
    path, sound = tmp_path / "x.dcm", tmp_path / "sound.dcm"
    if not sound.exists():  # pydicom gives each file another number, of another length
        write(sound, TWELVE, bits=12, WindowCenter=40, WindowWidth=400)
    content = bytearray(sound.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(132, len(content) - 513))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), 300, 600]))])

    try:
        decoded = decode(path, "percentile")
    except Exception as error:  # noqa: BLE001 - told as this file's problem
        assert NAME not in str(error)  # noqa: PT017 - not every damage is an error
    else:
        assert decoded.pixels.shape == (16, 16)
