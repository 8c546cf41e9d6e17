"""Writes a new plugin package from the template."""

from __future__ import annotations

import keyword
import re
import shutil
import sys
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

TEMPLATES = {
    "augmentation": "the augmentation `${module}_views`",
    "op": "the op `${module}_speckle`",
    "dataset": "the data set `${module}_rings`",
    "encoder": "the encoder `${module}_cnn`",
    "method": "the method `${module}_twins`",
    "evaluator": "the evaluator `${module}_centroid`",
    "optimizer": "the optimizer `${module}_lion`",
    "schedule": "the schedule `${module}_one_cycle`",
    "metric": "the metric `${module}_kappa` and the column `${module}_seconds`",
    "executor": "the executor `${module}_quick_first`",
    "reference": "the reference `$module`",
    "claims": "the claims `$module`, and the reference that they are about",
    "watcher": "a watcher, which writes a line for each stage that ends",
}
"""What a plugin of each kind has; one without a kind has an augmentation and an evaluator."""

_PAIR = "the augmentation `${module}_views` and the evaluator `${module}_centroid`"

_OPTIONS = {"executor": " --executor ${module}_quick_first"}
"""Options with which the suite of a kind is run, to see the plugin work."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SUFFIX = ".template"


@dataclass(frozen=True)
class Written:
    """A plugin package that was written.

    Attributes:
        folder: where it is.
        adds: what it has, in words.
        options: options with which its suite is run.
    """

    folder: Path
    adds: str
    options: str


def write_plugin(name: str, parent: Path, kind: str | None = None) -> Written:
    """Write a plugin package; the folder appears whole or not at all.

    Args:
        name: of the distribution and of the plugin, such as ``my-plugin``.
        parent: the folder to make it in.
        kind: what it is to have, one of `TEMPLATES`; None: an augmentation and an evaluator.

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
    words["adds"] = Template(TEMPLATES[kind] if kind else _PAIR).substitute(words)
    words["options"] = Template(_OPTIONS.get(kind or "", "")).substitute(words)
    part = parent / f".{name}.{uuid.uuid4().hex[:8]}"
    try:
        for template in ("shared", kind or "pair"):
            _write(files("medssl_bench.plugin") / "template" / template, part, words)
        part.rename(folder)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Written(folder, words["adds"], words["options"])


def _write(template: Traversable, folder: Path, words: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for item in template.iterdir():
        if item.is_dir():
            _write(item, folder / item.name, words)
        elif item.name.endswith(_SUFFIX):
            name = item.name.removesuffix(_SUFFIX).replace("module", words["module"])
            (folder / name).write_text(Template(item.read_text("utf-8")).substitute(words), "utf-8")
