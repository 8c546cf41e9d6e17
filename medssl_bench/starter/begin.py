"""From a user's paths to a suite in a file: looks, decides, checks, writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from medssl_bench.costs.measured import known_calibration
from medssl_bench.errors import UserError
from medssl_bench.progress.words import duration
from medssl_bench.starter.budgets import label_budgets
from medssl_bench.starter.columns import Asked
from medssl_bench.starter.durations import Lengths, fitting_lengths
from medssl_bench.starter.looks import (
    READ_MOST,
    Sample,
    copies_between,
    copies_in,
    is_here,
    read,
    same_files,
    sample,
    scarce_classes,
)
from medssl_bench.starter.new_file import part_of, put_in_place, refuse_existing
from medssl_bench.starter.sources import DatasetMaker, Source, labelled_source, unlabelled_source
from medssl_bench.starter.suite_text import Draft, suite_text
from medssl_bench.starter.timing import Timing
from medssl_bench.starter.weights import are_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from medssl_bench.datasets import DatasetContext
    from medssl_bench.datasets.copies import Copies
    from medssl_bench.plugin.manager import Plugins

_MOST_PATTERNS = 1000
"""Files that are left out one by one."""


@dataclass(frozen=True)
class Wanted:
    """What the user asks for.

    Attributes:
        target: what has labels: a path, or the name of a data set.
        unlabelled: folders and arrays of images without labels.
        output: the suite to write.
        hours: the time there is; None: the usual epochs.
        asked: which columns mean what.
        common: parameters that every data set of files takes.
        settings: other parameters of the one with the labels.
        look: whether all images are read: ``auto``, ``some`` or ``all``.
        device: torch's type of the device that is going to compute, or ``auto``.
    """

    target: str
    unlabelled: tuple[Path, ...]
    output: Path
    hours: float | None
    asked: Asked
    common: Mapping[str, Any]
    settings: Mapping[str, Any]
    look: str
    device: str


class Teller(Protocol):
    """Takes what was found, in this order."""

    def found(self, source: Source, seen: Sample | None, copies: Copies | None) -> None:
        """Take a data set, what some of its files are like, and what its parts share, where that was looked for."""

    def written(self, file: Path, draft: Draft, shared: tuple[str, ...]) -> None:
        """Take the suite that was written, and what its data sets share."""


def begin(
    wanted: Wanted,
    plugins: Plugins,
    context: DatasetContext,
    told: Teller,
    measure: Callable[[Path], None] | None,
) -> None:
    """Write a suite.

    Args:
        wanted: what the user asks for.
        plugins: where components come from.
        context: where data sets keep files.
        told: takes what was found.
        measure: measures this machine and keeps that in a folder; None: it is not measured.

    Raises:
        UserError: something is not clear; the message says what was seen and what to say.
    """
    refuse_existing(wanted.output)
    maker = DatasetMaker(plugins.registry, context, wanted.settings)
    labelled = labelled_source(maker, wanted.target, wanted.asked, wanted.common)
    if not any(labelled.info.counts.values()):
        raise UserError(f"{wanted.target}: has no labels, so no arm could be judged; name it with --unlabelled")
    common = {**wanted.common, "size": labelled.info.size}
    plain = DatasetMaker(plugins.registry, context, {}, maker.names)
    pools = tuple(unlabelled_source(plain, path, common, _left_out(labelled, path)) for path in wanted.unlabelled)
    fingerprints: dict[str, str] = {}
    looked = []
    for source in (labelled, *pools):
        now, copies = source, None
        is_read = is_here(source) and (wanted.look == "all" or (wanted.look == "auto" and source.images <= READ_MOST))
        seen = sample(source, check=not is_read) if source.files else None
        if is_read:
            now, fingerprints[source.name] = read(source)
            copies = copies_in(now, fingerprints[source.name], context)
        now = replace(now, lines=tuple(_to_decide(now)))
        told.found(now, seen, copies)
        looked.append(now)
    labelled, pools = looked[0], tuple(looked[1:])
    shared = copies_between(labelled, pools) if len(fingerprints) == len(looked) else ()
    draft = Draft(
        name=labelled.name[:80],
        labelled=labelled,
        pools=pools,
        labels=tuple(label_budgets(labelled.info)),
        lengths=Lengths(),
        batch_size=_batch_size(sum(source.info.unlabelled for source in looked) + labelled.info.counts["train"]),
        weights_here=are_here(),
    )
    timing = Timing(plugins, context, {source.name: source for source in looked}, fingerprints, wanted.device)
    told.written(wanted.output, _written(wanted, draft, timing, measure), shared)


def _written(wanted: Wanted, draft: Draft, timing: Timing, measure: Callable[[Path], None] | None) -> Draft:
    """Write the suite, with epochs that fit the time, and return it."""
    cache = timing.context.cache_dir
    with part_of(wanted.output) as part:

        def seconds(lengths: Lengths) -> float:
            changed = replace(draft, lengths=lengths)
            return timing.seconds(part, wanted.output, lambda: suite_text(changed, wanted.output))

        seconds(draft.lengths)  # what is wrong with it is known before the machine is measured
        if measure is not None and known_calibration(cache, wanted.device).calibration is None:
            measure(cache)
        lengths = draft.lengths if wanted.hours is None else fitting_lengths(seconds, wanted.hours)
        calibration = known_calibration(cache, wanted.device).calibration
        basis = f"by its calibration of {calibration.time[:10]}" if calibration else "roughly, as it is not calibrated"
        asked = "" if wanted.hours is None else f"; there are {duration(wanted.hours * 3600)}"
        draft = replace(
            draft, lengths=lengths, time=f"about {duration(seconds(lengths))} on this machine, {basis}{asked}"
        )
        seconds(lengths)  # written as it is now, and read as a suite
        put_in_place(part, wanted.output)
    return draft


def _left_out(labelled: Source, path: Path) -> list[str]:
    """Return patterns for the labelled images among those without labels.

    Raises:
        UserError: there are too many to name.
    """
    patterns = same_files(labelled, path) if path.is_dir() else []
    if len(patterns) > _MOST_PATTERNS:
        raise UserError(
            f"{path}: {len(patterns):,} images in it have labels, and lie between those without; put one kind into a "
            f"folder of its own"
        )
    return patterns


def _to_decide(source: Source) -> list[str]:
    """Return what was read in one way and could be meant in another, and the option that decides."""
    info = source.info
    lines = list(source.lines)
    numbered = all(any(letter.isdecimal() for letter in name) for name in info.classes)
    if len(info.classes) > 2 and numbered and info.task == "multi-class" and "task" not in source.parameters:
        names = ", ".join(info.classes[:5]) + (", ..." if len(info.classes) > 5 else "")
        lines.append(f"task: the classes {names} are read as without an order; --task ordinal if they are grades")
    return [*lines, *scarce_classes(info)]


def _batch_size(images: int) -> int:
    """Return the images of a batch: of few images, small batches give more steps."""
    return 256 if images >= 10_000 else 128 if images >= 2000 else 64
