"""Where in a folder the images of each split and class are, as a person would see it, or why that is not clear."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.folder.doubts import (
    counted,
    listed,
    refuse_copy,
    refuse_hints,
    refuse_no_classes,
    table_beside,
    written,
)
from medssl_bench.datasets.folder.names import (
    is_companion,
    is_container,
    natural,
    plain,
    split_named,
)
from medssl_bench.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.folder.tree import Node

    Groups = list[tuple[SplitName, dict[str, Node]]]
    """For each folder of a split, its class folders by name."""


@dataclass(frozen=True)
class Wishes:
    """What a suite says of the folder itself, each None where it leaves that to the folder.

    Attributes:
        splits: folders of each split, below the root, in which the class folders are.
        classes: names of the class folders, in order.
    """

    splits: Mapping[SplitName, Sequence[str]] | None = None
    classes: Sequence[str] | None = None


@dataclass
class Layout:
    """What a folder is seen as.

    Attributes:
        classes: in order.
        places: the folders of each split and class (its number), in the order in which they are read.
        top: the folder that has the class folders, or those of the splits.
        notes: what was understood beyond the plain ``train/CLASS/`` or ``CLASS/``, for people.
    """

    classes: tuple[str, ...] = ()
    places: list[tuple[SplitName, int, Node]] = field(default_factory=list)
    top: Path = field(default_factory=Path)
    notes: list[str] = field(default_factory=list)


def find_layout(root: Node, wishes: Wishes) -> Layout:
    """Return where the images are.

    Raises:
        DataError: the folders are no classes, or could be read in more than one way; the message says what to write.
    """
    layout = Layout(top=root.path)
    if wishes.splits is not None:
        groups = _given_splits(root, wishes.splits)
    else:
        top = _descend(root, layout, wishes)
        layout.top = top.path
        groups = _found_splits(top, layout, wishes)
    _assign_classes(groups, layout, wishes)
    return layout


def _descend(node: Node, layout: Layout, wishes: Wishes) -> Node:
    """Return the folder that the splits or classes are in: below an archive's outer folder, or ``images/``."""
    while True:
        inner = [below for below in node.folders.values() if not is_companion(below.path.name) or below.count()]
        if len(inner) != 1 or node.images or inner[0].is_link or _has_classes(node, wishes):
            return node
        (only,) = inner
        name = only.path.name
        if split_named(name):
            return node
        if not (is_container(name) or plain(name) == plain(node.path.name) or _leads_to_splits(only)):
            return node
        layout.notes.append(f"read {only.place} as the folder")
        node = only


def _has_classes(node: Node, wishes: Wishes) -> bool:
    return wishes.classes is not None and set(wishes.classes) <= set(node.folders)


def _leads_to_splits(node: Node) -> bool:
    """Return whether single folders, one in the other, end at folders of splits."""
    while len(node.folders) == 1 and not node.images:
        (node,) = node.folders.values()
        if node.is_link:
            return False
    return any(split_named(name) for name in node.folders)


def _given_splits(root: Node, splits: Mapping[SplitName, Sequence[str]]) -> Groups:
    if "train" not in splits:
        raise DataError(f"{root.path}: 'splits' names no folder of train; give one")
    paths = [PurePosixPath(name) for names in splits.values() for name in names]
    if twice := [str(path) for path, number in Counter(paths).items() if number > 1]:
        raise DataError(f"{root.path}: 'splits' names {twice[0]} twice; an image is in one split alone")
    groups: Groups = []
    for split in SPLITS:
        for name in splits.get(split, ()):
            node = _below(root, name)
            if node is None:
                near = did_you_mean(name, root.folders)
                raise DataError(f"{root.path}: 'splits': there is no folder {name} in it{near}")
            groups.append((split, _class_folders(node)))
    return groups


def _below(root: Node, name: str) -> Node | None:
    parts = PurePosixPath(name).parts
    if PurePosixPath(name).is_absolute() or ".." in parts:
        raise DataError(f"{root.path}: 'splits': {name} is not a folder below it")
    node: Node | None = root
    for part in parts:
        node = node.folders.get(part) if node else None
    return node


def _found_splits(top: Node, layout: Layout, wishes: Wishes) -> Groups:
    if _has_classes(top, wishes):
        return _unsplit(top, layout, wishes)
    named: dict[SplitName, list[str]] = {split: [n for n in top.folders if split_named(n) == split] for split in SPLITS}
    found = {split: names for split, names in named.items() if names}
    if not found:
        return _unsplit(top, layout, wishes)
    for split, names in found.items():
        if len(names) > 1:
            raise DataError(
                f"{top.path}: {listed(names)} could both be the {split} split; say which with "
                f"{written({s: n[:1] for s, n in found.items()})}"
            )
    if "train" not in found:
        seen = f"has {next(iter(found.values()))[0]}/ but no train/"
        raise DataError(f"{top.path}: {seen}; give the training split too, or class folders alone")
    if said := [f"{names[0]}/ as {split}" for split, names in found.items() if names[0] != split]:
        layout.notes.append(f"read {', '.join(said)}")
    groups: Groups = []
    for split, (name,) in found.items():
        node = top.folders[name]
        folders = _class_folders(node)
        if not node.count() and not any(below.is_link for below in folders.values()):
            raise DataError(f"{node.path}: holds no images; a split needs some: remove it, or put them there")
        _refuse_flat(node, folders, top, found)
        groups.append((split, folders))
    return groups


def _refuse_flat(node: Node, folders: dict[str, Node], top: Node, found: dict[SplitName, list[str]]) -> None:
    """Refuse images of a split that are in no class folder."""
    if folders or not node.images:
        return
    rest = {split: names for split, names in found.items() if names != [node.path.name]}
    instead = f", or leave them out with {written(rest)}" if "train" in rest else ""
    raise DataError(
        f"{node.path}: holds {counted(len(node.images))} but no class folders, so their classes are not known: sort "
        f"them into folders named as the classes{instead}{table_beside(top, node)}"
    )


def _unsplit(top: Node, layout: Layout, wishes: Wishes) -> Groups:
    if wishes.classes is None:
        refuse_hints(top)
        refuse_copy(top)
    real = {name: node for name, node in top.folders.items() if not node.is_link}
    inner = {
        name: {split: below for below in node.folders if (split := split_named(below))}
        for name, node in real.items()
        if wishes.classes is None or name in wishes.classes
    }
    if any(inner.values()):
        return _splits_in_classes(top, inner, layout)
    return [("train", dict(top.folders))]


def _splits_in_classes(top: Node, inner: dict[str, dict[SplitName, str]], layout: Layout) -> Groups:
    """Return the splits of ``CLASS/train/``, ``CLASS/test/``."""
    odd = [name for name, splits in inner.items() if "train" not in splits or top.folders[name].images]
    splits = list(dict.fromkeys(split for found in inner.values() for split in found))
    if odd:
        raise DataError(
            f"{top.path}: some class folders have folders of splits in them ({listed(splits)}), but {odd[0]}/ has no "
            f"train/ or images beside it; lay all out alike, best as train/CLASS/ and test/CLASS/"
        )
    layout.notes.append(f"read the folders {listed(splits)} in each class folder as its splits")
    return [
        (split, {name: top.folders[name].folders[found[split]] for name, found in inner.items() if split in found})
        for split in SPLITS
        if split in splits
    ]


def _class_folders(node: Node) -> dict[str, Node]:
    """Return the class folders of a split, which may be in ``images/``."""
    while len(node.folders) == 1 and not node.images:
        (only,) = node.folders.values()
        if not is_container(only.path.name) or only.is_link:
            break
        node = only
    return dict(node.folders)


def _assign_classes(groups: Groups, layout: Layout, wishes: Wishes) -> None:
    """Find the classes and the folder of each in each split."""
    training = [folders for split, folders in groups if split == "train"]
    names = sorted(dict.fromkeys(name for folders in training for name in folders if _may_be_class(folders[name])))
    start = _common(training) or layout.top
    for name in names:
        if not name.isprintable():
            raise DataError(f"{start / name}: the name of a class has letters that cannot be shown; rename the folder")
    if wishes.classes is not None:
        if missing := [name for name in wishes.classes if name not in names]:
            near = did_you_mean(missing[0], names)
            raise DataError(f"{start}: 'classes': there is no folder {missing[0]} in it{near}")
        if len(set(wishes.classes)) != len(wishes.classes):
            raise DataError(f"{start}: 'classes': a name appears twice")
        classes = list(wishes.classes)
    else:
        classes = sorted(names, key=natural)
    if len(classes) < 2:
        raise DataError(_too_few(start, classes, training))
    if len({plain(name) for name in classes}) < len(classes):
        shared = Counter(map(plain, classes)).most_common(1)[0][0]
        alike = [name for name in classes if plain(name) == shared]
        raise DataError(f"{start}: {listed(alike)} differ in case or spaces alone; put them together, or rename one")
    layout.classes = tuple(classes)
    for split, folders in groups:
        _place(split, folders, layout, wishes)
    if wishes.classes is None:
        refuse_no_classes(start, training, classes)


def _may_be_class(node: Node) -> bool:
    return not is_companion(node.path.name) or node.is_link or node.count() > 0


def _common(training: list[dict[str, Node]]) -> Path | None:
    """Return the folder that the first class folders of the training split are in."""
    parents = [node.path.parent for folders in training for node in folders.values()]
    return parents[0] if parents else None


def _place(split: SplitName, folders: dict[str, Node], layout: Layout, wishes: Wishes) -> None:
    by_name = {plain(name): label for label, name in enumerate(layout.classes)}
    for name, node in folders.items():
        label = by_name.get(plain(name))
        if name in layout.classes:
            label = layout.classes.index(name)
        if label is None:
            if wishes.classes is None and _may_be_class(node):
                near = did_you_mean(name, layout.classes)
                raise DataError(f"{node.path}: the training split has no class folder of that name{near}")
            continue
        if layout.classes[label] != name:
            layout.notes.append(f"read {node.place} as {layout.classes[label]}")
        layout.places.append((split, label, node))
    layout.places.sort(key=lambda place: (SPLITS.index(place[0]), place[1]))


def _too_few(start: Path, classes: list[str], training: list[dict[str, Node]]) -> str:
    folders = "1 class folder" if len(classes) == 1 else f"{len(classes)} class folders"
    seen = f"has {folders}; it needs two or more, each with the images of a class"
    node = training[0][classes[0]] if classes and training else None
    while node is not None and len(node.folders) == 1 and not node.images and not node.is_link:
        (node,) = node.folders.values()
    if node is not None and not node.images and len(node.folders) > 1:
        return f'{start}: {seen}: if {listed(node.folders)} are the classes, say path = "{node.path}"'
    return f"{start}: {seen}"
