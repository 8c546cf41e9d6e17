"""What the `health` analysis says of encoders beside the untrained one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.statistics.collapse import uses_few
from medssl_bench.suite.floors import FLOOR_NAMES

if TYPE_CHECKING:
    from medssl_bench.results.tables import TableResult


def health_notes(table: TableResult) -> list[str]:
    """Return a line for each encoder whose features use less than a tenth of the untrained encoder's dimensions."""
    ranks = {
        (row.dataset, row.arm, row.labels): row.metrics["rankme"].mean
        for row in table.analyses
        if "rankme" in row.metrics
    }
    floors = {dataset: rank for (dataset, arm, _), rank in ranks.items() if arm == FLOOR_NAMES["untrained"]}
    lines = []
    for (dataset, arm, labels), rank in ranks.items():
        floor = floors.get(dataset)
        if rank is not None and floor is not None and uses_few(rank, floor):
            at = "" if labels is None else f" at {labels} labels"
            lines.append(
                f"Features of {arm!r} on {dataset}{at} use few dimensions: RankMe {rank:.1f}, of the untrained encoder "
                f"{floor:.1f}."
            )
    return lines
