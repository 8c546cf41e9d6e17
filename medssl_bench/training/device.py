"""Which device to compute on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from medssl_bench.errors import UserError


def find_device(name: str) -> torch.device:
    """Return a device by name; ``auto`` is a CUDA device or Apple's, if there is one, else the CPU.

    Raises:
        UserError: there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(f"--device {name}: there is no such device here; try auto, cpu, cuda or mps") from error
    return device


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
