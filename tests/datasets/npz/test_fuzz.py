"""npz files spoilt at random: they are read right or refused in one line, and never fill the memory."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medssl_bench.datasets.npz.dataset import npz
from medssl_bench.errors import DataError, printable

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MEMORY = 64 << 20
"""Bytes that reading a file of a few kilobytes may take at most."""

LENGTHS = st.sampled_from([0, 1, 2, 3, 8, 9, 12, 28, -1, 2**31, 2**63, 2**64, 10**30]) | st.integers(0, 20)
NAMES = ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels")
TYPES = (
    "|u1",
    "|i1",
    "<i8",
    ">i4",
    "<u8",
    "|b1",
    "<f4",
    "<f8",
    "|O",
    "<U3",
    "|S0",
    "|V9",
    "<M8[s]",
    "<c16",
    "",
    "x",
    "u1,u1",
)


def read(path, context):
    """Return the splits of a file, or None where it is refused, having looked at the memory that it took."""
    tracemalloc.start()
    try:
        dataset = npz(context, path=path)
        dataset.info()
        return dataset.load()
    except DataError as error:
        line = printable(str(error))
        assert line.startswith(str(path))
        assert len(line) < 1000
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < MEMORY


def entries(arrays):
    """Return the files inside an npz file, by name."""
    found = {}
    for name, array in arrays.items():
        content = io.BytesIO()
        np.save(content, array)
        found[f"{name}.npy"] = content.getvalue()
    return found


def write(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in content.items():
            file.writestr(name, data)


@QUICK
@given(data=st.data())
def test_another_header(tmp_path, context, arrays, data):
    """The header of one array declares another shape, type or order, of which its content may be a part or not."""
    content = entries(arrays)
    name = f"{data.draw(st.sampled_from(NAMES))}.npy"
    header = io.BytesIO()
    shape = tuple(data.draw(st.lists(LENGTHS, max_size=5)))
    fortran = data.draw(st.booleans())
    described = {"descr": data.draw(st.sampled_from(TYPES)), "fortran_order": fortran, "shape": shape}
    np.lib.format.write_array_header_2_0(header, described)
    content[name] = header.getvalue() + data.draw(st.binary(max_size=64) | st.just(content[name][128:]))
    write(tmp_path / "a.npz", content, data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))

    splits = read(tmp_path / "a.npz", context)

    if splits is not None:  # no other shape fits the other arrays
        assert {split: part.images.shape for split, part in splits.items()} == {
            split: arrays[f"{split}_images"].shape for split in splits
        }


@QUICK
@given(data=st.data())
def test_spoilt_bytes_of_an_array(tmp_path, context, arrays, data):
    """Bytes of an entry are others, more or fewer, with a checksum that fits: its header may say anything."""
    content = entries(arrays)
    name = f"{data.draw(st.sampled_from(NAMES))}.npy"
    spoilt = bytearray(content[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 140) | st.integers(0, len(spoilt)))
        spoilt[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    content[name] = bytes(spoilt)
    write(tmp_path / "a.npz", content)

    splits = read(tmp_path / "a.npz", context)

    if splits is not None:
        for split, part in splits.items():
            assert len(part.images) == len(part.labels) == len(arrays[f"{split}_images"])


@QUICK
@given(data=st.data())
def test_spoilt_bytes_of_the_zip(tmp_path, context, arrays, data):
    """Bytes of the zip itself are others: sizes, names, methods and places of its entries may say anything."""
    path = tmp_path / "a.npz"
    write(path, entries(arrays), zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 60) | st.integers(directory, len(content) - 1))
        new = data.draw(st.binary(min_size=1, max_size=8) | st.just(b"\xff" * 4))
        content[place : place + len(new)] = new
    path.write_bytes(content)

    splits = read(path, context)

    if splits is not None:  # every entry has a checksum
        for split, part in splits.items():
            np.testing.assert_array_equal(part.images, arrays[f"{split}_images"])
            np.testing.assert_array_equal(part.labels, arrays[f"{split}_labels"])


@QUICK
@given(
    content=st.binary(max_size=300), start=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY\x01\x00"])
)
def test_any_bytes(tmp_path, context, content, start):
    (tmp_path / "a.npz").write_bytes(start + content)

    assert read(tmp_path / "a.npz", context) is None


def test_a_bomb_of_labels_is_not_unpacked(tmp_path, context, arrays):
    """A few kilobytes that would be two gigabytes of labels."""
    content = entries(arrays)
    for split in ("train", "val", "test"):
        count = len(arrays[f"{split}_labels"])
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|u1", "fortran_order": False, "shape": (count, 5_000_000)}
        )
        content[f"{split}_labels.npy"] = header.getvalue() + bytes(count * 5_000_000)
    write(tmp_path / "a.npz", content, zipfile.ZIP_DEFLATED)
    del content

    assert (tmp_path / "a.npz").stat().st_size < 1 << 20
    assert read(tmp_path / "a.npz", context) is None
