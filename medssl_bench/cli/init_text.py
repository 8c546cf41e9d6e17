"""What ``init`` says of the images that it has found, in 80 columns."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from medssl_bench.cli.console import standard_output
from medssl_bench.datasets.base import SPLITS
from medssl_bench.errors import printable
from medssl_bench.suite.toml_text import written

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.datasets.copies import Copies
    from medssl_bench.starter.durations import Lengths
    from medssl_bench.starter.looks import Sample
    from medssl_bench.starter.sources import Source
    from medssl_bench.starter.suite_text import Draft

_WIDTH = 80
_MOST_CLASSES = 20
_MOST_LINES = 8
"""Notes of a kind that are shown."""


class Told:
    """Prints what was found."""

    def __init__(self) -> None:
        self._console = standard_output()
        self._console.width = min(self._console.width, _WIDTH)

    def found(self, source: Source, seen: Sample | None, copies: Copies | None) -> None:
        """Print what a data set is."""
        info = source.info
        kind = "grey" if info.channels == 1 else "RGB"
        what = f"{info.task}, {len(info.classes)} classes" if info.classes else "no labels"
        self._line(f"{source.name}: {source.images:,} images, {what}, {kind}, read at {info.size} px", "bold")
        if info.classes:
            self._console.print(_counts(info))
        self._lines("", source.lines)
        self._lines("", _looks(source, seen))
        self._lines("note: ", info.notes)
        self._lines("warning: ", info.warnings)
        if copies is None:
            self._lines("", ["copies: not looked for; validate reads all images, and finds copies and broken files"])
        elif not copies.warnings and not copies.notes:
            self._lines("", ["copies: none, turned and mirrored ones neither"])
        else:
            self._lines("copies: ", copies.notes)
            self._lines("warning: ", copies.warnings)
        self._console.print()

    def written(self, file: Path, draft: Draft, shared: tuple[str, ...]) -> None:
        """Print what was written, and what to do with it."""
        self._lines("warning: ", shared)
        labels = ", ".join(_budget(label) for label in draft.labels)
        arms = 4 + 2 * draft.weights_here
        weights = "" if draft.weights_here else "; ImageNet weights are not here, so their two arms are commented out"
        self._line(f"{file}: written", "bold")
        self._lines(
            "",
            [
                f"{arms} arms and 2 floors, labels {labels}, {_repeated(draft.lengths)}{weights}",
                f"{draft.lengths.pretraining} epochs of SimCLR, {draft.lengths.tuning} of fine-tuning: {draft.time}",
            ],
        )
        self._console.print()
        for verb in ("validate", "plan", "run", "report"):
            self._console.print(Text(f"  medssl-bench {verb} {quote(str(file))}"), soft_wrap=True)

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(printable(text), style=style))

    def _lines(self, start: str, lines: tuple[str, ...] | list[str]) -> None:
        """Print lines; what does not fit goes on below the text of its line, not below its first word."""
        for line in lines[:_MOST_LINES]:
            head, colon, rest = printable(f"{start}{line}").partition(": ")
            has_head = bool(colon) and len(head) <= 12
            before, text = (f"  {head}: ", rest) if has_head else ("  ", head + colon + rest)
            for part in Text(text).wrap(self._console, self._console.width - cell_len(before)):
                part.rstrip()
                self._console.print(Text(before, "dim") + part, soft_wrap=True)
                before = " " * cell_len(before)
        if len(lines) > _MOST_LINES:
            self._line(f"  and {len(lines) - _MOST_LINES} more")


def _counts(info: DatasetInfo) -> Table:
    """Return a table of the images of each class and split."""
    drawn = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    drawn.add_column("  ", overflow="fold", max_width=40)
    for split in SPLITS:
        drawn.add_column(split, justify="right")
    drawn.add_row("  images", *(f"{info.counts[split]:,}" for split in SPLITS))
    if info.group_counts is not None:
        drawn.add_row("  groups", *(f"{info.group_counts[split]:,}" for split in SPLITS))
    by_split = (info.class_counts, info.val_class_counts, info.test_class_counts)
    if all(counts is None for counts in by_split):
        return drawn
    for label, name in list(enumerate(info.classes))[:_MOST_CLASSES]:
        drawn.add_row(f"  {printable(name)}", *("" if c is None else f"{c[label]:,}" for c in by_split))
    if len(info.classes) > _MOST_CLASSES:
        drawn.add_row(f"  and {len(info.classes) - _MOST_CLASSES} classes more")
    return drawn


def _looks(source: Source, seen: Sample | None) -> list[str]:
    """Return lines on sizes, bits and values of files."""
    if seen is None or not seen.facts:
        return []
    sizes = seen.sizes
    total = len(seen.facts)
    named = ", ".join(f"{width} x {height} ({count})" for (width, height), count in sizes[:3])
    more = f" and {len(sizes) - 3} more" if len(sizes) > 3 else ""
    small = min(min(size) for size, _ in sizes)
    crop = "; the middle square is kept" if any(width != height for (width, height), _ in sizes) else ""
    lines = [f"sizes: {named}{more} of {total} looked at{crop}"]
    if small < source.info.size:
        lines.append(f"sizes: some have {small} pixels only, and are enlarged to {source.info.size}")
    bits = " and ".join(map(str, seen.bits))
    colours = sum(fact.colour for fact in seen.facts)
    colour = "in colour" if colours == total else "grey" if not colours else f"{colours} of {total} in colour"
    values = ""
    if len(seen.levels.low):
        values = f", values from {int(seen.levels.low.min()):,} to {int(seen.levels.high.max()):,}"
        values += f" of 0..{int(seen.levels.limit.max()):,}"
        values += f" once read with range {written(chosen)}" if (chosen := source.parameters.get("range")) else ""
    lines.append(f"files: {bits} bits, {colour}{values}")
    lines += [f"unreadable: {name} ({reason})" for name, reason in seen.unreadable.items()]
    return lines


def _repeated(lengths: Lengths) -> str:
    seeds = "1 training seed" if lengths.seeds == 1 else f"{lengths.seeds} training seeds"
    return f"{seeds}, {lengths.draws} label draw{'s' if lengths.draws > 1 else ''}"


def _budget(label: object) -> str:
    return f"{label['groups']} groups" if isinstance(label, dict) else str(label)
