"""Which device is computed on."""

from __future__ import annotations

import errno
import sys

import pytest
import torch

from medssl_bench.errors import UserError
from medssl_bench.training.device import device_in_turn, find_device, is_out_of_memory


def test_auto_takes_an_accelerator_if_there_is_one():
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"

    assert find_device("auto").type == expected


def test_the_cpu_is_everywhere():
    assert find_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "", "cpu:x"])
def test_a_device_that_is_not_here_is_refused_in_one_line(name):
    here = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    here += ["mps"] if torch.backends.mps.is_available() else []
    with pytest.raises(UserError, match="there is no such device here") as caught:
        find_device(name)

    assert f"; there are {', '.join(['auto', *here, 'cpu'])}" in str(caught.value)
    assert ("built without CUDA" in str(caught.value)) == (name == "cuda:99" and torch.version.cuda is None)
    assert "\n" not in str(caught.value)


def test_a_torch_without_cuda_is_named(monkeypatch):
    monkeypatch.setattr("torch.version.cuda", None)
    with pytest.raises(UserError, match=r"there are auto, .*cpu; this torch was built without CUDA"):
        find_device("cuda:99")


def test_a_torchvision_that_was_built_for_another_torch_is_refused(monkeypatch, tmp_path):
    broken = tmp_path / "torchvision" / "__init__.py"
    broken.parent.mkdir()
    broken.write_text('raise RuntimeError("operator torchvision::nms does not exist")')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)

    told = r"torchvision [\d.+a-z]+ does not work with torch .*::nms does not exist\); install both from one place"
    with pytest.raises(UserError, match=told):
        find_device("cpu")


def test_a_device_whose_memory_is_full_is_here(monkeypatch):
    def full(*_, **__):
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr("torch.empty", full)
    with pytest.raises(UserError, match="--device cuda: out of memory; another process holds all of it"):
        find_device("cuda")


def _pretend(monkeypatch, number: int) -> None:
    """Let torch say that there are some CUDA devices, and none of Apple's."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: number > 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: number)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)


@pytest.mark.parametrize(
    ("number", "names", "taken"),
    [
        (2, ["auto"], ["cuda:0", "cuda:1", "cuda:0"]),
        (4, ["auto"], ["cuda:0", "cuda:1", "cuda:2"]),
        (4, ["cuda:3", "cuda:1"], ["cuda:3", "cuda:1", "cuda:3"]),
        (1, ["cuda:0", "cpu"], ["cuda:0", "cpu", "cuda:0"]),
        (0, ["auto"], ["cpu", "cpu", "cpu"]),
    ],
)
def test_workers_take_devices_in_turn(number, names, taken, monkeypatch):
    _pretend(monkeypatch, number)

    assert [device_in_turn(names, worker) for worker in range(3)] == taken


@pytest.mark.parametrize("name", ["cuda:2", "cuda", "cuda:-1", "mps", "gpu", "", "cpu:x"])
@pytest.mark.parametrize("worker", [0, 1])
def test_a_device_of_any_worker_that_is_not_here_is_refused_by_each(name, worker, monkeypatch):
    _pretend(monkeypatch, 2)

    with pytest.raises(UserError) as caught:
        device_in_turn(["cuda:0", name], worker)

    assert str(caught.value) == f"devices: there is no {name!r} here; there are cuda:0, cuda:1, cpu"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("MPS backend out of memory (MPS allocated: 18.00 GB)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_too_little_memory_has_many_names(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("CUDA error: device-side assert triggered"), OSError(errno.ENOSPC, ""), ValueError("out of memory")],
)
def test_what_is_not_for_want_of_memory(error):
    assert not is_out_of_memory(error)


@pytest.mark.skipif(not hasattr(torch, "AcceleratorError"), reason="PyTorch before 2.8")
def test_what_the_driver_says_is_a_runtime_error():
    assert issubclass(torch.AcceleratorError, RuntimeError)
