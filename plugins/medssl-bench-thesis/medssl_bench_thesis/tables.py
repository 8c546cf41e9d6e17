"""The numbers that the thesis publishes, as data."""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib.resources import files

from medssl_bench.errors import UserError, did_you_mean
from medssl_bench.report.reference import Reference, ReferenceCell
from medssl_bench_thesis.layouts import layout

CITATION = (
    "[Jiang 2023] F. Jiang, Evaluating SimCLR for Medical Image Classification, "
    "BEng thesis, Imperial College London, 2023"
)

_PRINTED = {
    "figure-3.1": (),
    "table-7.1": ("7.1",),
    "table-7.2": ("7.2",),
    "table-7.3": ("7.3",),
    "table-7.4": ("7.4a", "7.4b"),
    "table-7.5": ("7.5",),
    "table-7.6": ("7.6",),
}
_SEVERAL_SOURCES = ("table-7.4", "table-7.5")
_AGAINST_STANDARD = ("table-7.2", "table-7.3")
_COLUMNS = (("accuracy", "acc"), ("auroc", "auc"))

# which table's arm the encoder of a silhouette coefficient is, and how many labels it saw
_ENCODERS = {
    ("7.3.2", "tau_nat pretrained"): ("table-7.1", "frozen", "none"),
    ("7.3.2", "tau_nat fine-tuned 250 labels"): ("table-7.1", "unfrozen", "250"),
    ("7.4.2", "tau_nat pretrained"): ("table-7.2", "standard, frozen", "none"),
    ("7.4.2", "tau_short pretrained"): ("table-7.2", "frozen", "none"),
    ("7.5.2", "tau_nat pretrained"): ("table-7.3", "standard, frozen", "none"),
    ("7.5.2", "tau_nov pretrained"): ("table-7.3", "frozen", "none"),
    ("7.6.2", "pathmnist tau_nov pretrained"): ("table-7.4", "frozen (pathmnist)", "none"),
}


def thesis(table: str) -> Reference:
    """The tables of [Jiang 2023]: `table-7.1` to `table-7.6`, one seed, no interval; `figure-3.1` prints no numbers.

    Arms are ``supervised``, ``frozen`` and ``unfrozen``. Tables 7.4 and 7.5 compare encoders by what they were
    pretrained on, and name it: ``frozen (pathmnist, retinamnist)`` is pretrained on pathmnist, then on retinamnist.
    The arms of table 7.1 that tables 7.2 and 7.3 compare with are ``standard, frozen`` and ``standard, unfrozen``.
    Silhouette coefficients of sec. 7.3 to 7.6 are with the table whose encoder they are of.

    Raises:
        UserError: the thesis has no such table.
    """
    if table not in _PRINTED:
        hint = did_you_mean(table, _PRINTED) or f"; there are {', '.join(_PRINTED)}"
        raise UserError(f"the thesis has no table of numbers {table!r}{hint}")
    cells = [
        cell for row in _rows("reference_results.csv") if row["table"] in _PRINTED[table] for cell in _cells(row, table)
    ]
    if table in _AGAINST_STANDARD:
        cells += [
            replace(cell, arm=f"standard, {cell.arm}")
            for row in _rows("reference_results.csv")
            if row["table"] == "7.1" and row["arm"] != "supervised"
            for cell in _cells(row, table)
        ]
    cells += _silhouettes(table)
    name = table.replace("t", "T", 1).replace("f", "F", 1).replace("-", " ")
    return Reference(f"{CITATION}, {name}", tuple(cells), layout(table) if table.startswith("table") else None)


def _rows(file: str) -> list[dict[str, str]]:
    text = (files("medssl_bench_thesis") / "data" / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _cells(row: dict[str, str], table: str) -> list[ReferenceCell]:
    return [
        ReferenceCell(row["dataset"], _labels(row["labels"]), _arm(row, table), metric, float(row[column]))
        for metric, column in _COLUMNS
    ]


def _silhouettes(table: str) -> list[ReferenceCell]:
    found = []
    for row in _rows("reference_embedding.csv"):
        where, arm, labels = _ENCODERS[row["section"], row["model"]]
        if where == table:
            metric = f"silhouette_{row['components']}"
            found.append(ReferenceCell(row["dataset"], labels, arm, metric, float(row["silhouette"])))
    return found


def _labels(printed: str) -> str:
    return "all" if printed == "100%" else printed


def _arm(row: dict[str, str], table: str) -> str:
    """Return an arm's name, with what it was pretrained on where the table compares that."""
    if table not in _SEVERAL_SOURCES or not row["pretrain_data"]:
        return row["arm"]
    return f"{row['arm']} ({row['pretrain_data'].replace('+', ', ')})"
