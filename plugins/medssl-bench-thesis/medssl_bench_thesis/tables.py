"""The numbers that the thesis publishes, as data."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Literal

from medssl_bench.errors import UserError, did_you_mean
from medssl_bench.report.reference import Reference, ReferenceCell

CITATION = (
    "[Jiang 2023] F. Jiang, Evaluating SimCLR for Medical Image Classification, "
    "BEng thesis, Imperial College London, 2023"
)

_PRINTED = {
    "table-7.1": ("7.1",),
    "table-7.2": ("7.2",),
    "table-7.3": ("7.3",),
    "table-7.4": ("7.4a", "7.4b"),
    "table-7.5": ("7.5",),
    "table-7.6": ("7.6",),
}
_SEVERAL_SOURCES = ("table-7.4", "table-7.5")
_COLUMNS: tuple[tuple[Literal["accuracy", "auroc"], str], ...] = (("accuracy", "acc"), ("auroc", "auc"))


def thesis(table: str) -> Reference:
    """The tables of [Jiang 2023]: `table-7.1` to `table-7.6`, one seed, no interval.

    Arms are ``supervised``, ``frozen`` and ``unfrozen``. Tables 7.4 and 7.5 compare encoders by what they were
    pretrained on, and name it: ``frozen (pathmnist, retinamnist)`` is pretrained on pathmnist, then on retinamnist.
    The rows that tables 7.2 and 7.3 copy from table 7.1 are in table 7.1 alone.

    Raises:
        UserError: the thesis has no such table.
    """
    if table not in _PRINTED:
        hint = did_you_mean(table, _PRINTED) or f"; there are {', '.join(_PRINTED)}"
        raise UserError(f"the thesis has no table of numbers {table!r}{hint}")
    text = (files("medssl_bench_thesis") / "data" / "reference_results.csv").read_text(encoding="utf-8")
    cells = tuple(
        ReferenceCell(row["dataset"], _labels(row["labels"]), _arm(row, table), metric, float(row[column]))
        for row in csv.DictReader(text.splitlines())
        if row["table"] in _PRINTED[table]
        for metric, column in _COLUMNS
    )
    return Reference(f"{CITATION}, {table.replace('t', 'T', 1).replace('-', ' ')}", cells)


def _labels(printed: str) -> str:
    return "all" if printed == "100%" else printed


def _arm(row: dict[str, str], table: str) -> str:
    """Return an arm's name, with what it was pretrained on where the table compares that."""
    if table not in _SEVERAL_SOURCES or not row["pretrain_data"]:
        return row["arm"]
    return f"{row['arm']} ({row['pretrain_data'].replace('+', ', ')})"
