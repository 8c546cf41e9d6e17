import csv
from importlib.resources import files

import pytest
from medssl_bench_thesis.tables import thesis

from medssl_bench.errors import UserError
from medssl_bench.suite.budget import parse_budget

TABLES = [f"table-7.{number}" for number in range(1, 7)]


def cells(table: str) -> dict[tuple[str, str, str, str], float]:
    return {(c.dataset, c.labels, c.arm, c.metric): c.value for c in thesis(table).cells}


def test_every_number_is_there_once() -> None:
    text = (files("medssl_bench_thesis") / "data" / "reference_results.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 136
    numbers = [cell.value for table in TABLES for cell in thesis(table).cells]
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
    written = {cell.labels for table in TABLES for cell in thesis(table).cells}
    shown = {parse_budget(n).text for n in (100, 250, 1000, "all")} | {
        parse_budget({"per_class": n}).text for n in (10, 25, 100)
    }
    assert written == shown


def test_the_citation_names_the_thesis_and_the_table() -> None:
    assert "[Jiang 2023]" in thesis("table-7.4").citation
    assert thesis("table-7.4").citation.endswith("Table 7.4")


@pytest.mark.parametrize(("table", "hint"), [("table-71", "did you mean 'table-7.1'"), ("x", "there are table-7.1, ")])
def test_an_unknown_table_is_refused(table: str, hint: str) -> None:
    with pytest.raises(UserError, match=hint):
        thesis(table)
