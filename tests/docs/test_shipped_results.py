"""Pages on results that ship: their numbers are those of the tables beside them, and their suites are read."""

from __future__ import annotations

import json
import re

import pytest
from docs.pages import DOCS, ROOT

from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

NAMES = {
    "probe of the untrained encoder": "untrained encoder",
    "supervised (baseline)": "supervised",
    "SimCLR (baseline)": "SimCLR",
}


@pytest.mark.parametrize(
    ("folder", "page", "metric"),
    [("blood-cells", "blood-cells.md", "accuracy"), ("methods", "methods-on-blood-cells.md", "auroc")],
)
def test_numbers_are_those_that_ship(folder: str, page: str, metric: str) -> None:
    shipped = json.loads((ROOT / "results" / folder / "leaderboard.json").read_text("utf-8"))
    cells = {(cell["arm"], cell["labels"]): cell for cell in shipped if cell["metric"] == metric}
    text = (DOCS / "explanation" / page).read_text("utf-8")
    rows = [row.strip("| ").split(" | ") for row in re.findall(r"^\| .*\d\.\d{3}.*$", text, re.MULTILINE)]
    assert len(rows) == len(cells) / 3
    for head, *shown in rows:
        for labels, found in zip(("100", "250", "1000"), shown, strict=True):
            cell = cells[NAMES.get(head, head), labels]
            numbers = [float(number.replace("−", "-")) for number in re.findall(r"[−+]?\d\.\d{3}", found)]
            assert numbers[0] == round(cell["mean"], 3)
            if len(numbers) == 3:
                assert numbers[1] == round(cell["difference"], 3)
                assert numbers[2] == round((cell["difference_high"] - cell["difference_low"]) / 2, 3)
            assert re.findall(r"\*\*(.*)\*\*", found) == ([cell["verdict"]] if cell["verdict"] else [])


@pytest.mark.parametrize(("folder", "seeds", "draws"), [("blood-cells", 3, 5), ("methods", 1, 3)])
def test_suites_are_read(folder: str, seeds: int, draws: int) -> None:
    suite = Suite.load(ROOT / "results" / folder / "suite.toml", load_plugins())
    assert (len(suite.model.seeds), len(suite.model.draws)) == (seeds, draws)
