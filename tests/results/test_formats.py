"""A leaderboard in every form it is written in."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from results.conftest import PROBE, SUITE, Lab
from rich.console import Console

from medssl_bench.results import records
from medssl_bench.results.cells import Cell
from medssl_bench.results.formats import console, latex, markdown
from medssl_bench.results.formats.grids import analyses_grid, cell_of
from medssl_bench.results.formats.text import notes, plain, signed
from medssl_bench.results.value import Value

VALIDATION = "epochs selected with all 1,712 validation labels"


def _shown(lab: Lab, *, compact: bool = False, width: int = 120) -> str:
    drawn = Console(width=width, file=io.StringIO(), record=True)
    drawn.print(console.render(lab.board, compact=compact))
    return drawn.export_text()


@pytest.mark.parametrize(
    ("values", "expected", "lost", "text"),
    [
        ([0.75], 1, [], "0.750"),
        ([0.7, 0.8], 2, [], "0.750 ± 0.071"),
        ([0.7, 0.8], 3, [], "0.750 ± 0.071 (2 of 3)"),
        ([0.75], 3, ["failed"], "0.750 (1 of 3, 1 failed)"),
        ([0.75], 9, ["failed", "blocked", "blocked"], "0.750 (1 of 9, 1 failed, 2 blocked)"),
        ([], 3, [], "–"),
        ([], 3, ["failed"], "failed"),
        ([], 3, ["blocked"], "blocked"),
        ([1.0], 1, [], "1.000"),
        ([0.0], 1, [], "0.000"),
    ],
)
def test_how_a_cell_is_written(
    values: list[float], expected: int, lost: list[Literal["failed", "blocked"]], text: str
) -> None:
    cell = Cell("t", "d", "1", "a", "accuracy", [Value(0, i, v) for i, v in enumerate(values)], expected)
    cell.lost = {str(place): word for place, word in enumerate(lost)}
    assert cell_of(cell).number == text


def test_how_a_difference_is_written() -> None:
    assert [signed(value) for value in (0.1534, -0.002, 0.0, -0.0001)] == ["+0.153", "−0.002", "+0.000", "+0.000"]


def test_a_number_below_zero_has_the_minus_of_differences() -> None:
    assert [plain(value) for value in (0.1534, -0.047, 0.0, -0.0001)] == ["0.153", "−0.047", "0.000", "0.000"]


@pytest.mark.parametrize(
    ("trials", "text"),
    [
        ([(0, 0), (0, 1), (0, 2)], ["3 label draws (n = 3)"]),
        ([(0, 0), (1, 0)], ["2 training seeds (n = 2)"]),
        (
            [(0, 0), (0, 1), (1, 0), (1, 1)],
            ["2 training seeds x 2 label draws (n = 4); seeds and draws are two kinds of chance, and it mixes them"],
        ),
        ([(0, 0)], []),
    ],
)
def test_what_a_standard_deviation_is_over(lab: Lab, trials: list[tuple[int, int]], text: list[str]) -> None:
    values = [Value(seed, draw, 0.1 * place) for place, (seed, draw) in enumerate(trials)]
    panel = replace(lab.board.tables[0].panels[0], cells={("a", "1"): Cell("t", "d", "1", "a", "accuracy", values)})
    table = replace(lab.board.tables[0], panels=[panel], baseline=None, citation=None)
    assert notes(table) == [f"±: sample standard deviation over {axes}." for axes in text]


def test_json_has_one_object_for_each_cell(lab: Lab) -> None:
    lab.fill()
    cells = json.loads(records.to_json(lab.board))
    assert len(cells) == 3 * 2 * 2
    keys = {"comparison", "dataset", "labels", "arm", "metric", "n", "mean", "std", "values", "reference", "scaled"}
    for cell in cells:
        assert keys <= cell.keys()
        assert cell["n"] == len(cell["values"])
        assert all(value.keys() == {"seed", "draw", "fold", "value", "flags", "tuned"} for value in cell["values"])
        if cell["n"]:
            assert cell["mean"] == pytest.approx(sum(value["value"] for value in cell["values"]) / cell["n"])
    (first,) = [c for c in cells if (c["arm"], c["labels"], c["metric"]) == ("supervised", "100", "accuracy")]
    assert (first["comparison"], first["dataset"], first["reference"], first["scaled"]) == (
        "main",
        "bloodmnist",
        0.75,
        None,
    )


def test_json_of_an_empty_and_of_a_scaled_board(lab_of: Callable[..., Lab]) -> None:
    empty = json.loads(records.to_json(lab_of().board))
    assert {(cell["n"], cell["mean"], cell["std"], tuple(cell["values"])) for cell in empty} == {(0, None, None, ())}
    assert {cell["scaled"] for cell in json.loads(records.to_json(lab_of(epochs_scale=0.5).board))} == {0.5}


def test_csv_has_one_line_for_each_value(lab: Lab) -> None:
    lab.fill()
    lab_cells = lab.board.cells()
    rows = list(csv.DictReader(io.StringIO(records.to_csv(lab.board))))
    assert len(rows) == sum(cell.n for cell in lab_cells)
    assert {row["arm"] for row in rows} == {"majority class", "supervised", PROBE}
    for row in rows:
        assert None not in row, "no line has more fields than the head"
        (cell,) = [c for c in lab_cells if (c.arm, c.labels, c.metric) == (row["arm"], row["labels"], row["metric"])]
        assert float(row["mean"]) == cell.mean
        assert (int(row["seed"]), int(row["draw"]), float(row["value"])) in {
            (value.seed, value.draw, value.value) for value in cell.values
        }


def test_csv_of_cells_without_values(lab: Lab) -> None:
    rows = list(csv.DictReader(io.StringIO(records.to_csv(lab.board))))
    assert len(rows) == 3 * 2 * 2
    assert {(row["n"], row["value"], row["mean"], row["seed"]) for row in rows} == {("0", "", "", "")}


def _unescaped_bars(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line))


def test_markdown(lab: Lab) -> None:
    lab.fill()
    text = markdown.to_markdown(lab.board)
    lines = text.splitlines()
    title = r"Main \<b\>\*table\*\</b\> \| 100 % of a\_b & c"
    assert lines[0] == f"## {title} — {VALIDATION}"
    assert "**bloodmnist: AUROC**" in lines
    assert r"| arm \\ labels | 100 | all |" in lines
    assert "|---|--:|--:|" in lines
    bloodmnist = lines.index("**bloodmnist: accuracy**")
    for line in lines[bloodmnist + 2 : bloodmnist + 7]:
        assert _unescaped_bars(line) == 4, "as many cells as columns, whatever the names hold"
    (probe,) = [line for line in lines[bloodmnist : bloodmnist + 7] if "ours" in line]
    assert probe == (r"| probe \| \[ours\] 50% #1\_a | **0.725 ± 0.024**<br>+0.100 | 0.805 ± 0.007<br>−0.100 |")
    assert "| supervised (baseline) | 0.625 ± 0.024<br>ref 0.750 (−0.125) | **0.905 ± 0.007** |" in lines
    assert r"*ref: published value (and the difference to it), Someone & Co. (2023), Table 1\_a.*" in lines
    ranking = f"**Ranking by accuracy: “{title}” — {VALIDATION}**"
    assert ranking in lines
    assert r"| probe \| \[ours\] 50% #1\_a | 1.50 | 2 | 1 of 1 |" in lines
    assert lines[-1] == "13 of 13 results."


def test_markdown_of_an_empty_board(lab: Lab) -> None:
    text = markdown.to_markdown(lab.board)
    assert "| supervised (baseline) | –<br>ref 0.750 | – |" in text
    assert "Ranking by" not in text


def test_latex(lab: Lab) -> None:
    lab.fill()
    text = latex.to_latex(lab.board)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 2, "the comparison and the ranking"
    assert text.count(r"\begin{tabular}{lrr}") == 2
    assert r"\caption{Main \textless{}b\textgreater{}*table*" in text
    rows = [line.removesuffix(r" \\").split(" & ") for line in text.splitlines() if line.endswith(r"\\")]
    place = next(number for number, row in enumerate(rows) if row[0].strip().startswith("probe"))
    assert rows[place][1:] == [r"\textbf{0.725}", "0.805"]
    assert rows[place + 1][1:] == [r"{\scriptsize $\pm$ 0.024}", r"{\scriptsize $\pm$ 0.007}"]
    assert rows[place + 2][1:] == [r"{\scriptsize diff. +0.100}", r"{\scriptsize diff. $-$0.100}"]
    assert r"{\scriptsize ref 0.750}" in text
    assert "Second line" in text
    assert "Someone \\& Co." in text
    assert not re.search(r"(?<!\\)[%#_]", text.replace(latex.PREAMBLE, "")), "nothing that LaTeX would take for a mark"
    assert text.isascii()


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_latex_compiles(lab: Lab, tmp_path: Path) -> None:
    lab.fill()
    for found in lab.plan.analyses:
        lab.finish_stage(lab.plan.stages[found.stage], silhouette_2=0.1)
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}"
    (tmp_path / "page.tex").write_text(f"{head}{latex.to_latex(lab.board)}\\end{{document}}", "utf-8")
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "page.tex"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("odd", ["a\\b", "a~b", "a^b", "a{b}", "$x$"])
def test_latex_escapes(odd: str) -> None:
    escaped = latex.escaped(odd)
    assert not re.search(r"(?<!\\)[~^$]", escaped)
    braces = escaped.replace(r"\{", "").replace(r"\}", "")
    assert braces.count("{") == braces.count("}")
    assert latex.escaped("a\\b") == r"a\textbackslash{}b"


def test_on_the_console(lab: Lab) -> None:
    lab.fill()
    shown = _shown(lab)
    only_full = (
        "+0.100",
        "−0.100",
        "ref 0.750",
        "(−0.125)",
        "Ranking by accuracy",
        "±: sample standard deviation over 2 training seeds x 2 label draws (n = 4), or 2 training seeds (n = 2)",
        "Bold: the highest mean",
        "13 of 13 results",
        "Second line: mean",
    )
    always = ("Main <b>*table*</b> | 100 % of a_b & c", PROBE, "supervised (baseline)", "0.725 ± 0.024")
    for text in (*only_full, *always):
        assert text in " ".join(shown.split())
    compact = _shown(lab, compact=True)
    assert all(text in compact for text in always)
    assert not any(text in compact for text in only_full)


def test_on_a_narrow_console_nothing_is_cut_off(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(SUITE.replace(PROBE, "an arm of a long name, with temperature=0.1"))
    lab.fill()
    for found in lab.plan.analyses:
        lab.finish_stage(lab.plan.stages[found.stage], silhouette_2=0.1, explained_variance_2=0.9, silhouette_50=0.1)
    assert "…" not in _shown(lab, width=76)


def test_names_that_look_like_markup_of_the_console_are_only_names(lab_of: Callable[..., Lab]) -> None:
    text = SUITE.replace(PROBE, "probe [bold] [red]").replace('["bloodmnist"]', '["[/x] cells"]')
    text = text.replace('reference = "printed:main"\n', "") + '[dataset."[/x] cells"]\nname = "bloodmnist"\n'
    lab = lab_of(text)
    lab.fill()
    for found in lab.plan.analyses:
        lab.finish_stage(lab.plan.stages[found.stage], silhouette_2=0.1)
    shown = _shown(lab)
    assert "[/x] cells: accuracy" in shown
    assert shown.count("probe [bold] [red]") == 4, "in two panels, among the analyses and in the ranking"


def test_what_failed_is_shown_as_failed(lab: Lab) -> None:
    for trial in lab.trials("supervised"):
        lab.fail(trial.stage)
    lab.finish(lab.trials(PROBE)[0], accuracy=0.5)
    assert "failed" in _shown(lab)
    assert "0.500 (1 of 4)" in _shown(lab)
    assert "| supervised (baseline) | failed<br>ref 0.750 |" in markdown.to_markdown(lab.board)


def test_every_form_says_that_results_are_scaled(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(epochs_scale=0.5)
    lab.fill()
    for text in (markdown.to_markdown(lab.board), latex.to_latex(lab.board), _shown(lab), console.to_svg(lab.board)):
        assert "SCALED" in text
    assert {row["scaled"] for row in csv.DictReader(io.StringIO(records.to_csv(lab.board)))} == {"0.5"}


@pytest.mark.parametrize("form", ["console", "compact", "markdown", "latex", "json", "csv", "svg"])
def test_every_form_says_how_many_validation_labels_select_epochs(form: str, lab: Lab) -> None:
    lab.fill()
    board = lab.board
    if form in {"json", "csv"}:
        cells = json.loads(records.to_json(board))
        if form == "csv":
            cells = list(csv.DictReader(io.StringIO(records.to_csv(board))))
        told = {(cell["arm"], cell["selection"], str(cell["validation_labels"])) for cell in cells}
        assert told == {
            ("majority class", "none", "0"), ("supervised", "validation", "1712"), (PROBE, "validation", "1712"),
        }  # fmt: skip
        return
    forms = {"markdown": markdown.to_markdown, "latex": latex.to_latex, "svg": console.to_svg}
    text = forms[form](board) if form in forms else _shown(lab, compact=form == "compact")
    assert VALIDATION in re.sub(r"(<[^>]*>|&#160;|\s)+", " ", text)


def test_analyses_of_encoders_that_labels_shaped_say_it_too(lab: Lab) -> None:
    for found in lab.plan.analyses:
        lab.finish_stage(lab.plan.stages[found.stage], silhouette_2=0.1 * found.seed)
    grid = analyses_grid(lab.board.tables[0])
    assert grid is not None
    assert grid.title == f"analyses of the encoders — of those trained with labels: {VALIDATION}"
    (note,) = grid.notes
    assert note.startswith("±: sample standard deviation over 2 training seeds x 2 label draws (n = 4), or 2 train")


def test_a_picture(lab: Lab) -> None:
    lab.fill()
    svg = console.to_svg(lab.board)
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    assert "<b>" not in svg
