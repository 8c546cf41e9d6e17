"""Headers of safetensors files: what safetensors writes and reads is accepted, what it refuses is refused before."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from medssl_bench.encoders.weights_file import require_safetensors

DTYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
)


def _file(header: object, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def _tensor(first: int, last: int, *shape: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [first, last]}


@given(shapes=st.lists(st.lists(st.integers(0, 3), max_size=3), max_size=4), dtype=st.sampled_from(DTYPES))
@settings(max_examples=30, deadline=None)
def test_what_safetensors_writes(
    shapes: list[list[int]], dtype: torch.dtype, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "good.safetensors"
    tensors = {str(place): torch.zeros(shape, dtype=dtype) for place, shape in enumerate(shapes)}
    save_file(tensors, file, metadata={"format": "pt"})
    require_safetensors(file)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "this is no safetensors file, or a damaged one: it has no header"),
        (b"some text, and more of it", "it has no header"),
        ((2**63).to_bytes(8, "little") + bytes(99), "it has no header"),
        ((90).to_bytes(8, "little") + b"{}", "it has no header"),
        (pickle.dumps({"a": 1}), "but a pickle, which can run code and is not read; 'medssl-bench import' takes"),
        (b"PK\x03\x04\x00\x00\x08\x08" + bytes(99), "but a zip, as torch.save writes, which can run code"),
        ((3).to_bytes(8, "little") + b"{]}", "its header cannot be read"),
        ((99999).to_bytes(8, "little") + b"[" * 99999, "its header cannot be read"),
        (_file([1]), "its header cannot be read"),
        (_file({"a": 1}), "its header cannot be read"),
        (_file({"a": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 4]}}, bytes(4)), "its header cannot be read"),
        (_file({"a": _tensor(0, 16, 4), "b": _tensor(8, 24, 4)}, bytes(24)), "'b' does not begin where the tensor"),
        (_file({"a": _tensor(4, 20, 4)}, bytes(20)), "'a' does not begin where the tensor before it ends"),
        (_file({"a": _tensor(0, 16, 2**40)}, bytes(16)), "'a' is not as large as its shape (1099511627776,) says"),
        (_file({"a": _tensor(0, 16, 4)}, bytes(15)), "its header declares 16 bytes, it holds 15"),
    ],
)
def test_what_safetensors_would_refuse(content: bytes, what: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.safetensors"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="safetensors file") as caught:
        require_safetensors(file)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(SafetensorError):
        load_file(file)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_nothing_is_refused_that_safetensors_reads(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Spoil some bytes: the check ends in a ValueError or in nothing, and is no stricter than the reader."""
    file = tmp_path_factory.getbasetemp() / "spoilt.safetensors"
    save_file({"a": torch.ones(3, 2), "b": torch.zeros(2, dtype=torch.int64)}, file, metadata={"format": "pt"})
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content)))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    file.write_bytes(content)
    try:
        load_file(file)
        readable = True
    except (SafetensorError, ValueError, OSError):
        readable = False
    try:
        require_safetensors(file)
        refused = ""
    except ValueError as error:
        refused = str(error)
    assert not (readable and refused), refused
