"""The page on blood cells: its numbers are those of the tables that ship with it, and its suite is one."""

from __future__ import annotations

import json
import re

from docs.pages import DOCS, ROOT

from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

SHIPPED = ROOT / "results" / "blood-cells"
PAGE = (DOCS / "explanation" / "blood-cells.md").read_text("utf-8")
NAMES = {"probe of the untrained encoder": "untrained encoder", "supervised (baseline)": "supervised"}


def test_its_numbers_are_those_that_ship() -> None:
    cells = {
        (cell["arm"], cell["labels"]): cell
        for cell in json.loads((SHIPPED / "leaderboard.json").read_text("utf-8"))
        if cell["metric"] == "accuracy"
    }
    rows = [row.strip("| ").split(" | ") for row in re.findall(r"^\| .*\d\.\d{3}.*$", PAGE, re.MULTILINE)]
    assert len(rows) == len(cells) / 3
    for head, *shown in rows:
        for labels, text in zip(("100", "250", "1000"), shown, strict=True):
            cell = cells[NAMES.get(head, head), labels]
            numbers = [float(number.replace("−", "-")) for number in re.findall(r"[−+]?\d\.\d{3}", text)]
            assert numbers[0] == round(cell["mean"], 3)
            if len(numbers) == 3:
                assert numbers[1] == round(cell["difference"], 3)
                assert numbers[2] == round((cell["difference_high"] - cell["difference_low"]) / 2, 3)
            assert re.findall(r"\*\*(.*)\*\*", text) == ([cell["verdict"]] if cell["verdict"] else [])


def test_its_suite_is_read() -> None:
    suite = Suite.load(SHIPPED / "suite.toml", load_plugins())
    assert (suite.model.seeds, suite.model.draws) == ([0, 1, 2], [0, 1, 2, 3, 4])
