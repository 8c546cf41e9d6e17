"""How far a run is from published numbers: differences and spreads by hand, and no verdict."""

from __future__ import annotations

from statistics import stdev

import pytest

from medssl_bench.compare.agreement import agreement
from medssl_bench.results.cells import Cell, Value


def _cell(values: list[float], reference: float | None, scaled: float | None = None, expected: int = 0) -> Cell:
    found = [Value(0, draw, value) for draw, value in enumerate(values)]
    return Cell("t", "d", "100", "a", "accuracy", found, expected or len(values), reference=reference, scaled=scaled)


def test_differences_and_spreads_and_no_verdict() -> None:
    """A published number far outside of everything that the run has is told by its difference, and by no word."""
    cells = [_cell([0.70, 0.72, 0.77], 0.75), _cell([0.5, 0.6], 0.95), _cell([0.8], 0.79)]
    found = agreement(cells)
    assert found is not None
    assert found.gaps == pytest.approx((0.02, 0.40, 0.01))
    assert found.spreads == pytest.approx((stdev([0.70, 0.72, 0.77]), stdev([0.5, 0.6])))
    assert found.text == (
        "Of 3 published numbers, 3 are compared. Absolute difference: median 0.020, largest 0.400. Standard deviation "
        "of this run's values: median 0.053; 1 rest on one value. Agreement is not judged: no interval for seeds, "
        "draws and images yet."
    )
    assert not {"agree", "agrees", "differ", "differs"} & set(found.text.split())


def test_what_is_not_compared() -> None:
    cells = [
        _cell([0.7], 0.0),
        _cell([], 0.7, expected=2),
        _cell([0.7], 0.7, expected=2),
        _cell([0.1, 0.2], 0.7, scaled=0.5),
        _cell([0.9], None),
    ]
    found = agreement(cells)
    assert found is not None
    assert (found.gaps, found.single, found.missing, found.scaled, found.published) == ((0.7,), 1, 2, 1, 4)
    assert found.text.startswith("Of 4 published numbers, 1 are compared, 1 are scaled and not compared, 2 are not fin")
    assert "Each of this run's numbers rests on one value" in found.text
    nothing = agreement(cells[1:4])
    assert nothing is not None
    assert nothing.text == "Of 3 published numbers, 1 are scaled and not compared, 2 are not finished."


def test_without_published_numbers_there_is_nothing_to_compare_with() -> None:
    assert agreement([_cell([0.7], None)]) is None
