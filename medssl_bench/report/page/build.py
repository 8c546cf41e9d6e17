"""Builds the page of a study: one HTML file with all it shows inside."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from medssl_bench.compare.claim_rows import CLAIM_HEADS, CLAIMS_NOTE, claim_row
from medssl_bench.report.page.explorer import Explorer
from medssl_bench.report.page.what_was_run import ARM_HEADS, RECIPE_HEADS, WhatWasRun
from medssl_bench.report.template import filled
from medssl_bench.results.formats.answers import answers
from medssl_bench.results.formats.any_two import any_two_grids
from medssl_bench.results.formats.components import components_grids
from medssl_bench.results.formats.grids import (
    analyses_grid,
    class_grid,
    optimism_grids,
    panel_grid,
    printed_grids,
    printed_heading,
    printed_notes,
    ranking_grid,
)
from medssl_bench.results.formats.label_savings import label_savings_grids
from medssl_bench.results.formats.prices import price_grids
from medssl_bench.results.formats.retests import retest_grids
from medssl_bench.results.formats.text import heading, notes

if TYPE_CHECKING:
    from pathlib import Path

    from medssl_bench.report.of_plugins import Section
    from medssl_bench.report.study import Study
    from medssl_bench.results.tables import TableResult

_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d00", "#000000")
"""Colours that readers with any kind of colour vision tell apart (Okabe and Ito 2008), yellow darkened for paper."""


_SHARED = "Other figures"
"""Heading of the figures that several comparisons share."""

_LEADING = ("-forest-", "label-efficiency")
"""What names a figure that answers a comparison, the better one first."""

_SHOWN = 6
"""Figures of a comparison that are unfolded; the first ones show results."""


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        id: unique name, fit for an address.
        title: what it is.
        caption: what it shows.
        comparison: id of the comparison that it belongs to, or None.
        file: its picture, PNG or SVG.
    """

    id: str
    title: str
    caption: str
    comparison: str | None
    file: Path


def page(study: Study, pictures: Sequence[Picture] = (), sections: Sequence[Section] = ()) -> str:
    """Return the page of a study. It loads nothing from elsewhere, and runs no script but its own.

    Args:
        study: what to show.
        pictures: its figures.
        sections: what plugins add.
    """
    titles = {table.id: heading(table.title, table.marks) for table in study.board.tables}
    floors = {arm.name for table in study.board.tables for arm in table.arms if arm.floor}
    explorer = Explorer.of(study.plan, study.store, titles, floors)
    leading, grouped = _figures(pictures, study.board.tables)
    return filled(
        "page/page.html",
        ("page/sorting.js", "page/page.js"),
        {"number": _sortable},
        report=_report(study),
        tables=[_table(table, study) for table in study.board.tables],
        rankings=[ranking_grid(ranking) for ranking in study.board.rankings],
        prices=price_grids(study.board),
        figures=grouped,
        leading=leading,
        run=WhatWasRun.of(study),
        recipe_heads=RECIPE_HEADS,
        arm_heads=ARM_HEADS,
        published=_has_published(study),
        shown=_SHOWN,
        sections=sections,
        explorer=explorer,
        explorer_json=_json({"sheets": explorer.sheets, "maps": explorer.maps, "colours": _COLOURS}),
    )


def _has_published(study: Study) -> bool:
    """Return whether any number of the page stands beside a published one."""
    cells = [cell for table in study.board.tables for cell in (*table.cells(), *table.analysed())]
    return any(cell.reference is not None for cell in cells)


def _json(value: Any) -> Markup:
    """Return JSON that can stand in a script element: no text of it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704


def _report(study: Study) -> dict[str, Any]:
    cost = study.cost
    citations = list(study.verdicts)
    return {
        "suite": study.suite.name,
        "description": study.suite.model.description,
        "marks": study.marks,
        "facts": [
            ("results", study.board.counts.text.replace(" results", "", 1)),
            ("comparisons", len(study.board.tables)),
            ("encoders trained", f"{cost.encoders:,}"),
            ("images seen in training", f"{cost.images:,}"),
            ("computing time", _hours(cost.seconds)),
        ],
        "agreement": study.agreement,
        "claims_summary": study.claims_summary,
        "notes": [f"{study.board.counts.text}; see the end of this page."] if study.failures else [],
        "claims": [
            (verdict, [claim_row(verdict, contrast) for contrast in verdict.contrasts])
            for verdicts in study.verdicts.values()
            for verdict in verdicts
        ],
        "claims_citation": "; ".join(citations),
        "claims_note": CLAIMS_NOTE,
        "claim_heads": CLAIM_HEADS,
        "cost_facts": _cost_facts(study),
        "datasets": _datasets(study),
        "versions": study.versions,
        "failures": study.failures,
        "stages": _stages(study),
        "made": study.made,
    }


def _table(table: TableResult, study: Study) -> dict[str, Any]:
    shape = next((found for found in study.board.printed() if found.comparison == table.id), None)
    return {
        "id": table.id,
        "title": table.title,
        "answers": answers(table),
        "heading": heading(table.title, table.marks) if shape is None else printed_heading(shape),
        "printed": printed_grids(shape) if shape else [],
        "printed_notes": printed_notes(shape) if shape else [],
        "panels": [panel_grid(panel, table.baseline) for panel in table.panels],
        "notes": notes(table),
        "more": [
            ("What varies the differences, and how often a rerun would show them", components_grids(table)),
            ("Any two arms", any_two_grids(table, study.board.intervals)),
            ("What choosing epochs on test would gain", optimism_grids(table)),
            ("Each class", [class_grid(each) for each in study.by_class.get(table.id, [])]),
            (
                "Labels saved",
                label_savings_grids(each for each in study.board.label_efficiency if each.comparison == table.id),
            ),
        ],
        "analyses": analyses_grid(table),
        "retests": retest_grids(study.board, table),
    }


def _figures(
    pictures: Sequence[Picture], tables: Sequence[TableResult]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the figure that leads each comparison, and the others in groups: by comparison, then what these share."""
    leading = [found for table in tables if (found := _leading(pictures, table.id))]
    short = {table.id: table.title for table in tables}
    groups: dict[str | None, list[dict[str, Any]]] = {table.id: [] for table in tables}
    for picture in pictures:
        if picture not in leading:
            groups.setdefault(picture.comparison, []).append(_figure(picture))
    titles = {table.id: heading(table.title, table.marks) for table in tables}
    return [_figure(picture) for picture in leading], [
        {"title": titles.get(of or "", _SHARED), "short": short.get(of or "", _SHARED), "figures": figures}
        for of, figures in groups.items()
        if figures
    ]


def _leading(pictures: Sequence[Picture], comparison: str) -> Picture | None:
    """Return the figure that answers a comparison: differences with their intervals, else numbers against labels."""
    own = [picture for picture in pictures if picture.comparison == comparison]
    return next((picture for kind in _LEADING for picture in own if kind in picture.id), None)


def _figure(picture: Picture) -> dict[str, Any]:
    kind = "svg+xml" if picture.file.suffix == ".svg" else "png"
    content = base64.b64encode(picture.file.read_bytes()).decode()
    return {
        "id": picture.id,
        "title": picture.title,
        "caption": picture.caption,
        "comparison": picture.comparison,
        "file": picture.file.name,
        "picture": f"data:image/{kind};base64,{content}",
    }


def _cost_facts(study: Study) -> list[tuple[str, str]]:
    cost = study.cost
    facts = [
        (f"{kind} stages", f"{cost.stages.get(kind, 0)} of {expected}") for kind, expected in cost.expected.items()
    ]
    facts += [
        ("wall time, sum over stages", _hours(cost.seconds)),
        ("processor time", _hours(cost.processor_seconds)),
        ("images seen in training", f"{cost.images:,}"),
        ("most memory of a process", f"{cost.peak_bytes / 2**30:.1f} GiB"),
        ("energy", _energy(study)),
    ]
    return facts + [(f"time on {device}", _hours(seconds)) for device, seconds in cost.devices.items()]


def _energy(study: Study) -> str:
    cost = study.cost
    if cost.joules is None:
        return "not measured: no meter"
    all_stages = sum(cost.stages.values())
    part = "" if cost.measured == all_stages else f", of {cost.measured} of {all_stages} stages"
    return f"{cost.joules / 3.6e6:.3f} kWh{part}"


def _datasets(study: Study) -> list[tuple[str, ...]]:
    fingerprints: dict[str, str] = {}
    for stage in study.plan.stages.values():
        for data in stage.spec.datasets:
            if data.fingerprint:
                fingerprints[data.component.name + str(data.component.parameters)] = data.fingerprint
    rows: list[tuple[str, ...]] = []
    used = {dataset.label: dataset for table in study.suite.tables for dataset in table.datasets}
    for table in study.suite.tables:
        more = [dataset for arm in table.arms for link in arm.chain for dataset in link.on]
        for dataset in (*more, *(other.dataset for other in table.test_on)):
            used.setdefault(dataset.label, dataset)
    for label, dataset in used.items():
        info = study.plan.datasets.get(label)
        fingerprint = fingerprints.get(dataset.component.name + str(dataset.component.parameters), "")
        if info is None:
            rows.append((label, dataset.component.name, "", "", "", "", fingerprint))
            continue
        counts = " / ".join(f"{count:,}" for count in info.counts.values())
        counts += f" / {info.unlabelled:,} unlabelled" if info.unlabelled else ""
        classes = f"{len(info.classes)} ({info.task.value})" if info.classes else "no labels"
        rows.append((label, info.title, counts, classes, info.licence, info.source, fingerprint))
    return rows


def _stages(study: Study) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for key, stage in study.plan.stages.items():
        record = study.store.record(key)
        state = "done" if record else "failed" if study.store.failure(key) else "not there"
        seconds = f"{record.cost.get('wall_seconds') or 0.0:.1f}" if record else ""
        rows.append((key[:12], stage.kind, stage.title, state, seconds))
    return rows


def _hours(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"


def _sortable(text: str) -> str:
    """Return a written number as a script reads it, or nothing."""
    plain = text.replace("−", "-").replace("%", "").replace(",", "").strip()
    try:
        return str(float(plain))
    except ValueError:
        return ""
