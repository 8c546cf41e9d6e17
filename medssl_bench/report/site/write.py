"""Writes a static site of several suites' results: an index, a leaderboard for each, and the records of all numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import UserError
from medssl_bench.figures.figure import slug
from medssl_bench.report.template import filled
from medssl_bench.report.write import write_text
from medssl_bench.results.formats.answers import answers
from medssl_bench.results.formats.grids import judged_cell
from medssl_bench.results.formats.text import heading, plain
from medssl_bench.results.metric_names import metric_name
from medssl_bench.store.places import for_strangers

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.report.study import Study
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.tables import Panel, TableResult

_HEADS = (
    "comparison", "data set", "labels", "metric", "arm", "mean", "95 % interval", "difference", "verdict", "results",
)  # fmt: skip
_EXPLAINED = (
    "Mean over training seeds, label draws and folds. Difference: to the baseline of the comparison, with half of its "
    "95 % interval; the verdict is of that. Bold: the best of a column, and what is not told apart from it. Each "
    "result opens the record of its stage."
)


@dataclass(frozen=True)
class Entry:
    """A suite of a site: what is known of it, and the name of its folder."""

    study: Study
    folder: str


def folders(names: Sequence[str]) -> list[str]:
    """Return the folder of each suite, by its name.

    Raises:
        UserError: two suites would share a folder.
    """
    found: dict[str, str] = {}
    for name in names:
        if slug(name) in found:
            raise UserError(
                f"{name!r} and {found[slug(name)]!r} would be one folder of the site, {slug(name)}; rename one"
            )
        found[slug(name)] = name
    return list(found)


def write_site(entries: Sequence[Entry], output: Path, title: str) -> Path:
    """Write the index, the leaderboards and the records; reports and tables are there already.

    Args:
        entries: the suites, in order.
        output: the folder of the site, with a folder for each suite.
        title: of the index.

    Returns:
        The index.

    Raises:
        UserError: it cannot be written.
    """
    try:
        (output / "records").mkdir(parents=True, exist_ok=True)
        for entry in entries:
            write_text(output / entry.folder / "index.html", _leaderboard(entry.study))
            for key in _stages(entry.study):
                record = entry.study.store.record(key)
                if record is not None:
                    write_text(output / "records" / f"{key}.json", for_strangers(record).to_json())
        suites = [{**_about(entry.study), "folder": entry.folder} for entry in entries]
        made = "; ".join(dict.fromkeys(entry.study.made for entry in entries))
        write_text(output / "index.html", filled("site/index.html", title=title, suites=suites, made=made))
    except OSError as error:
        raise UserError(f"-o {output}: this cannot be written: {error.strerror or error}") from error
    return output / "index.html"


def _leaderboard(study: Study) -> str:
    rows = [row for table in study.board.tables for panel in table.panels for row in _rows(table, panel)]
    columns = zip(*(row["filters"] for row in rows), strict=True)
    choices = [(place, _HEADS[place], list(dict.fromkeys(column))) for place, column in enumerate(columns)]
    return filled(
        "site/leaderboard.html",
        ("page/sorting.js", "site/filter.js"),
        suite=_about(study),
        heads=_HEADS,
        rows=rows,
        choices=choices,
        explained=_EXPLAINED,
        made=study.made,
    )


def _about(study: Study) -> dict[str, Any]:
    return {
        "name": study.suite.name,
        "description": study.suite.model.description,
        "counts": study.board.counts.text,
        "tables": [
            {"heading": heading(table.title, table.marks), "answers": answers(table)} for table in study.board.tables
        ],
    }


def _rows(table: TableResult, panel: Panel) -> Iterator[dict[str, Any]]:
    for budget in panel.budgets:
        best = panel.best(budget)
        for arm, cell in panel.column(budget).items():
            own = cell.judged.own
            low, high = own.interval() if own else (None, None)
            yield {
                "filters": [table.title, panel.dataset, budget, metric_name(panel.metric)],
                "arm": arm + (" (baseline)" if arm == table.baseline else ""),
                "cell": judged_cell(cell, best=arm in best),
                "mean": "" if cell.mean is None else cell.mean,
                "half": "" if own is None else own.half(),
                "interval": "" if low is None or high is None else f"{plain(low)} – {plain(high)}",
                "difference": "" if cell.difference is None else cell.difference,
                "expected": cell.expected,
                "results": list(_values(cell)),
            }


def _values(cell: Cell) -> Iterator[dict[str, str]]:
    for value in cell.values:
        yield {"key": cell.stages[value.chance], "text": plain(value.value), "chance": str(value.chance)}


def _stages(study: Study) -> set[str]:
    """Return the stages that numbers of the leaderboard are of."""
    return {cell.stages[value.chance] for cell in study.board.cells() for value in cell.values}
