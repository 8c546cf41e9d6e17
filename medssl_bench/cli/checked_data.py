"""What ``data check`` says of a data set: as text, for programs, and as a sheet of the pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.errors import DataError, UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets import DatasetContext, DatasetInfo
    from medssl_bench.datasets.audit.audit import Audit
    from medssl_bench.datasets.audit.near import Pairs
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry

_LISTED = 10
"""Pairs of a kind, and images of a kind, that the text names."""

_MOST_ALIKE = 1000
"""Look-alikes that JSON lists."""

_DRAWN = 60
"""Pairs of a kind on a sheet."""

_TURNS = ("", "turned 90", "turned 180", "turned 270", "mirrored", "mirrored, turned 90", "upside down", "transposed")


@dataclass(frozen=True)
class Checked:
    """A data set that was looked through.

    Attributes:
        label: what it is called.
        info: what it says of itself.
        audit: what was found.
        names: of its images, by part, where it has names.
    """

    label: str
    info: DatasetInfo
    audit: Audit
    names: Mapping[str, Sequence[str]]

    @property
    def kinds(self) -> dict[str, Pairs]:
        """The pairs by what they are; first those that leak from one part to another."""
        found = {"copy": self.audit.copies, "near copy": self.audit.near, "look-alike": self.audit.look_alikes}
        return {kind: pairs.where(self._leaks_first(pairs)) for kind, pairs in found.items()}

    def _leaks_first(self, pairs: Pairs) -> NDArray[np.int64]:
        leak = self.audit.shelf.leak(pairs.first, pairs.second)
        return np.argsort(~leak, kind="stable")

    def image(self, number: int) -> str:
        """Return what an image is called: its part, its place there, and its file."""
        part, place = self.audit.shelf.place(number)
        names = self.names.get(part.name)
        return f"{part.name} {place}" + (f" ({names[place]})" if names else "")

    def label_of(self, number: int) -> str | list[str] | None:
        """Return the class of an image, the labels that a multi-label image has, or None."""
        part, place = self.audit.shelf.place(number)
        if part.labels is None:
            return None
        row = part.labels[place].tolist()
        if len(row) == 1:
            return self.info.classes[row[0]]
        return [name for name, has in zip(self.info.classes, row, strict=True) if has]


def checked(label: str, component: Component, registry: Registry, context: DatasetContext) -> Checked:
    """Read a data set and look through its images; what leaks is remembered, for `validate`, `run` and tables.

    Raises:
        DataError: it is not here, has no images, or is not valid.
    """
    from medssl_bench.datasets import Dataset
    from medssl_bench.datasets.audit.audit import audit
    from medssl_bench.datasets.check_splits import checked_splits
    from medssl_bench.datasets.copies import copies_key, remember_near_copies
    from medssl_bench.datasets.download import Downloadable
    from medssl_bench.datasets.parts import parts_of
    from medssl_bench.datasets.progress import progress_bar
    from medssl_bench.plan.spec import DatasetSpec
    from medssl_bench.plugin.guarded import asking, make

    dataset = make(registry, component, context=context)
    if isinstance(dataset, Downloadable) and not dataset.is_present():
        raise DataError(f"{label}: not in the data folder; medssl-bench data fetch {component.name} downloads it")
    with asking(component):
        info, splits = checked_splits(dataset, component.name)
        parts = parts_of(dataset, splits)
        names = dataset.image_names() if isinstance(dataset, Dataset) else {}  # a plugin's may not be derived from it
    total = sum(len(part) for part in parts)
    if not total:
        raise DataError(f"{label}: has no images")
    with progress_bar(f"comparing the {total:,} images of {label}", "images") as report:
        found = audit(info, parts, lambda done, whole: report(done * total // max(1, whole), total))
    spec = DatasetSpec(component=component, fingerprint=dataset.fingerprint())
    remember_near_copies(copies_key(spec.key, info), found.near_leaks, context.cache_dir)
    return Checked(label, info, found, names)


def to_text(result: Checked) -> Iterator[str]:
    """Yield lines for people."""
    audit, info = result.audit, result.info
    counts = ", ".join(f"{len(part):,} {part.word}" for part in audit.shelf.parts)
    yield f"{result.label}: {counts} images of {info.size} pixels"
    yield from (f"  leak: {line}" for line in audit.leaks)
    yield from (f"  note: {line}" for line in audit.notes)
    if not audit.leaks and not audit.notes:
        yield "  nothing was found"
    for kind, pairs in list(result.kinds.items())[:2]:
        for place in range(min(_LISTED, len(pairs))):
            yield f"  {kind}: {_pair_text(result, pairs, place)}"
        if len(pairs) > _LISTED:
            yield f"  and {len(pairs) - _LISTED:,} more; --format json lists them"
    for kind, numbers in audit.singles.items():
        more = f", and {len(numbers) - _LISTED:,} more" if len(numbers) > _LISTED else ""
        if len(numbers):
            yield f"  {kind}: {', '.join(map(result.image, numbers[:_LISTED].tolist()))}{more}"
    yield f"  near copies have a likeness of {audit.threshold:.3f} or more in this set"


def to_json(result: Checked) -> dict[str, Any]:
    """Return what was found, for programs."""
    audit = result.audit
    return {
        "dataset": result.label,
        "images": {part.name: len(part) for part in audit.shelf.parts},
        "threshold": round(audit.threshold, 4),
        "leaks": list(audit.leaks),
        "notes": list(audit.notes),
        "pairs": [
            _pair_data(result, kind, pairs, place)
            for kind, pairs in result.kinds.items()
            for place in range(min(len(pairs), _MOST_ALIKE) if kind == "look-alike" else len(pairs))
        ],
        "images_alone": {
            kind: [_image_data(result, number) for number in numbers.tolist()]
            for kind, numbers in audit.singles.items()
        },
    }


def drawn(results: Sequence[Checked], file: Path) -> str:
    """Draw the pairs of some data sets into one picture, the copies first, and return what there is to say of it.

    Raises:
        UserError: the picture cannot be written.
    """
    from medssl_bench.figures.pairs import pairs_sheet, stacked

    sheets = []
    for result in results:
        chosen = [
            (kind, pairs, place) for kind, pairs in result.kinds.items() for place in range(min(len(pairs), _DRAWN))
        ]
        if chosen:
            shelf = result.audit.shelf
            images = [
                (shelf.image(pairs.first[place]), shelf.image(pairs.second[place]), int(pairs.turn[place]))
                for _, pairs, place in chosen
            ]
            captions = [
                (f"{kind} {pairs.likeness[place]:.3f}", *_both(result, pairs, place)) for kind, pairs, place in chosen
            ]
            sheets.append(pairs_sheet(images, captions))
    if not sheets:
        return f"{file}: not written; there are no pairs to draw"
    try:
        stacked(sheets).save(file, format="PNG")
    except OSError as error:
        raise UserError(f"{file}: cannot be written ({error.strerror or error})") from error
    return f"{file}: written"


def _both(result: Checked, pairs: Pairs, place: int) -> tuple[str, str]:
    return result.image(int(pairs.first[place])), result.image(int(pairs.second[place]))


def _pair_text(result: Checked, pairs: Pairs, place: int) -> str:
    first, second = _both(result, pairs, place)
    turn = _TURNS[int(pairs.turn[place])]
    labels = [result.label_of(int(numbers[place])) for numbers in (pairs.first, pairs.second)]
    differ = f", labels {labels[0]!r} and {labels[1]!r}" if None not in labels and labels[0] != labels[1] else ""
    return f"{first} = {second}, likeness {pairs.likeness[place]:.3f}{f', {turn}' if turn else ''}{differ}"


def _pair_data(result: Checked, kind: str, pairs: Pairs, place: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "likeness": round(float(pairs.likeness[place]), 4),
        "turn": int(pairs.turn[place]),
        "first": _image_data(result, int(pairs.first[place])),
        "second": _image_data(result, int(pairs.second[place])),
    }


def _image_data(result: Checked, number: int) -> dict[str, Any]:
    part, place = result.audit.shelf.place(number)
    names = result.names.get(part.name)
    data: dict[str, Any] = {"part": part.name, "index": place, "label": result.label_of(number)}
    return data | ({"file": names[place]} if names else {})
