"""Benchmark results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.race import Times


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are aligned to the right."""
    marks = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, marks, *rows))


def race_table(times: Sequence[Times], references: Mapping[str, Times]) -> str:
    """Return a table of arms: speed, time of a step, spread, and how many times as fast as each reference.

    Args:
        times: of the arms, in order.
        references: by the heading of their column.
    """
    header = ["", "images/s", "ms a step", "spread", *references]
    rows = [
        [
            each.entry.label,
            f"{each.speed:,.0f}",
            f"{each.milliseconds:,.1f}",
            f"{each.spread:.0%}",
            *(f"{each.times_as_fast_as(reference):.2f}" for reference in references.values()),
        ]
        for each in times
    ]
    return table(header, rows)
