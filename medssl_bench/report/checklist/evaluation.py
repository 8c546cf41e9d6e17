"""What records tell of the results of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.report.checklist.topics import Section, Topic
from medssl_bench.results.formats.grids import judged_cell
from medssl_bench.results.formats.judged_text import chance_notes
from medssl_bench.results.formats.retests import what_corrupted_is, what_there_is
from medssl_bench.results.formats.text import signed
from medssl_bench.results.metric_names import metric_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.report.study import Study
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.retested import Pair
    from medssl_bench.results.tables import TableResult


def about_evaluation(study: Study) -> Section:
    """Return metrics, results with intervals, comparisons, other images, and what is missing."""
    board = study.board
    floors = [f"{table.title}: {', '.join(names)}" for table in board.tables if (names := _floors(table))]
    return Section(
        "Evaluation",
        (
            Topic("Metrics", tuple(_metrics(study)), "why these metrics; what difference matters"),
            Topic("Results, with 95 % intervals", tuple(line for table in board.tables for line in _results(table))),
            Topic(
                "What intervals are for, and how many comparisons there are",
                tuple(f"{table.title}: {note}" for table in board.tables for note in chance_notes(table)),
            ),
            Topic("Baselines and floors", tuple(floors)),
            Topic(
                "Other images",
                tuple(_other_images(study)) or ("Neither corrupted images nor another data set were predicted.",),
                "external validation",
            ),
            Topic(
                "What is missing",
                (f"{board.counts.text}", *(f"{title}: {reason}" for title, reason in study.failures)),
            ),
        ),
    )


def _metrics(study: Study) -> Iterator[str]:
    for table in study.suite.tables:
        for name, metric in table.metrics.items():
            yield f"{table.title}: {metric_name(name)}: {metric.about}"


def _other_images(study: Study) -> Iterator[str]:
    for robust in study.board.robustness:
        yield from (*what_corrupted_is(robust), *robust.notes)
        for (arm, labels), made in robust.arms.items():
            if made.pair.there.mean is not None and made.error is not None:
                errors = f"; BE {made.error:.3f}" + ("" if made.relative is None else f", rel. BE {made.relative:.3f}")
                yield f"{robust.dataset}, corrupted, {labels} labels, {arm}: {_pair(made.pair)}{errors}"
    told: set[tuple[str, str, str]] = set()
    for found in study.board.transfers:
        place = (found.comparison, found.dataset, found.other)
        yield from () if place in told else (*what_there_is(found), *found.notes)
        told.add(place)
        for (arm, labels), pair in found.arms.items():
            if pair.there.mean is not None:
                yield f"{found.dataset}, tested on {found.other}, {labels} labels, {arm}: {_pair(pair)}"


def _pair(pair: Pair) -> str:
    return _written(pair.there, "the baseline", "" if pair.drop is None else f", drop {signed(pair.drop)}")


def _written(cell: Cell, baseline: str | None, drop: str = "") -> str:
    written = judged_cell(cell)
    difference = f"; difference to {baseline}: {written.difference}" if written.difference else ""
    verdict = f" ({written.verdict})" if written.verdict else ""
    return f"{metric_name(cell.metric)} {written.number}{drop}, n = {cell.n}{difference}{verdict}"


def _floors(table: TableResult) -> list[str]:
    names = [f"{arm.name} (floor)" for arm in table.arms if arm.floor]
    return [*([f"{table.baseline} (baseline)"] if table.baseline else []), *names]


def _results(table: TableResult) -> Iterator[str]:
    for panel in table.panels:
        for (arm, labels), cell in panel.cells.items():
            if cell.mean is not None:
                where = f"{table.title}, {panel.dataset}, {labels} labels, {arm}"
                yield f"{where}: {_written(cell, table.baseline)}"
