"""How far a run is from published numbers, and whether they agree."""

from __future__ import annotations

import pytest

from medssl_bench.compare.agreement import agreement
from medssl_bench.plan.chance import Chance
from medssl_bench.results.cells import Cell
from medssl_bench.results.value import Value


def _cell(
    values: list[list[float]],
    reference: float | None,
    scaled: float | None = None,
    expected: int = 0,
    fold: int | None = None,
) -> Cell:
    """Return a cell of values by seed and draw."""
    found = [Value(seed, draw, value, fold=fold) for seed, row in enumerate(values) for draw, value in enumerate(row)]
    stages = {Chance(value.seed, value.draw, fold): f"{value.seed} {value.draw}" for value in found}
    return Cell(
        "t", "d", "100", "a", "accuracy", found, expected or len(found), stages, reference=reference, scaled=scaled
    )


NEAR = [[0.70, 0.72], [0.74, 0.76], [0.72, 0.75]]


def test_numbers_that_agree_and_that_differ() -> None:
    found = agreement([_cell(NEAR, 0.75), _cell(NEAR, 0.95), _cell([[0.5], [0.6]], 0.55), _cell([[0.8]], 0.79)])
    assert found is not None
    assert found.gaps == pytest.approx((0.75 - 4.39 / 6, 0.95 - 4.39 / 6, 0.0, 0.01))
    assert (found.agreeing, found.judged) == (2, 3), "one training seed says nothing of another"
    (differs,) = found.differing
    assert differs.startswith("d, a, 100 labels, accuracy: 0.732 ± 0.")
    assert differs.endswith(", published 0.950")
    assert found.text.startswith(
        "Of 4 published numbers, 4 are compared. Absolute difference: median 0.014, largest 0.218. 2 of 3"
    )


def test_without_a_second_seed_it_is_not_told() -> None:
    found = agreement([_cell([[0.7, 0.72, 0.71]], 0.9), _cell(NEAR, 0.9, fold=1)])
    assert found is not None
    assert (found.judged, len(found.gaps)) == (0, 2)
    assert found.text.endswith("Whether they agree cannot be told without a second training seed.")


def test_what_does_not_depend_on_the_seed_has_none() -> None:
    cell = _cell([[0.7], [0.7]], 0.9)
    cell.stages = dict.fromkeys(cell.stages, "the same")
    cell.values, cell.expected = cell.values[:1], 1
    found = agreement([cell])
    assert found is not None
    assert found.judged == 0


def test_what_is_not_compared() -> None:
    cells = [
        _cell([[0.7]], 0.0),
        _cell([], 0.7, expected=2),
        _cell([[0.7]], 0.7, expected=2),
        _cell([[0.1, 0.2]], 0.7, scaled=0.5),
        _cell([[0.9]], None),
    ]
    found = agreement(cells)
    assert found is not None
    assert (found.gaps, found.missing, found.scaled, found.published) == ((0.7,), 2, 1, 4)
    assert found.text.startswith("Of 4 published numbers, 1 are compared, 1 are scaled and not compared, 2 are not fin")
    nothing = agreement(cells[1:4])
    assert nothing is not None
    assert nothing.text == "Of 3 published numbers, 1 are scaled and not compared, 2 are not finished."


def test_many_that_differ_are_counted() -> None:
    found = agreement([_cell(NEAR, 0.1 + place / 100) for place in range(12)])
    assert found is not None
    assert "by chance about 1 would not" in found.text
    assert found.text.endswith("; and 7 more.")


def test_without_published_numbers_there_is_nothing_to_compare_with() -> None:
    assert agreement([_cell([[0.7]], None)]) is None
