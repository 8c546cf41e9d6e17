"""Whether seeds or label draws were added to a comparison after it had a complete table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from medssl_bench.plan.stage import Trial
    from medssl_bench.store.record import Record
    from medssl_bench.suite.table import Table


def growth(table: Table, cells: Collection[Sequence[Trial]], record: Callable[[str], Record | None]) -> str:
    """Return a line on the first complete table, if the suite has more seeds or draws by now; else an empty string.

    A record says how many of each its suite had when it was made. A table was complete if every cell has as many
    results of that time as there were seeds times draws. Records of before this was written say nothing.

    Args:
        table: the comparison as it is now.
        cells: the trials of each of its cells.
        record: reads the record of a stage; None: it is not finished.
    """
    now = len(table.seeds), len(table.draws)
    made = [Counter(_design(record(trial.stage)) for trial in trials) for trials in cells]
    smaller = {found for counts in made for found in counts if found and found != now}
    for seeds, draws in sorted(found for found in smaller if found[0] <= now[0] and found[1] <= now[1]):
        if all(counts[seeds, draws] >= seeds * draws * table.folds for counts in made):
            return (
                f"Runs were added to a complete table: it had {seeds} seeds x {draws} draws, this one has {now[0]} x "
                f"{now[1]}. If they were added because of its result, more than 5 % of such verdicts are wrong."
            )
    return ""


def _design(record: Record | None) -> tuple[int, int] | None:
    design = record.provenance.get("design") if record else None
    if not isinstance(design, dict):
        return None
    seeds, draws = design.get("seeds"), design.get("draws")
    return (seeds, draws) if isinstance(seeds, int) and isinstance(draws, int) else None
