"""The files that a suite is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.plugin.component import Component
from medssl_bench.plugin.content import with_imports
from medssl_bench.suite.positions import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.suite.suite import Suite


def source_files(suite: Suite) -> dict[str, Path]:
    """Return a suite's file, those that it extends, its inline plugins with what they import, and its weights files.

    Images are not among them.

    Returns:
        Files by their path from the suite's folder; those outside it are left out.
    """
    folder = suite.folder.resolve()
    found = [*(_extended(suite.path) if suite.path else ()), *_inline(suite, folder), *_weights(suite)]
    inside = [file.resolve() for file in found if file.resolve().is_relative_to(folder)]
    return {file.relative_to(folder).as_posix(): file for file in inside if file.is_file()}


def _extended(path: Path) -> Iterator[Path]:
    yield path
    base = read_toml(path).value.get("extends")
    if base is not None:
        yield from _extended(path.parent / base.plain())


def _inline(suite: Suite, folder: Path) -> set[Path]:
    return with_imports([folder / name for name in suite.model.plugins], folder)


def _weights(suite: Suite) -> Iterator[Path]:
    for table in suite.tables:
        for arm in table.arms:
            for encoder in (arm.encoder, *(link.recipe.encoder for link in arm.chain)):
                if isinstance(encoder, Component):
                    yield from (Path(str(encoder.parameters[name])) for name in encoder.files)
