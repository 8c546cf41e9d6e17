"""``medssl-bench doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import click

from medssl_bench.cli.options import data_dir_option, load_plugins, store_option

Line = tuple[str, str, bool]


@click.command("doctor")
@store_option
@data_dir_option
@click.pass_context
def command(context: click.Context, store: Path, data_dir: Path | None) -> int:
    """Check this machine and this installation: versions, plugins, device, speed, folders. Exit status 1 on trouble."""
    from rich.text import Text

    from medssl_bench.cli.console import standard_output

    console = standard_output()
    healthy = True
    for name, found, good in _checks(context, store, data_dir):
        healthy &= good
        mark = Text("ok  ", style="green") if good else Text("BAD ", style="bold red")
        console.print(mark + Text(f"{name}: {found}"), soft_wrap=True)
    return 0 if healthy else 1


def _checks(context: click.Context, store: Path, data_dir: Path | None) -> Iterator[Line]:
    from medssl_bench.folders import dataset_context

    yield from _versions()
    plugins = load_plugins(context)
    for plugin in plugins.found:
        if plugin.origin != "built-in":
            text = " ".join(filter(None, [plugin.origin, plugin.distribution, plugin.version]))
            yield f"plugin {plugin.name}", f"{text} {plugin.problem}".strip(), plugin.problem in {"", "blocked"}
    yield from _device()
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


def _device() -> Iterator[Line]:
    """Check the device, and how fast a ResNet-18 learns on it at 28 pixels."""
    import torch

    from medssl_bench.encoders.timm_encoder import TimmEncoder
    from medssl_bench.training.device import find_device

    device = find_device("auto")
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


def _folder(name: str, folder: Path) -> Line:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free / 2**30
    writable = os.access(existing, os.W_OK)
    state = "there" if folder.exists() else "will be made"
    text = f"{folder} ({state}, {free:.0f} GiB free{'' if writable else ', NOT WRITABLE'})"
    return f"{name} folder", text, writable and free > 1
