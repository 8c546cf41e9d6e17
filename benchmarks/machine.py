"""What a benchmark ran on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

import medssl_bench


def machine(device: str) -> dict[str, str]:
    """Return what decides how fast this machine is, by name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {
        "processor": f"{_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "memory": f"{memory:.0f} GiB",
    }
    if device == "cuda":
        found["device"] = torch.cuda.get_device_name()
    packages = ("torch", "torchvision", "timm", "kornia", "lightly", "pytorch-lightning")
    found["versions"] = ", ".join(
        [f"medssl-bench {medssl_bench.__version__}", *(f"{name} {version(name)}" for name in packages)]
    )
    found["system"] = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return found


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    if file.exists():
        for line in file.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
