"""What varies differences, in JSON and in the report; what is said of many that cannot be told."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from results.conftest import PROBE, SUITE, Lab
from results.test_judging import cells_of, filled, text_of

from medssl_bench.report.page.build import page
from medssl_bench.report.study import Study
from medssl_bench.results import records
from medssl_bench.results.formats.components import components_grids, wins_text
from medssl_bench.statistics.one_run import OneRun, reruns_won


def test_json_has_the_parts_of_a_difference(lab: Lab) -> None:
    board = filled(lab).board
    difference = cells_of(board)[PROBE, "100"].judged.difference
    assert difference is not None
    data = {(row["arm"], row["labels"], row["metric"]): row for row in json.loads(records.to_json(board))}
    found, parts = data[PROBE, "100", "accuracy"], OneRun.of(difference)
    told = [found[f"sd_{name}"] for name in ("seed", "draw", "cell", "image")]
    assert told == [parts.seed, parts.draw, parts.cell, parts.image]
    assert found["reruns_won"] == reruns_won(difference)
    assert found["df"] == difference.freedom
    assert found["reruns_won"] > 0.99
    assert data["supervised", "100", "accuracy"]["sd_image"] is None, "it is the baseline"
    assert data["majority class", "100", "accuracy"]["reruns_won"] < 0.01
    head, *_ = records.to_csv(board).splitlines()
    assert {"df", "reruns_won", "sd_seed", "sd_draw", "sd_cell", "sd_image"} <= set(head.split(","))


def test_of_one_seed_no_rerun_is_told(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(seeds=(0,)))
    (grid,) = components_grids(lab.board.tables[0])
    rows = {row.heads: [cell.value for cell in row.cells] for row in grid.rows}
    _, seed, draw, cell, image, wins, needed = rows["100", PROBE]
    assert (seed, cell, wins, needed) == ("–", "–", "–", "")
    assert "–" not in {draw, image}
    data = json.loads(records.to_json(lab.board))
    (found,) = [row for row in data if (row["arm"], row["labels"], row["metric"]) == (PROBE, "100", "accuracy")]
    assert [found[name] for name in ("reruns_won", "sd_seed", "sd_cell")] == [None, None, None]


def test_the_page_has_the_table_and_it_is_of_the_first_metric(lab: Lab) -> None:
    filled(lab)
    (grid,) = components_grids(lab.board.tables[0])
    assert grid.title == "bloodmnist: accuracy minus that of “supervised”"
    assert [row.heads for row in grid.rows] == [
        ("100", "majority class"), ("100", PROBE), ("all", "majority class"), ("all", PROBE),
    ]  # fmt: skip
    values = {row.heads: [cell.value for cell in row.cells] for row in grid.rows}
    assert values["all", PROBE][2:4] == ["–", "–"], "all labels have no draws"
    assert "wins of 100 reruns" in page(Study.of(lab.suite, lab.plan, lab.store))


def test_a_table_without_predictions_has_none(lab: Lab) -> None:
    lab.fill()
    assert components_grids(lab.board.tables[0]) == []


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (0.0, "< 1"), (0.004, "< 1"), (0.5, "50"), (0.974, "97"), (0.996, "> 99")]
)
def test_wins_are_never_all_or_none(share: float | None, text: str) -> None:
    assert wins_text(share) == text


def test_many_differences_that_cannot_be_told_are_counted(lab_of: Callable[..., Lab]) -> None:
    lab = filled(lab_of(text=SUITE.replace('["bloodmnist"]', '["bloodmnist", "pathmnist"]')), {PROBE: 0.51})
    judged = [cell.judged for cell in lab.board.cells() if cell.judged.told]
    assert [each.told for each in judged] == ["cannot tell"] * 4
    text = text_of(lab)
    assert "Cannot tell 4 of 4 differences: for " in text
    assert "The report and the JSON have each." in text
    assert "Cannot tell: " not in text
