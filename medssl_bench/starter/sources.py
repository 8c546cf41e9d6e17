"""The data sets of a first suite: what the user's paths are, and what they say of themselves."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets import Dataset
from medssl_bench.datasets.file_kinds import KINDS
from medssl_bench.datasets.folder.tree import Node
from medssl_bench.datasets.folder.unlabelled import UNLABELLED_NAMES
from medssl_bench.datasets.table.reading import is_table
from medssl_bench.errors import DataError, UserError
from medssl_bench.plugin.guarded import asking, make
from medssl_bench.starter.columns import NO_GROUP, Asked, find_columns
from medssl_bench.starter.patients import group_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.datasets import DatasetContext, DatasetInfo
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry

_LONGEST = 40


@dataclass(frozen=True)
class Source:
    """A data set, as the suite is to have it.

    Attributes:
        name: what the suite calls it.
        parameters: of its table in the suite, its component's name first; paths are absolute.
        component: what it is.
        dataset: made of it.
        info: what is known of it without its pixels.
        lines: what was seen, and which option decides, for people.
    """

    name: str
    parameters: dict[str, Any]
    component: Component
    dataset: Dataset
    info: DatasetInfo
    lines: tuple[str, ...] = ()

    @cached_property
    def files(self) -> list[Path]:
        """The files of its images."""
        return self.dataset.image_files() if isinstance(self.dataset, Dataset) else []  # a plugin may have its own

    @property
    def images(self) -> int:
        """Number of images, those without labels among them."""
        return sum(self.info.counts.values()) + self.info.unlabelled


@dataclass(frozen=True)
class DatasetMaker:
    """Makes data sets of what a user has.

    Attributes:
        registry: where they come from.
        context: where they keep files.
        settings: parameters that the user gives, by name.
        names: that the suite has for data sets already.
    """

    registry: Registry
    context: DatasetContext
    settings: Mapping[str, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def source(self, wanted: str, parameters: dict[str, Any], lines: Sequence[str] = ()) -> Source:
        """Make a data set and look at it.

        Raises:
            UserError: it is not valid, or its files are not here.
        """
        component = self.registry.resolve_or_raise("dataset", {k: _plain(v) for k, v in parameters.items()})
        dataset: Dataset = make(self.registry, component, context=self.context)
        with asking(component):
            info = dataset.outline() if hasattr(dataset, "outline") else dataset.info()
        if info is None:
            raise UserError(f"{wanted}: there is no such file or folder")
        name = wanted if parameters == {"name": wanted} else self._free_name(wanted)
        self.names.add(name)
        return Source(name, parameters, component, dataset, info, tuple(lines))

    def _free_name(self, wanted: str) -> str:
        """Return a name for a suite's table: no data set of this process has it, and it fits into tables."""
        text = unicodedata.normalize("NFC", Path(wanted).name.partition(".")[0])
        stem = re.sub(r"[^\w-]+", "-", text).strip("-")[:_LONGEST] or "images"
        taken = self.names | set(self.registry.entries["dataset"])
        return next(name for n in range(1, 1000) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def labelled_source(maker: DatasetMaker, target: str, asked: Asked, common: Mapping[str, Any]) -> Source:
    """Return the data set that has the labels.

    Args:
        maker: what it is made with.
        target: a table, a folder of class folders, an npz file, or the name of a data set.
        asked: what the user says of columns and groups.
        common: parameters that every data set of files takes, such as the size.

    Raises:
        UserError: it has no labels, or is not clear; the message says what was seen and what to write.
    """
    path = Path(target)
    if path.is_dir():
        return _folder(maker, path, asked, common)
    if is_table(path):
        return _table(maker, path, asked, common)
    task = {"task": common["task"]} if "task" in common else {}
    if path.suffix.lower() == ".npz" and path.exists():
        _refuse_columns(target, asked, "the arrays of an npz file")
        return maker.source(target, {"name": "npz", "path": path.absolute(), **task, **maker.settings})
    if path.exists():
        raise UserError(f"{target}: not a folder, a table (.csv, .tsv, .jsonl, .parquet) or an npz file")
    if target in maker.registry.entries["dataset"]:
        _refuse_columns(target, asked, "a data set of this name")
        return maker.source(target, {"name": target, **maker.settings})
    raise UserError(f"{target}: there is no such file or folder, and no data set of this name")


def unlabelled_source(maker: DatasetMaker, path: Path, common: Mapping[str, Any], leave_out: Sequence[str]) -> Source:
    """Return a data set of images without labels.

    Args:
        maker: what it is made with.
        path: a folder, a .npy or a .npz file.
        common: parameters that every data set of files takes, such as the size.
        leave_out: patterns of what is not read.

    Raises:
        UserError: it holds no images, or is not clear.
    """
    parameters: dict[str, Any] = {"name": "images", "path": path.absolute()}
    if path.is_dir():
        parameters |= {name: value for name, value in common.items() if name != "task"}
        parameters |= {"leave_out": list(leave_out)} if leave_out else {}
    return maker.source(str(path), parameters)


def _table(maker: DatasetMaker, path: Path, asked: Asked, common: Mapping[str, Any]) -> Source:
    from medssl_bench.datasets.table.reading import read_table

    table = read_table(path, asked.image)
    columns = find_columns(table, asked)
    parameters: dict[str, Any] = {"name": "table", "path": path.absolute()}
    if columns.image.root.absolute() != path.absolute().parent:
        parameters["root"] = columns.image.root.absolute()
    parameters["image"] = columns.image.name
    if columns.image.ending:
        parameters["ending"] = columns.image.ending
    parameters["label"] = columns.label if isinstance(columns.label, str) else list(columns.label)
    parameters |= {"group": columns.group} if columns.group else {}
    parameters |= {"split": columns.split} if columns.split else {}
    labels = [columns.label] if isinstance(columns.label, str) else columns.label
    blank = sum(not any(texts) for texts in zip(*(table.columns[name] for name in labels), strict=True))
    lines = list(columns.lines)
    if blank and "blank" not in maker.settings:
        parameters["blank"] = "unlabelled"
        lines.append(
            f"unlabelled: {blank:,} rows without a label are pretrained on; --set blank=leave_out leaves them out"
        )
    return maker.source(str(path), {**parameters, **common, **maker.settings}, lines)


def _folder(maker: DatasetMaker, path: Path, asked: Asked, common: Mapping[str, Any]) -> Source:
    if asked.label or asked.split or asked.image or asked.root:
        raise UserError(f"{path}: a folder; --label, --split, --image and --root are for a table")
    _refuse_without_labels(path)
    parameters: dict[str, Any] = {"name": "folder", "path": path.absolute(), **common, **maker.settings}
    if asked.group == NO_GROUP:
        return maker.source(str(path), parameters, ["groups: none, as asked"])
    if asked.group is not None:
        return maker.source(str(path), {**parameters, "groups": asked.group}, [f"groups: by {asked.group!r}"])
    plain = maker.source(str(path), parameters)
    if "groups" in maker.settings:
        return plain
    pattern, line = group_pattern([file.relative_to(path.absolute()).as_posix() for file in plain.files])
    maker.names.discard(plain.name)
    return maker.source(str(path), {**parameters, **({"groups": pattern} if pattern else {})}, [line])


def _refuse_without_labels(path: Path) -> None:
    """Refuse a folder that has images and no class folders, or none at all.

    Raises:
        UserError: it has.
    """
    try:
        top = Node(path, path)
        number = top.count()
        beside = [name for name in top.others if is_table(Path(name))]
        deep = top  # below folders that hold one folder each
        while len(deep.folders) == 1 and not deep.images and not next(iter(deep.folders.values())).is_link:
            (deep,) = deep.folders.values()
        folders = [name for name, node in deep.folders.items() if node.is_link or node.count()]
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error
    if not number and not any(node.is_link for node in top.folders.values()):
        raise UserError(f"{path}: holds no images ({KINDS})")
    if set(folders) - UNLABELLED_NAMES:
        return
    table = path / beside[0] if len(beside) == 1 else "TABLE"
    raise UserError(
        f"{path}: {number:,} images and no class folders, so no labels, and no arm could be judged; with labels in a "
        f"table, say medssl-bench init {table}, and --unlabelled {path} if it names some of them only; to pretrain on "
        f"them for a public set, say medssl-bench init bloodmnist --unlabelled {path}"
    )


def _refuse_columns(target: str, asked: Asked, what: str) -> None:
    if asked != Asked():
        raise UserError(f"{target}: --image, --label, --group, --split and --root are not for {what}")
