"""The figure of false verdicts: its numbers are those that the simulation gives, and it is drawn from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulations.false_verdicts import DRAWING, RUNS, SEEDS, draw, read, simulate


@pytest.mark.parametrize(("world", "seeds"), [("A", 3), ("B", 10), ("D", 5)])
def test_its_numbers_are_those_of_the_simulation(world: str, seeds: int) -> None:
    runs = 300
    kept = {each.interval: each.false for each in read() if (each.world, each.seeds) == (world, seeds)}
    for found in simulate(world, seeds, runs):
        wanted = kept[found.interval]
        error = (wanted * (1 - wanted) * (1 / runs + 1 / RUNS)) ** 0.5
        assert found.false == pytest.approx(wanted, abs=4 * error)


def test_only_the_interval_of_tables_keeps_its_level() -> None:
    of_tables = [each.false for each in read() if each.interval == "of this page"]
    others = [each.false for each in read() if each.interval != "of this page" and each.seeds >= 3]
    assert len(of_tables) == 4 * len(SEEDS)
    assert max(of_tables) < 0.07
    assert min(others) > 0.075


def test_the_drawing_shows_them(tmp_path: Path) -> None:
    draw(read(), tmp_path / "drawn.svg")
    drawn = (tmp_path / "drawn.svg").read_text("utf-8")
    assert drawn.count("<path") == DRAWING.read_text("utf-8").count("<path")
    assert "5 % is promised" in drawn
