"""Columns that records do not have: metrics of plugins, and what evaluators measure themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from leased import leased

from medssl_bench import hookimpl
from medssl_bench.datasets import Task
from medssl_bench.errors import SuiteError
from medssl_bench.metrics import Finished, Metric, Predictions
from medssl_bench.plan.chance import Chance
from medssl_bench.plan.stage import Trial
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.plugin.registry import Plugin
from medssl_bench.results.cells import Cell
from medssl_bench.results.formats.grids import panel_grid
from medssl_bench.results.formats.text import notes
from medssl_bench.results.pairing import leader
from medssl_bench.results.ranking import rank_arms
from medssl_bench.results.tables import Panel
from medssl_bench.results.value import Value
from medssl_bench.store.record import Record

TEXT = """\
schema = 1
name = "columns"
seeds = [0, 1]
floors = ["majority"]

[[comparison]]
id = "main"
datasets = ["bloodmnist"]
labels = [100]
metrics = {metrics}
baseline = "probe"

  [[comparison.arm]]
  name = "probe"
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "neighbours"
  evaluator = "knn"
"""

CALLS: list[int] = []


class _Mine:
    @hookimpl
    def medssl_metrics(self, register):
        register("error", lambda: Metric(_error, higher_is_better=False))
        register("hits", lambda: Metric(_hits, per_class=True))
        register("hours", lambda: Metric(_hours, reads="record", higher_is_better=False, high=1e9))
        register("broken", lambda: Metric(lambda _: 1 / 0))
        register("odd", lambda: Metric(lambda _: 0.5, tasks=(Task.MULTI_LABEL,)))


def _error(given: Predictions) -> float:
    CALLS.append(len(given.scores))
    return float((given.scores.argmax(axis=1) != given.labels[:, 0]).mean())


def _hits(given: Predictions) -> list[float | None]:
    found, truth = given.scores.argmax(axis=1), given.labels[:, 0]
    return [float((found[truth == c] == c).mean()) if (truth == c).any() else None for c in range(8)]


def _hours(result: Finished) -> float:
    return result.cost["wall_seconds"] / 3600


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    found = load_plugins()
    assert not found.add(Plugin("mine", "installed"), _Mine).problem
    return found


@pytest.fixture
def lab_with(lab_of: Callable[..., object]) -> Callable[[str], object]:
    return lambda metrics: lab_of(TEXT.format(metrics=metrics))


def _finish(lab, trial: Trial, wrong: int, **metrics: float) -> None:
    """Put a result into the store: of ten test images of eight classes, the first few are taken for another class."""
    stage = lab.plan.stages[trial.stage]
    record = Record(stage.key, stage.kind, stage.title, "done", stage.identity, {"accuracy": 1 - wrong / 10, **metrics})
    truth = np.arange(10) % 4
    found = np.where(np.arange(10) < wrong, 7, truth)
    with leased(lab.store, stage.key) as lease:
        np.savez(lease.files / "predictions.npz", y_true=truth[:, None], y_score=np.eye(8, dtype=np.float32)[found])
        lab.store.finish(replace(record, cost={"wall_seconds": 1800.0}), lease)


def _fill(lab) -> None:
    wrong = {"majority class": 7, "probe": 1, "neighbours": 3}
    for stage in dict.fromkeys(trial.stage for trial in lab.plan.trials):
        trial = next(trial for trial in lab.plan.trials if trial.stage == stage)
        _finish(lab, trial, wrong[trial.arm] + trial.seed, **({"loss_gap": 0.25} if trial.arm == "probe" else {}))


def test_a_metric_is_computed_from_the_predictions_that_are_kept(lab_with) -> None:
    lab = lab_with('["accuracy", "error", "hits", "hours"]')
    _fill(lab)
    for cell in lab.board.cells():
        if cell.metric == "error":
            accuracy = lab.board.tables[0].panel("bloodmnist", "accuracy").cells[cell.arm, "100"]
            assert cell.mean == pytest.approx(1 - accuracy.mean)
    hits = lab.board.tables[0].panel("bloodmnist", "hits").cells["probe", "100"]
    assert list(hits.values[0].classes.values()) == [pytest.approx(2 / 3), 1.0, 1.0, 1.0, None, None, None, None]
    assert hits.values[0].value == pytest.approx((2 / 3 + 3) / 4)
    assert len(hits.to_data()["values"][0]["classes"]) == 8
    hours = lab.board.tables[0].panel("bloodmnist", "hours").cells["probe", "100"]
    assert [value.value for value in hours.values] == [0.5, 0.5]


def test_it_is_computed_once_however_often_the_table_is_drawn(lab_with) -> None:
    lab = lab_with('["error"]')
    _fill(lab)
    CALLS.clear()
    for _ in range(3):
        assert lab.board.cells()[0].n
    assert len(CALLS) == len({trial.stage for trial in lab.plan.trials})


def test_a_metric_that_is_named_changes_no_key(lab_with) -> None:
    assert lab_with('["accuracy"]').plan.stages.keys() == lab_with('["error", "hits"]').plan.stages.keys()


def test_where_lower_is_better_the_lowest_leads(lab_with) -> None:
    lab = lab_with('["error"]')
    _fill(lab)
    (table,) = lab.board.tables
    (panel,) = table.panels
    assert panel.best("100") == {"probe"}
    assert panel.highest("100") == ["probe"]
    assert [rank.arm for rank in rank_arms([table])[0].ranks] == ["probe", "neighbours", "majority class"]
    assert panel.cells["neighbours", "100"].difference == pytest.approx(0.2), "a difference keeps its sign"
    assert panel_grid(panel, None).title == "bloodmnist: error (lower is better)"
    assert "Lower is better: error; there, the lowest mean counts as the highest." in notes(table)


@pytest.mark.parametrize("higher", [True, False])
def test_leader_follows_the_direction(higher: bool) -> None:
    stages = {Chance(0, draw): str(draw) for draw in range(2)}
    cells = {}
    for arm, values in {"high": (0.8, 0.9), "low": (0.1, 0.2)}.items():
        own = {place: f"{arm} {stage}" for place, stage in stages.items()}
        cell = Cell("t", "set", "10", arm, "m", expected=2, stages=own, higher_is_better=higher)
        cell.values = [Value(0, draw, value) for draw, value in enumerate(values)]
        cells[arm] = cell
    wanted = "high" if higher else "low"
    panel = Panel("set", "m", ["10"], list(cells), set(), {(arm, "10"): cell for arm, cell in cells.items()})
    assert leader(cells) == wanted
    assert panel.highest("10") == [wanted]


def test_what_cannot_be_computed_is_told_below_the_table(lab_with) -> None:
    lab = lab_with('["accuracy", "broken"]')
    _fill(lab)
    (table,) = lab.board.tables
    assert all(cell.mean is None for cell in table.cells() if cell.metric == "broken")
    assert "broken is missing for 5 finished results: ZeroDivisionError: division by zero." in notes(table)


def test_a_record_without_predictions_is_told_too(lab_with) -> None:
    lab = lab_with('["error"]')
    lab.finish(lab.trials("probe")[0], accuracy=0.5)
    (told,) = [line for line in notes(lab.board.tables[0]) if "is missing" in line]
    assert told.startswith("error is missing for 1 finished result: ")
    assert "predictions.npz: there is no such file" in told


def test_what_an_evaluator_measures_itself_is_a_column(lab_with) -> None:
    lab = lab_with('["accuracy", "loss_gap"]')
    _fill(lab)
    panel = lab.board.tables[0].panel("bloodmnist", "loss_gap")
    assert panel.cells["probe", "100"].mean == 0.25
    assert not panel.cells["probe", "100"].higher_is_better
    assert panel.cells.keys() == {("probe", "100")}, "the other arms do not measure it"


def test_what_no_record_has_is_told_in_one_line(lab_with) -> None:
    lab = lab_with('["accuracy", "loss_gap"]')
    for trial in lab.trials("probe"):
        _finish(lab, trial, 0)
    line = (
        "loss gap is missing for 2 finished results: the record has no such number; its evaluator did not measure it."
    )
    assert line in notes(lab.board.tables[0])


@pytest.mark.parametrize(
    ("metrics", "complaint"),
    [
        ('["accuracy", "errror"]', "comparison[0].metrics[1]: there is no metric 'errror' (did you mean 'error'?)"),
        ('["distance"]', "comparison[0].metrics[0]: there is no metric 'distance'; there are: accuracy, auroc, "),
        ('["odd"]', "comparison[0].metrics[0]: metric 'odd' is not defined for "),
        ("[3]", "comparison[0].metrics[0]: expected "),
    ],
)
def test_a_name_that_means_nothing_here_is_refused(lab_with, metrics: str, complaint: str) -> None:
    with pytest.raises(SuiteError) as caught:
        lab_with(metrics)
    (line,) = str(caught.value).splitlines()
    assert complaint in line
    assert "suite.toml:10: " in line
