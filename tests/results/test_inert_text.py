"""What someone else has named stays text in what other programs read: spreadsheets, LaTeX, Markdown, shells."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite.mutations import toml

from medssl_bench.errors import SuiteError
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.results import records
from medssl_bench.results.cells import Cell
from medssl_bench.results.formats import latex, markdown
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.results.printed import PrintedBlock, PrintedCell, PrintedRow, PrintedTable
from medssl_bench.results.tables import Panel, TableResult
from medssl_bench.results.value import Value
from medssl_bench.suite.suite import Suite

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _board(cell: Cell) -> Leaderboard:
    panel = Panel(cell.dataset, cell.metric, [cell.labels], [cell.arm], set(), {(cell.arm, cell.labels): cell})
    return Leaderboard("s", [TableResult("t", "t", [], None, "", [panel], [])], [])


def _printed(arm: str, row: str, dataset: str, part: str) -> PrintedTable:
    cell = PrintedCell("100", "accuracy", mean=-0.5, n=1, expected=1, reference=0.25, arm=arm)
    block = PrintedBlock(part, dataset, ("arm",), ("100",), {"accuracy": "Acc"}, (PrintedRow((row,), "arm", (cell,)),))
    return PrintedTable("t", "Table 1", "t", (), "c", "labels", (block,))


@given(
    name=st.text(st.characters(codec="utf-8"), max_size=8)
    | st.builds(str.__add__, st.sampled_from(FORMULAS), st.text(st.characters(codec="utf-8"), max_size=5))
)
def test_no_cell_of_csv_is_a_formula(name: str) -> None:
    board = _board(Cell("t", name, "100", name, "accuracy", [Value(0, 0, -0.5)], 1, difference=-0.25))
    (row,) = csv.DictReader(io.StringIO(records.to_csv(board), newline=""))
    assert (row["value"], row["difference"]) == ("-0.5", "-0.25"), "numbers stay numbers"
    for text in (row["arm"], row["dataset"]):
        assert not text.lstrip(" ").startswith(FORMULAS)
        assert re.sub(r"[\r\n]", " ", name) in {text, text.removeprefix("'")}


def test_published_tables_in_json_have_the_names_as_they_are() -> None:
    table = _printed("=arm()", "-row", "@d", "+b")
    text = records.printed_to_csv([table])
    assert all(guarded in text for guarded in ("'=arm()", "'-row", "'@d", "'+b", ",-0.5,"))
    (found,) = json.loads(records.printed_to_json([table]))
    assert (found["arm"], found["row"], found["dataset"], found["part"]) == ("=arm()", "-row", "@d", "+b")
    assert (found["mean"], found["difference"], found["std"]) == (-0.5, -0.75, None)


@pytest.mark.parametrize("name", ["[2cm] x", "*", "[", "*[3]"])
def test_a_row_of_latex_is_no_argument_of_the_line_before(name: str) -> None:
    board = _board(Cell("t", "d", "100", name, "accuracy", [Value(0, 0, 0.5)], 1))
    for text in (latex.to_latex(board), latex.printed_to_latex([_printed(name, name, name, name)])):
        assert not re.search(r"(\\\\|rule|smallskip)\s*[\[*]", text)


def test_markdown_reads_no_marks_in_names() -> None:
    board = _board(Cell("t", "d", "100", "a &amp; ~~b~~ $x$ <i>", "accuracy", [Value(0, 0, 0.5)], 1))
    assert r"a \&amp; \~\~b\~\~ \$x\$ \<i\>" in markdown.to_markdown(board)


@pytest.mark.parametrize(
    ("requirement", "told"),
    [
        ("no-such-thing>=1", "pip install 'no-such-thing>=1'"),
        ("no-such-thing; os_name == 'x$(touch owned)'", None),
        ("no-such-thing @ https://example.org/a';touch${IFS}owned;'", "names an address"),
        ("no-such-thing @ file:///tmp/x", "names an address"),
    ],
)
def test_a_requirement_that_is_told_as_a_command_is_one_word_of_it(
    requirement: str, told: str | None, tmp_path: Path
) -> None:
    arm = {"name": "a", "evaluator": "majority"}
    table = {"id": "t", "datasets": ["phantom_cells"], "labels": ["all"], "arm": [arm]}
    suite = {"schema": 1, "name": "s", "requires": [requirement], "comparison": [table]}
    path = tmp_path / "s.toml"
    path.write_text(toml(suite), "utf-8")
    with pytest.raises(SuiteError) as caught:
        Suite.load(path, load_plugins())
    (problem,) = caught.value.problems
    command = problem.message.partition("; pip install ")[2]
    assert not command or shlex.split(command) == [requirement]
    assert told is None or told in problem.message
