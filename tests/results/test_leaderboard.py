"""Tables, their marks and the ranking, made from a store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from results.conftest import PROBE, SUITE, Lab

from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.chance import Chance
from medssl_bench.plan.known_datasets import KnownDatasets
from medssl_bench.plan.remembered import remember
from medssl_bench.report.page.what_was_run import WhatWasRun
from medssl_bench.report.study import Study
from medssl_bench.results.cells import Cell
from medssl_bench.results.formats.grids import ranking_grid
from medssl_bench.results.formats.text import ranking_note
from medssl_bench.results.ranking import Rank, Ranking, rank_arms
from medssl_bench.results.tables import Panel, TableResult
from medssl_bench.results.value import Value
from medssl_bench.suite.suite import Suite

ALL = "epochs selected with all 1,712 validation labels"
SUITES = Path(__file__).parents[2] / "suites"


Columns = dict[str, dict[str, list[float] | None]]


def _panel(columns: Columns, metric: str = "accuracy", expected: int = 1, dataset: str = "set") -> Panel:
    """Return a panel with these values, by budget and arm; None: a cell that failed."""
    arms = list(dict.fromkeys(arm for column in columns.values() for arm in column))
    panel = Panel(dataset, metric, list(columns), arms, set())
    for budget, column in columns.items():
        for arm, values in column.items():
            stages = {Chance(0, draw): f"{arm} {budget} {draw}" for draw in range(expected)}
            cell = Cell("t", dataset, budget, arm, metric, expected=expected, stages=stages)
            cell.values = [Value(0, draw, value) for draw, value in enumerate(values or [])]
            cell.lost = dict.fromkeys(stages.values(), "failed") if values is None else {}
            panel.cells[arm, budget] = cell
    return panel


def _table(*panels: Panel) -> TableResult:
    return TableResult("t", "T", [], None, "", list(panels), [])


def _ranks(*tables: TableResult) -> list[Rank]:
    """Return the ranks of tables that are all alike."""
    rankings = rank_arms(list(tables))
    assert len(rankings) <= 1
    return [rank for ranking in rankings for rank in ranking.ranks]


def test_ties_share_their_ranks() -> None:
    panel = _panel({"10": {"a": [0.9], "b": [0.5], "c": [0.5], "d": [0.1]}})
    assert _ranks(_table(panel)) == [
        Rank("a", 1, 1, 1, 1),
        Rank("b", 2.5, 0, 1, 2.5),
        Rank("c", 2.5, 0, 1, 2.5),
        Rank("d", 4, 0, 1, 4),
    ]


def test_the_nested_budgets_of_a_data_set_count_as_one() -> None:
    """By hand: on the first set, of three budgets, the ranks are a 1, 1, 1 and b 2, 2, 3 and c 3, 3, 2; on the second,
    of one, c 1, b 2, a 3. Over sets: a (1 + 3) / 2 = 2, b (7/3 + 2) / 2 = 13/6, c (8/3 + 1) / 2 = 11/6. Over columns,
    as it used to be, a would lead with (1 + 1 + 1 + 3) / 4 = 1.5."""
    first = _panel(
        {
            "100": {"a": [0.9], "b": [0.5], "c": [0.4]},
            "250": {"a": [0.9], "b": [0.6], "c": [0.5]},
            "1000": {"a": [0.9], "b": [0.7], "c": [0.8]},
        },
        dataset="first",
    )
    second = _panel({"100": {"a": [0.1], "b": [0.2], "c": [0.3]}}, dataset="second")
    (ranking,) = rank_arms([_table(first, second)])
    found = {rank.arm: (rank.mean_rank, rank.wins, rank.datasets) for rank in ranking.ranks}
    assert found == {
        "a": (pytest.approx(2), 1, 2),
        "b": (pytest.approx(13 / 6), 0, 2),
        "c": (pytest.approx(11 / 6), 1, 2),
    }
    assert [rank.arm for rank in ranking.ranks] == ["c", "a", "b"]
    assert ranking.budgets == {"first": ("100", "250", "1000"), "second": ("100",)}
    assert {rank.arm: rank.worst_rank for rank in ranking.ranks} == {"a": 3, "b": 3, "c": 3}
    note, safe = ranking_grid(ranking).notes
    assert safe == (
        "Safe choice over 4 columns: “c”; its rank is never above 3 (so for 3 arms; of these the mean rank decides)."
    )
    assert "averaged over the label budgets of a data set, then over data sets (first, second)" in note


def test_only_whole_columns_count() -> None:
    whole = {"a": [0.1], "b": [0.2]}
    for column in ({"a": [0.9], "b": []}, {"a": [0.9], "b": None}, {"a": [0.9]}):
        (first, second) = _ranks(_table(_panel({"10": whole, "20": column})))
        assert (first, second) == (Rank("b", 1, 1, 1, 1), Rank("a", 2, 0, 1, 2))
    half_done = _panel({"10": {"a": [0.1, 0.2], "b": [0.9]}}, expected=2)
    assert _ranks(_table(half_done)) == []


def test_only_the_first_metric_of_a_table_counts() -> None:
    accuracy = _panel({"10": {"a": [0.1], "b": [0.2]}})
    auroc = _panel({"10": {"a": [0.9], "b": [0.2]}}, metric="auroc")
    assert _ranks(_table(accuracy, auroc))[0].arm == "b"
    assert _ranks(_table(auroc, accuracy))[0].arm == "a"
    assert _ranks() == []


def test_a_mean_rank_outside_its_interval_is_explained() -> None:
    places = Rank("a", 1.2, 5, 5, 2.0, 1.1, 2.0, 0.8), Rank("b", 1.8, 0, 5, 2.0, 1.1, 1.9, 0.2)
    assert "outside" not in ranking_note(Ranking(("t",), (), "accuracy", places))
    outside = replace(places[0], low=1.25)
    assert "a mean may lie outside" in ranking_note(Ranking(("t",), (), "accuracy", (outside, places[1])))


def test_only_tables_that_are_alike_share_a_ranking() -> None:
    one = _table(_panel({"10": {"a": [0.1], "b": [0.2]}}))
    panel = _panel({"10": {"a": [0.9], "b": [0.2]}}, dataset="other set")
    other = replace(_table(panel), id="o", title="Other")
    (shared,) = rank_arms([one, other])
    assert (shared.tables, shared.marks, shared.metric) == (("T", "Other"), (), "accuracy")
    assert shared.ranks == (Rank("a", 1.5, 1, 2, 2), Rank("b", 1.5, 1, 2, 2))
    auroc = _table(_panel({"10": {"a": [0.9], "b": [0.2]}}, metric="auroc"))
    generated = replace(other, marks=["generated data"])
    (arm,) = Suite.load(SUITES / "sine-wave.toml").tables[0].arms[-1:]
    for unlike in (auroc, generated, replace(other, arms=(arm,))):
        assert [ranking.tables for ranking in rank_arms([one, unlike])] == [("T",), (unlike.title,)]


def test_arms_whose_means_are_printed_alike_tie() -> None:
    panel = _panel({"10": {"a": [0.75001], "b": [0.75]}})
    assert _ranks(_table(panel)) == [Rank("a", 1.5, 1, 1, 1.5), Rank("b", 1.5, 1, 1, 1.5)]


def test_the_safe_choice_is_the_arm_that_does_best_where_it_does_worst() -> None:
    """By hand: a has the ranks 1, 1, 3 and the best mean rank, b 2, 2, 2, and c 3, 3, 1."""
    one = {"a": [0.9], "b": [0.8], "c": [0.7]}
    panels = [
        _panel({"10": one}, dataset="first"),
        _panel({"10": one}, dataset="second"),
        _panel({"10": {"a": [0.7], "b": [0.8], "c": [0.9]}}, dataset="third"),
    ]
    (ranking,) = rank_arms([_table(*panels)])
    assert ranking.ranks[0].arm == "a"
    assert [rank.arm for rank in ranking.safest] == ["b"]
    grid = ranking_grid(ranking)
    assert [column.name for column in grid.columns] == ["mean rank", "worst", "best in"]
    assert [[cell.number for cell in row.cells] for row in grid.rows] == [
        ["1.67", "3", "2 of 3"],
        ["2.00", "2", "0 of 3"],
        ["2.33", "3", "1 of 3"],
    ]
    assert grid.notes[1:] == ("Safe choice over 3 columns: “b”; its rank is never above 2.",)


def test_arms_can_be_equally_safe_and_one_column_has_no_safe_choice() -> None:
    columns: Columns = {"10": {"a": [0.9], "b": [0.8]}, "20": {"a": [0.8], "b": [0.9]}}
    (ranking,) = rank_arms([_table(_panel(columns))])
    assert [rank.arm for rank in ranking.safest] == ["a", "b"]
    assert (
        ranking_grid(ranking)
        .notes[1]
        .startswith("Safe choice over 2 columns: “a” and “b”; their ranks are never above 2.")
    )
    (alone,) = rank_arms([_table(_panel({"10": {"a": [0.9], "b": [0.8]}}))])
    assert alone.safest == ()
    assert len(ranking_grid(alone).notes) == 1


def test_the_highest_of_a_column_as_far_as_it_is_printed() -> None:
    panel = _panel(
        {
            "10": {"a": [0.5001], "b": [0.5004], "c": [0.499]},
            "20": {"a": [0.9], "b": [], "c": [0.1]},
            "30": {"a": [0.9], "b": None, "c": [0.1]},
            "40": {"a": [], "b": [], "c": []},
        }
    )
    assert panel.highest("10") == ["a", "b"], "both are printed as 0.500"
    assert panel.highest("20") == [], "b may still be better"
    assert panel.highest("30") == ["a"], "b has failed and will not be"
    assert panel.highest("40") == []
    assert set().union(*map(panel.best, panel.budgets)) == set(), "one value tells nothing"


def test_bold_is_what_is_ahead_for_every_seed_and_draw() -> None:
    columns: Columns = {
        "ahead": {"a": [0.5, 0.9, 0.7], "b": [0.4, 0.8, 0.6]},
        "not always": {"a": [0.5, 0.9, 0.7], "b": [0.4, 0.5, 0.71]},
        "printed alike": {"a": [0.50001] * 3, "b": [0.5] * 3},
        "of the rest": {"a": [0.9, 0.8, 0.7], "b": [0.5, 0.5, 0.5], "c": None},
        "waiting": {"a": [0.9, 0.8, 0.7], "b": [0.5, 0.5]},
        "alone": {"a": [0.9, 0.8, 0.7]},
    }
    panel = _panel(columns, expected=3)
    found = {budget: panel.best(budget) for budget in panel.budgets}
    assert found == {
        "ahead": {"a"}, "not always": set(), "printed alike": set(), "of the rest": {"a"}, "waiting": set(),
        "alone": set(),
    }  # fmt: skip


def test_an_arm_of_which_trials_failed_is_not_the_highest() -> None:
    panel = _panel({"10": {"a": [0.9], "b": [0.5, 0.6, 0.7]}}, expected=3)
    panel.cells["a", "10"].lost = {"a 10 1": "failed", "a 10 2": "blocked"}
    assert panel.highest("10") == ["b"], "a's one value may be its lucky one"
    assert panel.best("10") == set(), "and b has nothing to be ahead of"


def test_panels_in_the_order_of_the_suite(lab: Lab) -> None:
    (table,) = lab.board.tables
    assert [(panel.dataset, panel.metric) for panel in table.panels] == [
        ("bloodmnist", "accuracy"),
        ("bloodmnist", "auroc"),
    ]
    panel = table.panels[0]
    assert panel.budgets == ["100", "all"]
    assert panel.arms == ["majority class", "supervised", PROBE], "floors first"
    assert panel.floors == {"majority class"}
    assert set(panel.cells) == {(arm, budget) for arm in panel.arms for budget in panel.budgets}
    assert lab.board.licences == {"bloodmnist": "CC BY 4.0"}
    assert lab.board.is_empty


def test_the_ranking_of_a_suite(lab: Lab) -> None:
    lab.fill()
    (ranking,) = lab.board.rankings
    assert ranking.ranks == (
        Rank(PROBE, 1.5, 1, 1, 2),
        Rank("supervised", 1.5, 1, 1, 2),
        Rank("majority class", 3, 0, 1, 3),
    )


@pytest.mark.parametrize(
    ("setting", "marks"),
    [
        ("", [ALL]),
        ('selection = "test"', ["SELECTED ON TEST: optimistic"]),
        ('selection = "last"', ["last epoch, no validation labels"]),
        ("validation_labels = 0", ["last epoch, no validation labels"]),
        ("validation_labels = { per_class = 5 }", ["epochs selected with 5/class validation labels"]),
        (
            'validation_labels = { count = 5000, short = "clip" }',
            ["epochs selected with 5000 validation labels (1,712)"],
        ),
        ("validation_labels = 50", ["epochs selected with 50 validation labels"]),
        ('validation_labels = "10%"', ["epochs selected with 10% of the validation labels (171)"]),
        ("shuffle_labels = true", [ALL, "control: shuffled labels"]),
        ('selection = "test"\nshuffle_labels = true', ["SELECTED ON TEST: optimistic", "control: shuffled labels"]),
    ],
)
def test_marks(setting: str, marks: list[str], lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE.replace('baseline = "supervised"\n', f"{setting}\n"))
    assert lab.board.tables[0].marks == marks


def test_generated_data_is_marked_also_beside_real_data(lab_of: Callable[..., Lab]) -> None:
    for datasets in ('["phantom_cells"]', '["bloodmnist", "phantom_layers"]'):
        assert lab_of(SUITE.replace('["bloodmnist"]', datasets)).board.tables[0].marks[0] == "generated data"


def test_scaled_tables_are_marked(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('["bloodmnist"]', '["phantom_cells"]')
    marks = lab_of(text, epochs_scale=0.25).board.tables[0].marks
    assert marks[:2] == ["generated data", "SCALED: epochs x 0.25, not comparable with a full run"]
    assert not any("SCALED" in mark for mark in lab_of(text, epochs_scale=1.0).board.tables[0].marks)


def test_controls_are_in_no_ranking(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE.replace('baseline = "supervised"\n', "shuffle_labels = true\n"))
    lab.fill()
    assert not lab.board.is_empty
    assert lab.board.rankings == []


def test_tables_that_are_not_selected_are_not_shown(lab_of: Callable[..., Lab]) -> None:
    second = SUITE[SUITE.index("[[comparison]]") :].replace('"main"', '"second"')
    assert [table.id for table in lab_of(SUITE + second).board.tables] == ["main", "second"]
    assert [table.id for table in lab_of(SUITE + second, only=("second",)).board.tables] == ["second"]


def test_analyses_count_every_encoder_once(lab: Lab) -> None:
    for number, cell in enumerate(dict.fromkeys(found.stage for found in lab.plan.analyses)):
        lab.finish_stage(lab.plan.stages[cell], silhouette_2=0.1 * number, note=None)
    rows = {(row.arm, row.labels): row.metrics for row in lab.board.tables[0].analyses}
    assert rows.keys() == {("supervised", "100"), ("supervised", "all"), (PROBE, None)}
    assert rows["supervised", "100"]["silhouette_2"].n == 4
    assert rows["supervised", "all"]["silhouette_2"].n == 2, "one for each seed: all labels are one draw"
    assert rows[PROBE, None]["silhouette_2"].n == 2
    assert "note" not in rows[PROBE, None], "what is no number is in no table"


def test_analyses_say_what_is_missing_and_what_failed(lab: Lab) -> None:
    stages = [found.stage for found in lab.plan.analyses if (found.arm, found.labels) == ("supervised", "100")]
    lab.finish_stage(lab.plan.stages[stages[0]], silhouette_2=0.1)
    lab.fail(stages[1])
    rows = {(row.arm, row.labels): row.metrics for row in lab.board.tables[0].analyses}
    cell = rows["supervised", "100"]["silhouette_2"]
    assert (cell.n, cell.expected, cell.failed) == (1, 4, 1)


def test_analyses_that_are_not_done_yet(lab: Lab) -> None:
    assert {metric for row in lab.board.tables[0].analyses for metric in row.metrics} == set()


def test_what_a_store_remembers_of_another_content_is_no_warning(lab: Lab) -> None:
    known = KnownDatasets(lab.suite.plugins.registry, DatasetContext(Path("data"), Path("cache")))
    found = known.get(lab.suite.tables[0].datasets[0].component)
    assert found.info is not None
    leaky = replace(found, info=replace(found.info, warnings=("3 test images are copies of training images",)))
    remember(replace(leaky, fingerprint="another"), lab.store)
    assert not any("copies" in mark for mark in lab.board.tables[0].marks)
    remember(leaky, lab.store)
    assert any("copies" in mark for mark in lab.board.tables[0].marks)


def test_what_was_run_is_the_part_that_was_selected(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('labels = [100, "all"]', 'labels = [100, "all"]\nvalidation_labels = 0')
    lab = lab_of(text, only=("supervised",), seeds=(1,), draws=(0,))
    run = WhatWasRun.of(Study.of(lab.suite, lab.plan, lab.store))
    (table,) = run.tables
    facts = dict(table.facts)
    assert (facts["training seeds"], facts["label draws"]) == ("1", "0")
    assert facts["selection"] == "last epoch, no validation labels"
    assert [arm[0] for arm in table.arms] == ["supervised"]
    assert run.recipes == []
