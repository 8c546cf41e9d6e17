"""The numbers of a leaderboard for other programs: CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from medssl_bench.results.choices import chosen_text

if TYPE_CHECKING:
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.printed import PrintedTable


class HasCells(Protocol):
    """A leaderboard, or a part of one."""

    def cells(self) -> list[Cell]:
        """Return its cells, in order."""


def to_json(board: HasCells) -> str:
    """Return one JSON object per cell, as a list."""
    return json.dumps([cell.to_data() for cell in board.cells()], indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(board: HasCells) -> str:
    """Return one line per value, with its cell, seed, draw and fold; a cell without values has one line."""
    return _csv(*value_lines(board))


def value_lines(board: HasCells) -> tuple[Sequence[str], list[Sequence[object]]]:
    """Return the heads and the lines of `to_csv`."""
    heads = (
        "comparison", "dataset", "labels", "arm", "metric", "seed", "draw", "fold", "value", "n", "mean", "std",
        "expected", "failed", "blocked", "difference", "pairs", "low", "high", "difference_low", "difference_high",
        "df", "p", "p_holm", "verdict", "needed_seeds", "needed_draws", "reruns_won", "sd_seed", "sd_draw", "sd_cell",
        "sd_image", "left_out", "no_interval", "reference", "selection", "select_by", "validation_labels", "scaled",
        "generated", "leaks", "flags", "tuned",
    )  # fmt: skip
    rows: list[Sequence[object]] = []
    for cell in board.cells():
        data = cell.to_data()
        nothing: dict[str, Any] = {"seed": None, "draw": None, "fold": None, "value": None, "flags": {}, "tuned": {}}
        values = data["values"] or [nothing]
        rows += [[{**data, **value, **_joined(data, value)}[head] for head in heads] for value in values]
    return heads, rows


def _joined(data: dict[str, Any], value: dict[str, Any]) -> dict[str, str]:
    """Return what is a list or an object in JSON as one text."""
    return {
        "flags": "; ".join(value["flags"].values()),
        "left_out": "; ".join(data["left_out"]),
        "tuned": chosen_text(value["tuned"]),
    }


_PRINTED = (
    "comparison", "table", "dataset", "part", "row", "kind", "labels", "metric", "mean", "std", "n", "expected",
    "failed", "blocked", "reference", "difference", "arm", "marks", "flags",
)  # fmt: skip


def printed_to_csv(tables: list[PrintedTable]) -> str:
    """Return one line per number of the tables in their published shape."""
    return _csv(_PRINTED, _printed_rows(tables))


def printed_to_json(tables: list[PrintedTable]) -> str:
    """Return the lines of `printed_to_csv` as a list of JSON objects."""
    found = [dict(zip(_PRINTED, row, strict=True)) for row in _printed_rows(tables)]
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _printed_rows(tables: list[PrintedTable]) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = []
    for table in tables:
        for block in table.blocks:
            for row in block.rows:
                name = " / ".join(head for head in row.heads if head)
                for cell in row.cells:
                    gap = None if cell.mean is None or cell.reference is None else cell.mean - cell.reference
                    rows.append(
                        [table.comparison, table.name, block.dataset, block.title, name, row.kind, cell.labels,
                         cell.metric, cell.mean, cell.std, cell.n, cell.expected, cell.failed, cell.blocked,
                         cell.reference, gap, cell.arm, "; ".join(table.marks), " ".join(table.flags)]
                    )  # fmt: skip
    return rows


def _csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([inert(value) if isinstance(value, str) else value for value in row] for row in rows)
    return stream.getvalue()


_FORMULA = ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet computes (OWASP, CSV Injection)."""


def inert(text: str) -> str:
    """Return text, in one line, that a spreadsheet shows as it is: after an apostrophe nothing is a formula."""
    text = text.replace("\r", " ").replace("\n", " ")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
