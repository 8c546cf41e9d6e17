"""What epochs are selected by, in words and as numbers, arm by arm where arms differ."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable

import pytest
from results.conftest import PROBE, SUITE, Lab

from medssl_bench.evaluators.finetune import FineTune
from medssl_bench.results.cells import Cell
from medssl_bench.results.records import to_csv, to_json
from medssl_bench.results.selection import CellSelection

ALL = "epochs selected with all 1,712 validation labels"
KNN = '\n  [[comparison.arm]]\n  name = "neighbours"\n  pretraining = ["nat"]\n  evaluator = "knn"\n'


def _selections(lab: Lab, metric: str = "accuracy") -> dict[tuple[str, str], CellSelection]:
    cells: list[Cell] = [cell for cell in lab.board.cells() if (cell.metric, cell.labels) == (metric, "100")]
    return {(cell.arm, cell.dataset): cell.selection for cell in cells}


def test_an_arm_that_selects_nothing_is_named(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE + KNN)
    assert lab.board.tables[0].marks == [f"{ALL} (nothing is selected for neighbours)"]
    assert _selections(lab) == {
        ("majority class", "bloodmnist"): CellSelection("none", 0),
        ("supervised", "bloodmnist"): CellSelection("validation", 1712, "accuracy"),
        (PROBE, "bloodmnist"): CellSelection("validation", 1712, "accuracy"),
        ("neighbours", "bloodmnist"): CellSelection("none", 0),
    }


def test_where_most_select_nothing_the_others_are_named(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('evaluator = "finetune"', 'evaluator = "knn"') + KNN
    assert lab_of(text).board.tables[0].marks == [f"{ALL} (for {PROBE} alone)"]


def test_where_all_select_nothing_no_validation_label_is_used(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('evaluator = "finetune"', 'evaluator = "knn"').replace('"linear_probe"', '"knn"')
    lab = lab_of(text)
    assert lab.board.tables[0].marks == ["no validation labels"]
    assert set(_selections(lab).values()) == {CellSelection("none", 0)}


def test_a_pupil_has_the_validation_labels_of_its_teacher(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace("epochs = 10\n", 'epochs = 10\nteacher = { arm = "supervised" }\n') + KNN
    lab = lab_of(text)
    assert lab.board.tables[0].marks == [ALL]
    assert _selections(lab)["neighbours", "bloodmnist"] == CellSelection("validation", 1712, "accuracy")


@pytest.mark.parametrize(
    ("setting", "mark", "selection"),
    [
        (
            "validation_labels = 50",
            "epochs selected with 50 validation labels",
            CellSelection("validation", 50, "accuracy"),
        ),
        ("validation_labels = 0", "last epoch, no validation labels", CellSelection("last", 0)),
        ('selection = "last"', "last epoch, no validation labels", CellSelection("last", 0)),
        ('selection = "test"', "SELECTED ON TEST: optimistic", CellSelection("test", 0, "accuracy")),
    ],
)
def test_other_rules(setting: str, mark: str, selection: CellSelection, lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE.replace('baseline = "supervised"\n', f"{setting}\n"))
    assert lab.board.tables[0].marks == [mark]
    assert _selections(lab)["supervised", "bloodmnist"] == selection


def test_what_the_data_do_not_say_the_results_do(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE.replace('baseline = "supervised"\n', "validation_labels = { per_class = 5 }\n"))
    assert _selections(lab)["supervised", "bloodmnist"].labels is None
    lab.finish(lab.trials("supervised")[0], accuracy=0.5, labelled_validation=38)
    assert lab.board.tables[0].marks == ["epochs selected with 5/class validation labels (38)"]
    assert _selections(lab)["supervised", "bloodmnist"].labels == 38


def test_the_numbers_of_several_data_sets_and_a_ranking_over_tables_of_several(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('["bloodmnist"]', '["bloodmnist", "dermamnist"]').replace('reference = "printed:main"\n', "")
    other = text[text.index("[[comparison]]") :].replace('"main"', '"other"').replace('"bloodmnist", "derma', '"path')
    lab = lab_of(text + other)
    assert [table.marks for table in lab.board.tables] == [
        ["epochs selected with all validation labels (1,712 of bloodmnist, 1,003 of dermamnist)"],
        ["epochs selected with all 10,004 validation labels"],
    ]
    lab.fill()
    (ranking,) = lab.board.rankings
    assert ranking.marks == (
        "epochs selected with all validation labels (1,712 of bloodmnist, 1,003 of dermamnist, 10,004 of pathmnist)",
    )
    assert [rank.datasets for rank in ranking.ranks] == [3, 3, 3]


def test_unseen_data_have_no_number_yet(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('["bloodmnist"]', '["own"]').replace('reference = "printed:main"\n', "")
    lab = lab_of(text + '[dataset.own]\nname = "npz"\npath = "own.npz"\n')
    assert lab.board.tables[0].marks == ["epochs selected with all validation labels"]
    assert _selections(lab)["supervised", "own"] == CellSelection("validation", None)


def _by_auroc(text: str = SUITE) -> str:
    return text.replace('baseline = "supervised"\n', 'select_by = "auroc"\n')


def test_another_metric_is_named_wherever_it_is_told(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(_by_auroc(SUITE + KNN))
    by_auroc = "epochs selected by AUROC with all 1,712 validation labels"
    (table,) = lab.board.tables
    assert table.marks == [f"{by_auroc} (nothing is selected for neighbours)"]
    assert table.selection is not None
    assert table.selection.on("bloodmnist") == table.selection.of_cell("supervised", "bloodmnist") == by_auroc
    assert _selections(lab) == {
        ("majority class", "bloodmnist"): CellSelection("none", 0),
        ("supervised", "bloodmnist"): CellSelection("validation", 1712, "auroc"),
        (PROBE, "bloodmnist"): CellSelection("validation", 1712, "auroc"),
        ("neighbours", "bloodmnist"): CellSelection("none", 0),
    }
    cells = {cell["arm"]: cell["select_by"] for cell in json.loads(to_json(lab.board))}
    assert cells == {"majority class": None, "supervised": "auroc", PROBE: "auroc", "neighbours": None}
    lines = {line["arm"]: line["select_by"] for line in csv.DictReader(to_csv(lab.board).splitlines())}
    assert lines == {"majority class": "", "supervised": "auroc", PROBE: "auroc", "neighbours": ""}


@pytest.mark.parametrize(
    ("setting", "mark", "selection"),
    [
        ('selection = "test"', "SELECTED ON TEST by AUROC: optimistic", CellSelection("test", 0, "auroc")),
        ('selection = "last"', "last epoch, no validation labels", CellSelection("last", 0)),
        ("validation_labels = 0", "last epoch, no validation labels", CellSelection("last", 0)),
    ],
)
def test_another_metric_with_other_rules(
    setting: str, mark: str, selection: CellSelection, lab_of: Callable[..., Lab]
) -> None:
    lab = lab_of(_by_auroc().replace('select_by = "auroc"\n', f'select_by = "auroc"\n{setting}\n'))
    assert lab.board.tables[0].marks == [mark]
    assert _selections(lab)["supervised", "bloodmnist"] == selection


def test_tables_of_two_metrics_are_not_ranked_together(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('reference = "printed:main"\n', "")
    other = text[text.index("[[comparison]]") :].replace('"main"', '"other"').replace('"bloodmnist"', '"pathmnist"')
    alike, apart = lab_of(text + other), lab_of(text + _by_auroc(other))
    for lab in (alike, apart):
        lab.fill()
    assert len(alike.board.rankings) == 1
    assert len(apart.board.rankings) == 2


def test_of_multi_label_data_the_default_is_auroc(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace('["bloodmnist"]', '["chestmnist"]').replace('reference = "printed:main"\n', "")
    text = text.replace('analyses = ["silhouette"]\n', "")
    assert _selections(lab_of(text))["supervised", "chestmnist"].metric == "auroc"


def test_an_evaluator_with_a_rule_of_its_own_names_no_metric(
    lab_of: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FineTune, "follows_criterion", False)
    lab = lab_of()
    assert _selections(lab)["supervised", "bloodmnist"] == CellSelection("validation", 1712, None)
    assert _selections(lab)[PROBE, "bloodmnist"].metric == "accuracy"
