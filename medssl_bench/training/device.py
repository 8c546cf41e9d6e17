"""Which device to compute on, and when its memory is not enough."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import torch

from medssl_bench.errors import OUT_OF_MEMORY, UserError

_NO_MEMORY = (
    "out of memory",  # of CUDA and MPS; not of PyTorch's own type where the driver or a library says it
    "can't allocate memory",  # of PyTorch on the processor
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)

_NO_CUDA = "; this torch was built without CUDA: https://pytorch.org has the command that installs one with it"


def find_device(name: str) -> torch.device:
    """Return a device by name; ``auto`` is a CUDA device or Apple's, if there is one, else the CPU.

    Raises:
        UserError: there is no such device here, its memory is full, or torchvision does not fit torch.
    """
    check_torchvision()
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        if is_out_of_memory(error):
            raise UserError(f"--device {name}: {OUT_OF_MEMORY}; another process holds all of it") from error
        built = "" if torch.version.cuda or torch.version.hip or not name.startswith("cuda") else _NO_CUDA
        there = ", ".join(["auto", *_accelerators(), "cpu"])
        raise UserError(f"--device {name}: there is no such device here; there are {there}{built}") from error
    return device


def check_torchvision() -> None:
    """Refuse a torchvision that was built for another torch, before every encoder fails on it: timm imports it.

    Raises:
        UserError: torchvision cannot be imported.
    """
    try:
        import_module("torchvision")
    except (ImportError, OSError, RuntimeError) as error:
        raise UserError(
            f"torchvision {_version('torchvision')} does not work with torch {_version('torch')} ({error}); install "
            "both from one place, in one command: pip install --force-reinstall torch torchvision, and for a machine "
            "without a GPU --index-url https://download.pytorch.org/whl/cpu"
        ) from error


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(not installed)"


def device_in_turn(names: Sequence[str], number: int) -> str:
    """Return the device of a worker, by name: the workers of a run take devices in turn.

    No device is touched: a process that computes on a GPU takes some of its memory.

    Args:
        names: of devices, such as ``cuda:1``; ``auto`` alone: all CUDA devices, or else Apple's, or else the CPU.
        number: of the worker, from 0.

    Raises:
        UserError: one of them is not here, also where another worker would take it.
    """
    here = _accelerators()
    if list(names) == ["auto"]:
        names = here or ["cpu"]
    for name in names:
        if name not in here and not re.fullmatch(r"cpu(:\d+)?", name):
            raise UserError(f"devices: there is no {name!r} here; there are {', '.join([*here, 'cpu'])}")
    return names[number % len(names)]


def _accelerators() -> list[str]:
    """Return the names of the devices that are here besides the processor."""
    here = [f"cuda:{index}" for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0)]
    return here + (["mps"] if torch.backends.mps.is_available() else [])


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that the memory of the device, or of this machine, is not enough."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    told = isinstance(error, RuntimeError) and any(text in str(error) for text in _NO_MEMORY)
    return told or isinstance(error, MemoryError | torch.OutOfMemoryError)


@contextmanager
def same_bits(device: torch.device, *, wanted: bool) -> Iterator[None]:
    """Let CUDA use only kernels that give the same bits every time inside the block; the processor does anyway.

    Args:
        device: where to compute.
        wanted: whether to do so.
    """
    if device.type != "cuda" or not wanted:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
    before, tries = torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(mode=True)
    torch.backends.cudnn.benchmark = False  # it picks kernels by their speed on the day
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=before)
        torch.backends.cudnn.benchmark = tries
