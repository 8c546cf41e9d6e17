"""Folders that could be read in more than one way, or leave images out: what was seen, and what to write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.file_kinds import masks_of_others
from medssl_bench.datasets.folder.names import CONTAINERS, natural, not_classes, plain, split_hinted
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.folder.tree import Node

_EXAMPLE = 'splits = { train = ["..."], test = ["..."] }'
"""How a suite names folders that have class folders in them."""

_NAMED = 5
"""How many folders a message names."""


def refuse_no_classes(start: Path, training: list[dict[str, Node]], classes: list[str]) -> None:
    """Refuse class folders whose names, or the folders in them, say that they are something else.

    Args:
        start: the folder that they are in.
        training: the class folders of each folder of the training split.
        classes: their names.

    Raises:
        DataError: they do.
    """

    def count(name: str) -> int:
        return sum(folders[name].count() for folders in training if name in folders)

    ways = f"classes = {quoted(classes)} if they are"
    if masks := masks_of_others(classes):
        name = classes[masks[0][0]]
        raise DataError(
            f'{start}: {name}/ looks like masks of the class beside it; say leave_out = ["*{masks[0][1]}*"], or '
            f"classes = {quoted(classes)} if it is a class"
        )
    if reason := not_classes(classes, count):
        if holder := [name for name in classes if plain(name) in CONTAINERS]:
            ways = f'path = "{start / holder[0]}" if the class folders are there'
        within = not holder and any(folder.folders for folders in training for folder in folders.values())
        parts = f"{_EXAMPLE} if they have class folders, " if within else ""
        raise DataError(
            f"{start}: its {len(classes):,} folders {listed(classes)} {reason}; say {parts}{ways}, or sort the "
            f"images into class folders"
        )
    inner = [_inner(folders[name]) for folders in training for name in folders if name in classes]
    shared = set.intersection(*inner) if inner else set()
    if len(shared) >= 2 and all(found == shared for found in inner) and not not_classes(sorted(shared), lambda _: 99):
        raise DataError(
            f"{start}: {listed(classes)} each hold {listed(sorted(shared, key=natural))}: which are the classes? If "
            f"the inner ones, say {_EXAMPLE}; if the outer ones, say classes = {quoted(classes)}"
        )


def _inner(node: Node) -> set[str]:
    """Return the names of the folders in a class folder that has no images beside them."""
    return set() if node.images else {name for name, below in node.folders.items() if below.is_link or below.count()}


def refuse_hints(top: Node) -> None:
    """Refuse folders whose names speak of splits, but not clearly.

    Raises:
        DataError: there are some.
    """
    hints = {name: split for name in top.folders if (split := split_hinted(name)) is not None}
    if not hints:
        return
    splits = {split: [name for name, found in hints.items() if found == split] for split in SPLITS}
    clear = {split: names for split, names in splits.items() if names}
    example = written(clear) if "train" in clear and all(hints.values()) else _EXAMPLE
    raise DataError(
        f"{top.path}: {listed(hints)} could be splits; if so, say {example}; if they are classes, say classes = "
        f"{quoted(list(top.folders))}"
    )


def refuse_copy(top: Node) -> None:
    """Refuse a folder that has the same folders in it as there are beside it.

    Raises:
        DataError: there is one.
    """
    for name, node in top.folders.items():
        if not node.is_link and node.folders and set(node.folders) <= set(top.folders) - {name}:
            raise DataError(
                f"{node.path}: has folders of the same names as those beside it, as an archive that was unpacked twice "
                f'does; remove it, or say leave_out = ["./{node.place.rstrip("/")}"]'
            )


def refuse_rest(root: Node, top: Path, used: set[Path]) -> None:
    """Refuse images that no class has got.

    Args:
        root: the folder.
        top: the folder that has the class folders, or those of the splits.
        used: the class folders.

    Raises:
        DataError: there are some.
    """
    between = {parent for path in used for parent in path.parents}
    names = {path.relative_to(top) for path in used}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.path in used:
            continue
        if node.path in between:
            if node.images:
                raise DataError(
                    f"{node.path}: {counted(len(node.images))} ({node.images[0]}, say) beside the class folders; "
                    f'move them, or say leave_out = ["./{node.place}*{Path(node.images[0]).suffix}"]'
                )
            stack += [below for below in node.folders.values() if not below.is_link or below.path in used | between]
        elif (number := node.count()) and not _is_copy(node, names):
            raise DataError(
                f"{node.path}: {counted(number)} in no class of the splits beside it; move them, say "
                f'leave_out = ["{node.place.rstrip("/")}"], or name the splits with splits = '
                f'{{ train = "...", test = "..." }}'
            )


def _is_copy(node: Node, names: set[Path]) -> bool:
    """Return whether a folder only repeats folders that are read, as an archive that was unpacked into itself does."""
    return all(below.path.relative_to(node.path) in names for below in node.below() if below.images)


def inner_folders(nodes: Sequence[Node]) -> tuple[list[str], str]:
    """Return what to note of folders in class folders, and what they say of patients, if anything.

    Args:
        nodes: the class folders.
    """
    for node in nodes:
        inner = {name: below for name, below in node.folders.items() if not below.is_link and below.count()}
        reason = not_classes(list(inner), lambda name, inner=inner: inner[name].count()) if len(inner) > 1 else ""  # type: ignore[misc]
        if "people" in reason or "patients" in reason:
            return [], f"{len(inner):,} folders in {node.place} {reason.removesuffix(', not classes')}"
        if inner:
            return [f"read the folders in class folders as images of the class ({listed(inner)} in {node.place})"], ""
    return [], ""


def table_beside(*nodes: Node) -> str:
    """Return what to say of a table beside images, or an empty string."""
    for node in nodes:
        for name in node.others:
            suffix = Path(name).suffix.lower()
            if suffix in {".csv", ".tsv", ".jsonl", ".parquet"}:
                return f' ({name} may say them: the data set "table" reads it)'
            if suffix in {".xlsx", ".xls", ".json"}:
                return f' ({name} may say them: save it as CSV for the data set "table")'
    return ""


def no_folders(root: Node) -> str:
    """Return what to say of a folder of images without class folders."""
    return (
        f"{root.path}: has 0 class folders; it needs two or more, each with the images of a class; "
        f"{counted(len(root.images))} directly in it{table_beside(root)}"
    )


def counted(images: int) -> str:
    """Return a number of images in words."""
    return "1 image" if images == 1 else f"{images:,} images"


def listed(names: Sequence[str] | Mapping[str, object]) -> str:
    """Return the first names of folders for a message."""
    shown = [f"{name}/" for name in list(names)[:_NAMED]]
    return ", ".join(shown) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def quoted(names: Sequence[str]) -> str:
    """Return the first names as a suite has them."""
    shown = ", ".join(f'"{name}"' for name in list(names)[:_NAMED])
    return f"[{shown}{', ...' if len(names) > _NAMED else ''}]"


def written(splits: Mapping[SplitName, Sequence[str]]) -> str:
    """Return what to write in a suite for folders of splits."""
    given = {split: quoted(names) if len(names) > 1 else f'"{names[0]}"' for split, names in splits.items()}
    return "splits = { " + ", ".join(f"{split} = {names}" for split, names in given.items()) + " }"
