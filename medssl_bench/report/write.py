"""Writes a report: the page alone, or a folder with the page, the tables and the figures."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.compare.markdown import claims_to_markdown
from medssl_bench.errors import UserError
from medssl_bench.figures.figure import FORMATS
from medssl_bench.figures.saving import save_figures
from medssl_bench.report.checklist.draft import checklist
from medssl_bench.report.page.build import Picture, page
from medssl_bench.results import records
from medssl_bench.results.formats import latex, markdown
from medssl_bench.results.formats.answer_json import answer_to_json

if TYPE_CHECKING:
    from medssl_bench.figures.figure import ReportFigure
    from medssl_bench.report.of_plugins import Section
    from medssl_bench.report.study import Study

_LARGE = 250_000
"""A drawing with more bytes than this is shown as pixels on the page, where there are both."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        study: what it is about.
        page: the HTML file.
        files: how many files lie beside it.
    """

    study: Study = field(repr=False)  # a notebook shows what a cell returns
    page: Path
    files: int


def write_report(
    study: Study,
    figures: Sequence[ReportFigure],
    output: Path,
    tell: Callable[[str], None] = lambda _text: None,
    *,
    formats: Sequence[str] = ("png",),
    checklists: Sequence[str] = (),
    sections: Sequence[Section] = (),
) -> Written:
    """Write a report.

    Args:
        study: what to write of.
        figures: its figures.
        output: a folder, made if need be; or a file that ends with ``.html``, for the page alone.
        tell: told how far the figures are.
        formats: of the files of figures: some of ``png``, ``svg`` and ``pdf``. The page shows the SVG where there is
            one that is not large, else the PNG.
        checklists: guidelines for which a draft is written beside the page: some of `GUIDELINES`.
        sections: what plugins add to the page.

    Raises:
        UserError: it cannot be written.
    """
    alone = output.suffix.lower() in {".html", ".htm"}
    beside = output.parent if alone else output
    drafts = {beside / f"checklist-{name}.md": checklist(study, name) for name in checklists}
    try:
        if alone:
            _write_drafts(drafts)
            with tempfile.TemporaryDirectory(prefix="medssl-report-") as folder:
                return _write(study, figures, sections, output, Path(folder), tell, formats, count=False)
        if output.exists() and not output.is_dir():
            raise UserError(f"-o {output}: this is a file; give a folder, or NAME.html for the page alone")
        output.mkdir(parents=True, exist_ok=True)
        _write_drafts(drafts)
        _write_tables(study, output / "tables")
        place = output / "figures"
        return _write(study, figures, sections, output / "report.html", place, tell, formats, count=True)
    except OSError as error:
        raise UserError(f"-o {output}: this cannot be written: {error.strerror or error}") from error


def _write(
    study: Study,
    figures: Sequence[ReportFigure],
    sections: Sequence[Section],
    file: Path,
    folder: Path,
    tell: Callable[[str], None],
    formats: Sequence[str],
    *,
    count: bool,
) -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [form for form in FORMATS if form in formats]
    if not {"png", "svg"} & set(wanted):  # the page needs one of them
        wanted.insert(0, "png")
    saved = save_figures(figures, folder, wanted, tell)
    pictures = [
        Picture(figure.id, figure.title, figure.caption, figure.comparison, _shown(files))
        for figure, files in zip(figures, saved, strict=True)
    ]
    if old := [form for form in FORMATS if form not in wanted and any(folder.glob(f"*.{form}"))]:
        forms = ", ".join(old)
        tell(f"note: {folder} has figures of an earlier report as {forms}, left as they were; see --formats")
    if count:
        captions = [f"{picture.id}: {picture.title}. {picture.caption}\n" for picture in pictures]
        write_text(folder / "captions.txt", "".join(captions))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, page(study, pictures, sections))
    beside = sum(path.is_file() for path in file.parent.rglob("*")) - 1 if count else 0
    return Written(study, file, beside)


def _write_drafts(drafts: Mapping[Path, str]) -> None:
    for file, text in drafts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, text)


def _shown(files: Sequence[Path]) -> Path:
    """Return the file that the page shows: a drawing, where there is one and it is not large."""
    by_format = {file.suffix: file for file in files}
    drawing, pixels = by_format.get(".svg"), by_format.get(".png")
    if drawing is not None and (pixels is None or drawing.stat().st_size <= _LARGE):
        return drawing
    assert pixels is not None
    return pixels


def _write_tables(study: Study, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    board, shapes = study.board, study.board.printed()
    texts = {
        "leaderboard.md": markdown.to_markdown(board),
        "leaderboard.csv": records.to_csv(board),
        "leaderboard.json": records.to_json(board),
        "leaderboard.tex": latex.to_latex(board),
        "answer.json": answer_to_json(board),
    }
    if shapes:
        texts |= {
            "published.md": markdown.printed_to_markdown(shapes),
            "published.csv": records.printed_to_csv(shapes),
            "published.tex": latex.printed_to_latex(shapes),
        }
    if study.verdicts:
        texts["claims.md"] = claims_to_markdown(study.verdicts)
    for name, text in texts.items():
        write_text(folder / name, text)


def write_text(file: Path, text: str) -> None:
    """Write a text whole or not at all."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
