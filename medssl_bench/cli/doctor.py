"""``medssl-bench doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medssl_bench.cli.options import data_dir_option, device_option, load_plugins, store_option

if TYPE_CHECKING:
    from medssl_bench.executors import Executor
    from medssl_bench.plugin.registry import Registry

Line = tuple[str, str, bool]

_FEW = 6
"""How many numbers are listed."""


@click.command("doctor")
@store_option
@data_dir_option
@device_option
@click.option("--calibrate", is_flag=True, help="Measure how fast this machine is, for the times that plan shows.")
@click.pass_context
def command(context: click.Context, /, store: Path, data_dir: Path | None, device: str, *, calibrate: bool) -> int:
    """Check this machine and this installation: versions, plugins, device, speed, folders. Exit status 1 on trouble.

    --calibrate takes under a minute. It times the parts of the work on generated images, and keeps the costs in the
    cache folder. Run nothing else during it.
    """
    from rich.text import Text

    from medssl_bench.cli.console import standard_output

    console = standard_output()
    bad = []
    checks = _checks(context, store, data_dir, device)
    for name, found, good in chain(checks, _calibration(context, data_dir, device) if calibrate else ()):
        bad += [] if good else [name]
        mark = Text("ok  ", style="green") if good else Text("BAD ", style="bold red")
        console.print(mark + Text(f"{name}: {found}"), soft_wrap=True)
    if bad:  # most lines are long past by now
        console.print(f"to put right: {', '.join(bad)}", style="bold red", soft_wrap=True)
    return 1 if bad else 0


def _checks(context: click.Context, store: Path, data_dir: Path | None, device: str) -> Iterator[Line]:
    from medssl_bench.datasets.locations import dataset_context

    yield from _versions()
    plugins = load_plugins(context)
    for plugin in plugins.found:
        if plugin.origin != "built-in":
            text = " ".join(filter(None, [plugin.origin, plugin.distribution, plugin.version]))
            yield f"plugin {plugin.name}", f"{text} {plugin.problem}".strip(), plugin.problem in {"", "blocked"}
    yield from _executors(plugins.registry)
    yield from _device(device)
    yield _folder("store", store)
    yield _folder("data", dataset_context(data_dir).data_dir)


def _versions() -> Iterator[Line]:
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    yield "python", platform.python_version(), True
    yield "medssl-bench", version("medssl-bench"), True
    for text in requires("medssl-bench") or []:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield requirement.name, f"not installed; pip install '{requirement}'", False
            continue
        good = requirement.specifier.contains(found, prereleases=True)
        yield requirement.name, found if good else f"{found}; pip install '{requirement}'", good


def _executors(registry: Registry) -> Iterator[Line]:
    """Have the executors that can be made without parameters say what they find."""
    from medssl_bench.errors import PluginError, UserError
    from medssl_bench.plugin.guarded import asking, make

    for name in registry.entries["executor"]:
        try:
            component = registry.resolve_or_raise("executor", name)
            executor: Executor = make(registry, component)
            with asking(component):
                lines = executor.health()
            yield from lines
        except PluginError as error:
            yield f"executor {name}", str(error), False
        except UserError:  # it has parameters that must be given
            continue


def _device(name: str) -> Iterator[Line]:
    """Check the device, and how fast a ResNet-18 learns on it at 28 pixels."""
    from importlib.metadata import version

    import torch

    from medssl_bench.errors import UserError
    from medssl_bench.training.device import check_torchvision, find_device

    try:
        check_torchvision()
    except UserError as error:
        yield "torchvision", str(error), False
        return
    yield "torchvision", version("torchvision"), True

    from medssl_bench.encoders.timm_encoder import TimmEncoder  # it imports torchvision

    device = find_device(name)
    threads = torch.get_num_threads()
    yield "device", f"{device.type}, {os.cpu_count()} cores, {threads} threads", True
    encoder = TimmEncoder("resnet18", 28).to(device).to(memory_format=torch.channels_last)
    images = torch.rand(256, 3, 28, 28, device=device)
    encoder(images).sum().backward()
    start = time.perf_counter()
    encoder(images).sum().backward()
    if device.type == "cuda":
        torch.cuda.synchronize()
    speed = 256 / (time.perf_counter() - start)
    yield "speed", f"{speed:,.0f} views/s forward and backward, ResNet-18 at 28 pixels, float32", True


def _calibration(context: click.Context, data_dir: Path | None, device: str) -> Iterator[Line]:
    """Calibrate, and tell what was found."""
    from medssl_bench.calibration.calibrate import calibrate
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.plugin.manager import load_plugins as load
    from medssl_bench.training.device import find_device

    lines: list[Line] = []
    began, cache = time.perf_counter(), dataset_context(data_dir).cache_dir
    try:
        cache.mkdir(parents=True, exist_ok=True)  # now, and not when all is measured
        measured = calibrate(load(context.obj or ()), find_device(device), lambda *found: lines.append(_told(*found)))
        yield from lines
        yield "calibration", f"{measured.write(cache)} ({time.perf_counter() - began:.0f} s)", True
    except OSError as error:
        yield "calibration", f"cannot be kept: {error.strerror}: {error.filename}", False


def _told(part: str, found: Mapping[str, float]) -> Line:
    units = ", ".join(f"{unit.replace(':', ' ')} {1e3 * cost:.3g}" for unit, cost in found.items())
    if len(found) > _FEW:
        units = f"{len(found)} of them, {1e3 * min(found.values()):.2g} to {1e3 * max(found.values()):.2g} a view"
    return f"milliseconds of {part}", units, True


def _folder(name: str, folder: Path) -> Line:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free / 2**30
    writable = os.access(existing, os.W_OK)
    state = "there" if folder.exists() else "will be made"
    text = f"{folder} ({state}, {free:.0f} GiB free{'' if writable else ', NOT WRITABLE'})"
    return f"{name} folder", text, writable and free > 1
