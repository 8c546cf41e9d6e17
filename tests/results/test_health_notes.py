"""Encoders whose features use far fewer dimensions than those of the untrained one."""

from __future__ import annotations

from medssl_bench.results.cells import Cell
from medssl_bench.results.formats.text import notes
from medssl_bench.results.health_notes import health_notes
from medssl_bench.results.tables import AnalysisRow, TableResult
from medssl_bench.results.value import Value


def _row(arm: str, rank: float | None, labels: str | None = None, dataset: str = "set") -> AnalysisRow:
    cell = Cell("t", dataset, labels or "none", arm, "rankme", values=[] if rank is None else [Value(0, 0, rank)])
    return AnalysisRow(arm, dataset, labels, {"rankme": cell})


def _table(*rows: AnalysisRow) -> TableResult:
    return TableResult("t", "T", [], None, "", [], list(rows))


def test_a_tenth_of_the_untrained_encoders_rank_is_told() -> None:
    table = _table(
        _row("untrained encoder", 60.0),
        _row("sound", 6.0),
        _row("flat", 5.9),
        _row("tuned", 2.0, "100"),
        _row("waiting", None),
        _row("flat", 1.0, dataset="other"),
    )
    lines = [
        "Features of 'flat' on set use few dimensions: RankMe 5.9, of the untrained encoder 60.0.",
        "Features of 'tuned' on set at 100 labels use few dimensions: RankMe 2.0, of the untrained encoder 60.0.",
    ]
    assert health_notes(table) == lines, "where there is no untrained encoder nothing is known"
    assert notes(table)[-2:] == lines


def test_without_the_analysis_nothing_is_said() -> None:
    assert health_notes(_table()) == []
