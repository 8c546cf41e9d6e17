"""How many labels arms save: grids for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.formats.text import not_varied, plain, signed
from medssl_bench.results.grid import Column, Grid, GridCell, GridRow
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from medssl_bench.results.label_efficiency import Ends, LabelEfficiency, Saving

_SIGNS = {"": "", "more": "> ", "less": "< "}


def label_savings_grids(found: Iterable[LabelEfficiency]) -> list[Grid]:
    """Return a grid for each data set: arms by the label budgets of the baseline.

    Args:
        found: of one comparison.
    """
    by_dataset: dict[str, list[LabelEfficiency]] = {}
    for each in found:
        by_dataset.setdefault(each.dataset, []).append(each)
    return [_grid(arms) for arms in by_dataset.values()]


def _grid(arms: Sequence[LabelEfficiency]) -> Grid:
    first = arms[0]
    columns = [Column(_budget(text, size), f"to reach “{first.baseline}” with") for text, size in first.budgets.items()]
    columns += [Column("area", "curve"), Column("minus baseline's", "curve")]
    rows = tuple(
        GridRow(
            (arm.arm,),
            (
                *(_saving(saving) for saving in arm.saved),
                GridCell(plain(arm.area), spread=_ends(arm.area_interval, plain)),
                GridCell(signed(arm.difference), spread=_ends(arm.difference_interval, signed)),
            ),
        )
        for arm in arms
    )
    title = f"{first.dataset}: how many times fewer labels an arm needs, by {metric_name(first.metric)}"
    return Grid(title, ("arm",), tuple(columns), rows, tuple(_notes(first)))


def _saving(saving: Saving) -> GridCell:
    return GridCell(f"{_SIGNS[saving.bound]}{_times(saving.ratio)}", spread=_ends(saving.interval, _times))


def _budget(text: str, size: int) -> str:
    return f"{size:,} labels" if text == str(size) else f"{size:,} labels ({text})"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def _ends(interval: Ends | None, written: Callable[[float], str]) -> str:
    """Return an interval: ``(1.80 to 3.10)``; without an end that is not bounded, and nothing where neither is."""
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    if low is None or high is None:
        return f"(from {written(low)})" if low is not None else f"(up to {written(high)})" if high is not None else ""
    return f"({written(low)} to {written(high)})"


def _notes(first: LabelEfficiency) -> list[str]:
    fewest, *_, most = (f"{size:,}" for size in first.budgets.values())
    what = (
        f"2.00: with half the labels the arm reaches the value of “{first.baseline}” with those of the column. > 2.00: "
        f"it does with the fewest that were run ({fewest}). < 0.50: it does not with the most ({most}). Nothing is "
        "extrapolated."
    )
    area = f"Area: mean of the metric over the logarithm of the number of labels, from {fewest} to {most}."
    found = [what, area]
    if first.area_interval is not None:
        found.append(
            "In brackets: 95 % interval, for other training seeds, label draws and test images (drawn anew 1,000 times "
            f"for all label budgets together){not_varied(first.left_out)}."
        )
    return found
