"""Tables in the shape in which they were published."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from results.conftest import Lab
from rich.console import Console

from medssl_bench import hookimpl
from medssl_bench.plan.stage import Trial
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.plugin.registry import Plugin, Register
from medssl_bench.published.layout import ArmRow, BestRow, Block, ImprovementRow, Layout, PairedRow
from medssl_bench.published.reference import Reference, ReferenceCell
from medssl_bench.results import records
from medssl_bench.results.formats import console, latex, markdown
from medssl_bench.results.formats.grids import printed_notes
from medssl_bench.results.printed import PrintedBlock, PrintedRow
from medssl_bench.statistics.picking import difference_of_picked

SUITE = """\
schema = 1
name = "new against old"
seeds = [0, 1]
draws = [0, 1]
floors = ["majority"]

[pretraining.nat]
augmentation = "simclr"
epochs = 10

[[comparison]]
id = "main"
title = "New"
datasets = ["bloodmnist"]
labels = [100]
reference = "shaped:main"
"""
for _arm, _evaluator in (("old a", "linear_probe"), ("old b", "knn"), ("new a", "linear_probe"), ("new b", "knn")):
    SUITE += f'\n  [[comparison.arm]]\n  name = "{_arm}"\n  pretraining = ["nat"]\n'
    SUITE += f'  evaluator = {{ name = "{_evaluator}"{", epochs = 7" if _arm == "new a" else ""}'
    SUITE += f"{', k = 3' if _arm == 'new b' else ''} }}\n"

PUBLISHED = {"old a": 0.60, "old b": 0.65, "new a": 0.70, "new b": 0.62}


class _Shaped:
    @hookimpl
    def medssl_references(self, register: Register) -> None:
        register("shaped", _shaped)


def _shaped(table: str) -> Reference:
    """Published numbers with their shape."""
    rows = (
        BestRow(("Standard",), ("old a", "old b")),
        ArmRow(("A",), "new a"),
        ArmRow(("B",), "new b"),
        ArmRow(("C",), "an arm that this suite does not have"),
        ImprovementRow(("Improvement",), ("new a", "new b"), ("old a", "old b")),
        PairedRow(("a, paired",), "new a", "old a"),
    )
    shape = Layout(table, (Block(("",), rows),), {"accuracy": "ACC", "auroc": "AUC"}, {"bloodmnist": "Blood cells"})
    cells = tuple(ReferenceCell("bloodmnist", "100", arm, "accuracy", value) for arm, value in PUBLISHED.items())
    return Reference("Someone (2023)", cells, shape)


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    found = load_plugins()
    found.add(Plugin("shaped", "installed"), _Shaped)
    return found


def _value(trial: Trial) -> float:
    level = {"old a": 0.50, "old b": 0.60, "new a": 0.55, "new b": 0.64}.get(trial.arm, 0.1)
    return level + 0.02 * trial.seed * (trial.arm == "new b") + 0.1 * trial.draw


@pytest.fixture
def shaped(lab_of: Callable[..., Lab]) -> Lab:
    lab = lab_of(SUITE)
    lab.fill(_value)
    return lab


def _block(lab: Lab) -> tuple[PrintedBlock, dict[str, PrintedRow]]:
    (table,) = lab.board.printed()
    (block,) = table.blocks
    return block, {row.heads[0]: row for row in block.rows}


def test_rows_and_columns_are_as_published_and_other_arms_below(shaped: Lab) -> None:
    block, rows = _block(shaped)
    assert block.title == "Blood cells"
    assert list(rows) == ["Standard", "A", "B", "Improvement", "a, paired", "majority class"]
    assert [row.extra for row in block.rows] == [False] * 5 + [True]
    assert (block.budgets, block.metrics) == (("100",), {"accuracy": "ACC", "auroc": "AUC"})


def test_the_standard_row_is_the_best_arm_of_a_column(shaped: Lab) -> None:
    cell = _block(shaped)[1]["Standard"].cells[0]
    assert (cell.arm, cell.mean, cell.reference) == ("old b", pytest.approx(0.65), 0.65)


def test_improvement_is_the_best_new_minus_the_best_old_and_pairs_seeds_and_draws(shaped: Lab) -> None:
    cell = _block(shaped)[1]["Improvement"].cells[0]
    assert cell.arm == "new b − old b"
    assert cell.mean == pytest.approx(0.05)
    assert cell.n == 4
    assert cell.reference == pytest.approx(0.70 - 0.65), "of the published cells, by the same rule"


def test_on_other_images_arms_that_are_equal_gain_nothing_by_being_picked(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE)
    for trial in {trial.stage: trial for trial in lab.plan.trials}.values():
        random = np.random.default_rng([*trial.arm.encode(), trial.seed, trial.draw])
        lab.predict(trial, random.random(160) < 0.6)
    rows = _block(lab)[1]
    assert list(rows) == [
        "Standard",
        "A",
        "B",
        "Improvement",
        "Improvement, other images",
        "a, paired",
        "majority class",
    ]
    cell = rows["Improvement, other images"].cells[0]
    values = {
        arm: np.mean([_right(lab, trial) for trial in lab.plan.trials if trial.arm == arm], axis=0) for arm in PUBLISHED
    }
    new, old = (np.stack([values[f"{age} {which}"] for which in "ab"]) for age in ("new", "old"))
    assert cell.mean == pytest.approx(difference_of_picked(new, old))
    (table,) = lab.board.printed()
    assert any(note.startswith("Other images:") for note in printed_notes(table))
    assert "corrected" in {row["kind"] for row in csv.DictReader(io.StringIO(records.printed_to_csv([table])))}


def _right(lab: Lab, trial: Trial) -> NDArray[np.float64]:
    random = np.random.default_rng([*trial.arm.encode(), trial.seed, trial.draw])
    return (random.random(160) < 0.6).astype(float)


def test_a_paired_row_picks_nothing(shaped: Lab) -> None:
    cell = _block(shaped)[1]["a, paired"].cells[0]
    assert (cell.mean, cell.n, cell.arm) == (pytest.approx(0.05), 4, "")
    assert cell.std == pytest.approx(0.0, abs=1e-12), "what arms share by seed and draw is gone from their difference"
    assert cell.reference == pytest.approx(0.70 - 0.60)


def test_the_best_of_a_column_is_among_arms_and_not_among_differences(shaped: Lab) -> None:
    block, _ = _block(shaped)
    assert {block.rows[place].heads[0] for place in block.best(0)} == {"B"}


def test_a_paired_row_pairs_an_arm_of_one_value_with_every_seed_and_draw(lab_of: Callable[..., Lab]) -> None:
    """It used to pair one value of four, and to show that as the difference."""
    text = SUITE.replace('name = "old a"\n', 'name = "untouched"\n').replace('floors = ["majority"]', "floors = []")
    text += '\n  [[comparison.arm]]\n  name = "old a"\n  evaluator = "majority"\n'
    lab = lab_of(text)
    lab.fill(lambda trial: 0.2 if trial.arm == "old a" else 0.5 + 0.1 * trial.seed + 0.02 * trial.draw)
    cell = _block(lab)[1]["a, paired"].cells[0]
    assert (cell.n, cell.expected) == (4, 4)
    assert cell.mean == pytest.approx((0.3 + 0.32 + 0.4 + 0.42) / 4)


def test_an_arm_some_of_whose_trials_failed_is_not_picked(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE)
    for trial in lab.plan.trials:
        if (trial.arm, trial.seed, trial.draw) != ("new b", 0, 0):
            lab.finish(trial, accuracy=_value(trial), auroc=0.9)
    lab.fail(lab.trials("new b")[0].stage)
    block, rows = _block(lab)
    assert rows["Improvement"].cells[0].arm == "new a − old b"
    assert block.best(0) == {0}, "the old b, of which the first row is the number"


def test_while_an_arm_is_missing_nothing_is_picked(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE)
    for trial in lab.plan.trials:
        if trial.arm != "new b":
            lab.finish(trial, accuracy=_value(trial), auroc=0.9)
    block, rows = _block(lab)
    assert rows["Improvement"].cells[0].mean is None
    assert rows["Improvement"].cells[0].reference == pytest.approx(0.05), "what was published needs no run"
    assert rows["Standard"].cells[0].mean == pytest.approx(0.65)
    assert block.best(0) == set()


def test_a_table_without_a_published_shape_has_none(lab_of: Callable[..., Lab]) -> None:
    assert lab_of(SUITE.replace('reference = "shaped:main"\n', "")).board.printed() == []


def test_every_form_of_it(shaped: Lab) -> None:
    tables = shaped.board.printed()
    drawn = Console(width=100, file=io.StringIO(), record=True)
    drawn.print(console.render_printed(tables))
    shown = drawn.export_text()
    assert "New (main)" in shown
    assert "epochs selected with all 1,712 validation labels" in " ".join(shown.split())
    assert "±: sample standard deviation over 2 training seeds x 2 label draws (n = 4)" in " ".join(shown.split())
    for text in ("0.650 ± 0.058", "ref 0.650", "(+0.000)", "+5.0 %", "ref +5.0 %", "Improvement", "picked on test"):
        assert text in shown
    lines = markdown.printed_to_markdown(tables).splitlines()
    assert "|  | 100 ACC | 100 AUC |" in lines
    assert any(line.startswith("| Improvement | +5.0 %") for line in lines)
    text = latex.printed_to_latex(tables)
    assert r"\multicolumn{2}{c}{100}" in text
    assert r"\cmidrule(lr){2-3}" in text
    rows = list(csv.DictReader(io.StringIO(records.printed_to_csv(tables))))
    (found,) = [row for row in rows if (row["kind"], row["metric"]) == ("improvement", "accuracy")]
    assert float(found["mean"]) == pytest.approx(0.05)
    assert float(found["difference"]) == pytest.approx(0.0)
    assert len(json.loads(records.printed_to_json(tables))) == len(rows) == 6 * 2


def test_a_narrow_console_gets_the_columns_below_each_other(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE.replace("[100]", '[100, 250, 1000, "all"]'))
    lab.fill(_value)
    drawn = Console(width=60, file=io.StringIO(), record=True)
    drawn.print(console.render_printed(lab.board.printed()))
    lines = drawn.export_text().splitlines()
    assert max(map(len, lines)) <= 60
    assert sum("Improvement" in line and "0" in line for line in lines) > 1
    assert "…" not in drawn.export_text()
