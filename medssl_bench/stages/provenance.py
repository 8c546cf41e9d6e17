"""Where a result comes from: versions, plugins, commit, device. No program is run to find it out."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from medssl_bench.costs.machine import device_text
from medssl_bench.plugin.component import components_in
from medssl_bench.plugin.registry import Registry
from medssl_bench.stages.repository import commit_of

_DISTRIBUTIONS = (
    "medssl-bench", "torch", "timm", "kornia", "lightly", "torchmetrics", "medmnist", "numpy", "scikit-learn", "pillow",
    "peft",
)  # fmt: skip


def circumstances(device: torch.device) -> dict[str, Any]:
    """Return what decides the last bits of a result, beside what its key hashes."""
    return {"torch": version("torch"), "device": device_name(device), "threads": torch.get_num_threads()}


def provenance(
    registry: Registry, spec: dict[str, Any], device: torch.device, earlier: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return what a record says of the circumstances of a stage.

    Args:
        registry: where its components came from.
        spec: of the stage.
        device: where it was computed.
        earlier: the `circumstances` of the attempts whose checkpoints it went on from.
    """
    others = [each for each in earlier if each != circumstances(device)]
    strict = torch.are_deterministic_algorithms_enabled() and not torch.is_deterministic_algorithms_warn_only_enabled()
    repeats = device.type == "cpu" or (strict and not torch.backends.cudnn.benchmark)
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
        "plugins": _plugins(registry, spec),
        "git": _repository(),
        "device": device_name(device),
        "torch_device": str(device),
        "host": platform.node(),
        "platform": _system(),
        "threads": torch.get_num_threads(),
        "deterministic": repeats and not others,
        "earlier": others,
    }


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _plugins(registry: Registry, spec: dict[str, Any]) -> dict[str, Any]:
    """Return the plugins whose components the stage uses."""
    used: dict[str, Any] = {}
    for component in components_in(spec):
        entry = registry.find(component.kind, component.name)
        used[entry.plugin.name] = entry.plugin.provenance()
    return used


@lru_cache(maxsize=1)
def _repository() -> dict[str, str] | None:
    """Return the commit of the repository around the working directory, or None outside one."""
    commit = commit_of(Path.cwd())
    return {"commit": commit} if commit else None


def _system() -> str:
    """Return the system; `platform.platform()` would look up a program on the PATH and run it."""
    about = os.uname()
    return "-".join([about.sysname, about.release, about.machine, "".join(platform.libc_ver())]).rstrip("-")


def device_name(device: torch.device) -> str:
    """Return a device as records name it."""
    return device_text(device.type, torch.cuda.get_device_name(device) if device.type == "cuda" else "")
