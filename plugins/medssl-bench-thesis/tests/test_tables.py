import csv
from importlib.resources import files

import pytest
from medssl_bench_thesis.tables import thesis

from medssl_bench.errors import UserError
from medssl_bench.published.layout import ArmRow, BestRow, ImprovementRow
from medssl_bench.suite.budget import parse_budget

TABLES = [f"table-7.{number}" for number in range(1, 7)]


def cells(table: str) -> dict[tuple[str, str, str, str], float]:
    return {(c.dataset, c.labels, c.arm, c.metric): c.value for c in thesis(table).cells}


def test_every_number_is_there_once() -> None:
    text = (files("medssl_bench_thesis") / "data" / "reference_results.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 136
    numbers = [
        cell.value
        for table in TABLES
        for cell in thesis(table).cells
        if not cell.arm.startswith("standard") and not cell.metric.startswith("silhouette")
    ]
    assert sorted(numbers) == sorted(float(row[column]) for row in rows for column in ("acc", "auc"))
    for table in TABLES:
        assert len(cells(table)) == len(thesis(table).cells)


@pytest.mark.parametrize(
    ("table", "cell", "value"),
    [
        ("table-7.1", ("pathmnist", "100", "supervised", "accuracy"), 0.395),
        ("table-7.1", ("pathmnist", "100", "frozen", "auroc"), 0.939),
        ("table-7.1", ("bloodmnist", "all", "unfrozen", "accuracy"), 0.956),
        ("table-7.2", ("bloodmnist", "250", "frozen", "accuracy"), 0.809),
        ("table-7.3", ("pathmnist", "100", "frozen", "accuracy"), 0.730),
        ("table-7.4", ("retinamnist", "100", "supervised", "auroc"), 0.648),
        ("table-7.4", ("retinamnist", "1000", "frozen (retinamnist)", "accuracy"), 0.510),
        ("table-7.4", ("retinamnist", "250", "frozen (pathmnist)", "accuracy"), 0.530),
        ("table-7.4", ("retinamnist", "1000", "unfrozen (pathmnist, retinamnist)", "auroc"), 0.695),
        ("table-7.5", ("dermamnist", "10/class", "frozen (pathmnist)", "accuracy"), 0.427),
        ("table-7.5", ("dermamnist", "100/class", "unfrozen (pathmnist, dermamnist)", "accuracy"), 0.653),
        ("table-7.6", ("octmnist", "100", "frozen", "accuracy"), 0.665),
    ],
)
def test_numbers_stand_where_the_thesis_prints_them(table: str, cell: tuple[str, str, str, str], value: float) -> None:
    assert cells(table)[cell] == value


def test_budgets_are_written_as_suites_show_them() -> None:
    written = {cell.labels for table in TABLES for cell in thesis(table).cells} - {"none"}
    shown = {parse_budget(n).text for n in (100, 250, 1000, "all")} | {
        parse_budget({"per_class": n}).text for n in (10, 25, 100)
    }
    assert written == shown


@pytest.mark.parametrize("table", ["table-7.2", "table-7.3"])
def test_the_standard_arms_are_those_of_table_7_1(table: str) -> None:
    standard = {key: value for key, value in cells(table).items() if key[2].startswith("standard")}
    theirs = {
        (d, labels, f"standard, {arm}", metric): value
        for (d, labels, arm, metric), value in cells("table-7.1").items()
        if arm != "supervised" and not metric.startswith("silhouette")
    }
    assert {key: value for key, value in standard.items() if not key[3].startswith("silhouette")} == theirs


def test_every_silhouette_is_there_once() -> None:
    text = (files("medssl_bench_thesis") / "data" / "reference_embedding.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    found = [cell for table in TABLES for cell in thesis(table).cells if cell.metric.startswith("silhouette")]
    assert sorted(cell.value for cell in found) == sorted(float(row["silhouette"]) for row in rows)
    assert cells("table-7.3")["pathmnist", "none", "frozen", "silhouette_50"] == 0.150
    assert cells("table-7.1")["bloodmnist", "250", "unfrozen", "silhouette_2"] == 0.172


# what the thesis prints in the rows "standard setup" and "improvement", but for its own slips
@pytest.mark.parametrize(
    ("table", "dataset", "labels", "metric", "standard", "improvement"),
    [
        ("table-7.2", "pathmnist", "100", "accuracy", 0.701, -0.009),
        ("table-7.2", "pathmnist", "all", "accuracy", 0.875, -0.007),
        ("table-7.2", "dermamnist", "100", "auroc", 0.756, 0.003),
        ("table-7.2", "bloodmnist", "250", "accuracy", 0.835, -0.026),
        ("table-7.3", "pathmnist", "100", "accuracy", 0.701, 0.029),
        ("table-7.3", "dermamnist", "1000", "auroc", 0.873, 0.023),
        ("table-7.3", "bloodmnist", "1000", "accuracy", 0.882, 0.005),
        ("table-7.2", "pathmnist", "100", "auroc", 0.939, -0.036),  # printed: +0.004
        ("table-7.3", "dermamnist", "all", "auroc", 0.925, 0.005),  # printed: +0.004
    ],
)
def test_the_rules_of_the_layout_give_what_the_thesis_prints(
    table: str, dataset: str, labels: str, metric: str, standard: float, improvement: float
) -> None:
    shape = thesis(table).layout
    assert shape is not None
    (block,) = shape.blocks
    (rule,) = [row for row in block.rows if isinstance(row, ImprovementRow)]
    numbers = cells(table)

    def best(arms: tuple[str, ...]) -> float:
        return max(numbers[dataset, labels, arm, metric] for arm in arms if (dataset, labels, arm, metric) in numbers)

    assert best(rule.over) == pytest.approx(standard)
    assert best(rule.arms) - best(rule.over) == pytest.approx(improvement)


@pytest.mark.parametrize("table", TABLES)
def test_a_layout_has_a_row_for_every_arm_that_is_published(table: str) -> None:
    shape = thesis(table).layout
    assert shape is not None
    rows = [row for block in shape.blocks for row in block.rows]
    named = {row.arm for row in rows if isinstance(row, ArmRow)}
    named |= {arm for row in rows if isinstance(row, BestRow) for arm in row.arms}
    assert named == {cell.arm for cell in thesis(table).cells}


def test_the_citation_names_the_thesis_and_the_table() -> None:
    assert "[Jiang 2023]" in thesis("table-7.4").citation
    assert thesis("table-7.4").citation.endswith("Table 7.4")


@pytest.mark.parametrize(
    ("table", "hint"), [("table-71", "did you mean 'table-7.1'"), ("x", "there are figure-3.1, table")]
)
def test_an_unknown_table_is_refused(table: str, hint: str) -> None:
    with pytest.raises(UserError, match=hint):
        thesis(table)
