"""The stages of one cell or more by training seed, label draw and fold, as they are crossed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.results.cells import Cell


@dataclass(frozen=True)
class Crossed:
    """Stages by fold, seed and draw.

    Attributes:
        folds: for each fold, seed and draw the stages, one of each cell. An axis along which no stage changes has one
            place, as chance does not vary the results by it.
        alone: the axes of which one number alone was run.
        numbers: the folds; None is the data set's own splits.
    """

    folds: tuple[tuple[tuple[tuple[str, ...], ...], ...], ...]
    alone: frozenset[Literal["seed", "draw"]]
    numbers: tuple[int | None, ...]


def crossed(cells: Sequence[Cell]) -> Crossed | None:
    """Return the stages of the seeds, draws and folds that some cells share; None where these are not all crossed."""
    places = [place for place in cells[0].stages if all(place in cell.stages for cell in cells)]
    seeds, draws, folds = (tuple(dict.fromkeys(place[axis] for place in places)) for axis in range(3))
    if not places or len(places) != len(seeds) * len(draws) * len(folds):
        return None
    by_place = {tuple(place): tuple(cell.stages[place] for cell in cells) for place in places}
    alone: set[Literal["seed", "draw"]] = set()
    alone |= {"seed"} if len(seeds) == 1 else set()
    alone |= {"draw"} if len(draws) == 1 else set()
    if all(by_place[seeds[0], draw, fold] == stages for (_, draw, fold), stages in by_place.items()):
        seeds = seeds[:1]
    if all(by_place[seed, draws[0], fold] == stages for (seed, _, fold), stages in by_place.items()):
        draws = draws[:1]
    found = tuple(tuple(tuple(by_place[s, d, fold] for d in draws) for s in seeds) for fold in folds)
    return Crossed(found, frozenset(alone), folds)
