"""Writes a new plugin package from the template."""

from __future__ import annotations

import keyword
import re
import shutil
import sys
import uuid
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SUFFIX = ".template"


def write_plugin(name: str, parent: Path) -> Path:
    """Write a plugin package; the folder appears whole or not at all.

    Args:
        name: of the distribution and of the plugin, such as ``my-plugin``.
        parent: the folder to make it in.

    Returns:
        The plugin's folder.

    Raises:
        UserError: the name cannot be used, or the folder exists or cannot be written.
    """
    module = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(module) or module in sys.stdlib_module_names:
        raise UserError(f"{name!r} is not a name for a plugin; use small letters, digits and '-', as in my-plugin")
    if module in {"medssl_bench", "medssl_bench_thesis", "medssl_bench_example"}:
        raise UserError(f"{name!r} is the name of a package of this project; choose another")
    folder = parent / name
    if folder.exists():
        raise UserError(f"{folder}: this is there already; choose another name or --dir")
    words = {"name": name, "module": module, "version": version("medssl-bench")}
    part = parent / f".{name}.{uuid.uuid4().hex[:8]}"
    try:
        _write(files("medssl_bench.plugin") / "template", part, words)
        part.rename(folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _write(template: Traversable, folder: Path, words: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for item in template.iterdir():
        if item.is_dir():
            if not item.name.startswith("__"):
                _write(item, folder / item.name, words)
        elif item.name.endswith(_SUFFIX):
            name = item.name.removesuffix(_SUFFIX).replace("module", words["module"])
            (folder / name).write_text(Template(item.read_text("utf-8")).substitute(words), "utf-8")
