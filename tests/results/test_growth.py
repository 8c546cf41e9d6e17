"""A table that got seeds or draws after it was complete says so; one that was made in parts, or cut short, does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from medssl_bench import Leaderboard, run
from medssl_bench.results.formats.answers import answers
from medssl_bench.results.formats.text import notes
from medssl_bench.store.store import Store

SUITE = """
schema = 1
name = "grown"
seeds = [{seeds}]
draws = [0, 1]
floors = []

[dataset.here]
name = "phantom_cells"
train = 60
val = 20
test = 20

[[comparison]]
id = "one"
datasets = ["here"]
labels = [20, "all"]
encoder = {{ name = "timm", model = "test_resnet" }}
baseline = "near"

  [[comparison.arm]]
  name = "near"
  evaluator = {{ name = "knn", k = 1 }}

  [[comparison.arm]]
  name = "far"
  evaluator = {{ name = "knn", k = 3 }}
"""

Made = Callable[..., str]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Return a function that runs the suite with some seeds, and returns what its table says of added runs."""

    def make(suite_seeds: str, **options: list[int]) -> str:
        (tmp_path / "suite.toml").write_text(SUITE.format(seeds=suite_seeds))
        found = run(tmp_path / "suite.toml", store=tmp_path / "store", data_dir=tmp_path, **options)  # type: ignore[arg-type]
        return _said(found.leaderboard)

    return make


def _said(board: Leaderboard) -> str:
    (table,) = board.tables
    told = [line for line in [*notes(table), *answers(table)] if line.startswith("Runs were added")]
    assert told == [table.added] * 2 * bool(table.added)
    return table.added


def test_seeds_that_were_added_to_a_complete_table_are_said(made, tmp_path):
    assert made("0, 1") == ""
    said = made("0, 1, 2")
    assert "it had 2 seeds x 2 draws, this one has 3 x 2" in said
    assert made("0, 1") == "", "what was run later is no part of the smaller table"


def test_a_suite_that_is_run_in_parts_has_nothing_added(made):
    made("0, 1, 2", seeds=[0])
    assert made("0, 1, 2") == ""


def test_a_smaller_table_that_was_never_complete_is_not_said(made):
    made("0, 1", draws=[0])
    assert made("0, 1, 2") == ""


def test_records_of_before_say_nothing(made, tmp_path):
    made("0, 1")
    store = Store(tmp_path / "store")
    for record in store.records():
        provenance = {name: value for name, value in record.provenance.items() if name != "design"}
        assert provenance != record.provenance
        (store.path / "done" / record.key[:2] / record.key / "record.json").write_text(
            replace(record, provenance=provenance).to_json()
        )
    assert made("0, 1, 2") == ""
