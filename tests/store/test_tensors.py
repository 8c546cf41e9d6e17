import errno
import resource
from pathlib import Path

import pytest
import torch

from medssl_bench.errors import StoreError
from medssl_bench.store.tensors import load_arrays, load_tensors, save_tensors


def test_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    tensors = {
        "float": torch.rand(3, 4, requires_grad=True),
        "half": torch.rand(2).bfloat16(),
        "count": torch.tensor(7),
        "empty": torch.empty(0, 3),
        "transposed": torch.rand(3, 5).T,
        "flags": torch.tensor([True, False]),
    }
    save_tensors(tensors, tmp_path / "t.safetensors")
    found = load_tensors(tmp_path / "t.safetensors")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor.detach())
        assert not found[name].requires_grad


def test_tensors_that_share_memory_are_kept_each(tmp_path: Path) -> None:
    whole = torch.arange(6.0)
    save_tensors({"whole": whole, "half": whole[:3], "same": whole}, tmp_path / "t.safetensors")
    found = load_tensors(tmp_path / "t.safetensors")
    assert torch.equal(found["half"], whole[:3])
    assert torch.equal(found["same"], whole)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file"):
        load_tensors(tmp_path / "no.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"not a file of tensors")
    with pytest.raises(StoreError, match="these weights cannot be read"):
        load_tensors(tmp_path / "bad.safetensors")
    with pytest.raises(StoreError, match="cannot be read"):
        load_tensors(tmp_path)
    save_tensors({"x": torch.rand(100)}, tmp_path / "cut.safetensors")
    content = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(content[:-50])
    with pytest.raises(StoreError, match="these weights cannot be read"):
        load_tensors(tmp_path / "cut.safetensors")


def test_arrays_are_the_tensors_without_torch(tmp_path: Path) -> None:
    tensors = {"train": torch.arange(6, dtype=torch.float32).reshape(2, 3), "test": torch.rand(1, 3)}
    save_tensors(tensors, tmp_path / "a.safetensors")
    found = load_arrays(tmp_path / "a.safetensors")
    assert {name: array.tolist() for name, array in found.items()} == {n: t.tolist() for n, t in tensors.items()}


def test_arrays_that_cannot_be_read_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone.safetensors: there is no such file"):
        load_arrays(tmp_path / "gone.safetensors")
    (tmp_path / "odd.safetensors").write_bytes(b"{}")
    with pytest.raises(StoreError, match=r"odd.safetensors: these tensors cannot be read"):
        load_arrays(tmp_path / "odd.safetensors")


def test_a_file_that_cannot_be_written_is_told_as_the_system_says_it(tmp_path: Path) -> None:
    """safetensors has an error of its own for it, with the system's number in its text."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            save_tensors({"w": torch.zeros(1000)}, tmp_path / "w.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG
