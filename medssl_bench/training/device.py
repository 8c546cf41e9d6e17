"""Which device to compute on."""

from __future__ import annotations

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
