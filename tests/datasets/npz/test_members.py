from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from medssl_bench.datasets import memory
from medssl_bench.datasets.npz.members import NpzMembers
from medssl_bench.errors import DataError

ARRAYS = npst.arrays(npst.integer_dtypes() | npst.floating_dtypes(), npst.array_shapes(min_dims=0, min_side=0))


@given(array=ARRAYS, fortran=st.booleans(), compressed=st.booleans())
def test_headers_and_arrays_are_those_that_numpy_saved(tmp_path_factory, array, fortran, compressed):
    path = tmp_path_factory.getbasetemp() / "members.npz"
    (np.savez_compressed if compressed else np.savez)(path, a=np.asarray(array, order="F" if fortran else "C"))

    with NpzMembers(path) as members:
        header, read = members.header("a"), members.read("a")

    assert members.keys() == {"a"}
    assert (header.shape, header.dtype) == (array.shape, array.dtype)
    np.testing.assert_array_equal(read, array)


def test_a_file_closes(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.zeros(3))

    with NpzMembers(tmp_path / "a.npz") as members:
        pass

    with pytest.raises(DataError):
        members.read("a")


def declare(path, shape):
    """Write an entry of a few bytes that declares, in the array's header and in the zip's directory, a huge array."""
    start = io.BytesIO()
    np.lib.format.write_array_header_1_0(start, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.npy", start.getvalue() + bytes(100))
        file.getinfo("a.npy").file_size = len(start.getvalue()) + int(np.prod(shape))


def test_an_entry_that_declares_more_than_memory_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    declare(path, (1 << 20, 1 << 15, 1 << 15))

    with NpzMembers(path) as members, pytest.raises(DataError, match=r"a would take 1,048,576\.0 GiB of memory"):
        members.read("a")


def test_a_header_that_declares_more_than_the_entry_holds_is_refused(tmp_path):
    path = tmp_path / "lie.npz"
    start = io.BytesIO()
    np.lib.format.write_array_header_1_0(start, {"descr": "|u1", "fortran_order": False, "shape": (1 << 60,)})
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", start.getvalue())

    with NpzMembers(path) as members, pytest.raises(DataError, match="a: damaged: its header declares 1,152,921"):
        members.header("a")


def write_header(path, text, version=(1, 0), length=None, body=b""):
    """Write an entry with a header of one's own."""
    size = (len(text) if length is None else length).to_bytes(2 if version == (1, 0) else 4, "little")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.npy", b"\x93NUMPY" + bytes(version) + size + text.encode("latin-1") + body)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("(" * 5000, "damaged"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (" + "-" * 9000 + "3,)}", "damaged"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (3L, '''}", "damaged"),
        ("  {'a'\n 1:\n", "damaged"),
        ("{'descr': 3, 'fortran_order': False, 'shape': (3,)}", "damaged (descr is not a valid dtype"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (-3,)}", "damaged (its header declares a negative length)"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (-3, -1)}", "damaged (its header declares a negative len"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", "holds Python objects"),
    ],
)
def test_a_hostile_header_is_refused(text, what, tmp_path):
    path = tmp_path / "a.npz"
    write_header(path, text, body=bytes(3))

    with NpzMembers(path) as members, pytest.raises(DataError) as caught:
        members.header("a")
    assert str(caught.value).startswith(f"{path}: a: {what}")
    assert "\n" not in str(caught.value)


def test_a_header_of_an_unknown_version_and_one_that_would_fill_memory(tmp_path):
    text = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}"
    for version, length, what in (((9, 0), None, "version 9.0 of"), ((2, 0), 2**32 - 1, "declares 4,294,967,295 b")):
        write_header(tmp_path / "a.npz", text, version, length, body=bytes(3))
        with NpzMembers(tmp_path / "a.npz") as members, pytest.raises(DataError, match=what):
            members.header("a")


def test_a_header_of_python_2_is_read_without_a_word(tmp_path):
    write_header(tmp_path / "a.npz", "{'descr': '|u1', 'fortran_order': False, 'shape': (3L,)}\n", body=bytes(3))

    with NpzMembers(tmp_path / "a.npz") as members:
        assert members.header("a").shape == (3,)


def test_an_array_that_is_there_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("a.npy", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a.npy", b"2")

    with pytest.raises(DataError, match=r"a\.npz: holds 'a\.npy' twice"):
        NpzMembers(tmp_path / "a.npz")


def test_an_encrypted_entry_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.zeros(3))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)

    with NpzMembers(path) as members, pytest.raises(DataError, match=r"a: damaged \(.*encrypted"):
        members.header("a")


def test_pickles_are_not_read(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (tmp_path.joinpath("run").write_text, ("",))

    np.savez(tmp_path / "a.npz", a=np.array([Harmful()], dtype=object))

    with NpzMembers(tmp_path / "a.npz") as members, pytest.raises(DataError, match="holds Python objects"):
        members.read("a")
    assert not (tmp_path / "run").exists()


def testfree_memory_is_less_than_there_is():
    free = memory.free_memory()

    assert free is not None
    assert 2**20 < free < 2**50
    memory.require_memory(2**10, "a little")
    with pytest.raises(DataError, match=r"would take 1,048,576\.0 GiB of memory"):
        memory.require_memory(2**50, "a lot")


def test_what_a_container_allows_is_what_its_group_says(tmp_path):
    (tmp_path / "memory.max").write_text("1000\n")
    assert memory._free_of_group(tmp_path) is None
    (tmp_path / "memory.stat").write_text("anon 300\nfile 600\n")
    assert memory._free_of_group(tmp_path) == 700
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._free_of_group(tmp_path) is None
