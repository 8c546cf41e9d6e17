"""Pages on results that ship: their numbers are those of the tables beside them, and their suites are read."""

from __future__ import annotations

import json
import math
import re
import statistics
from typing import Any

import pytest
from docs.pages import DOCS, ROOT
from scipy.stats import t

from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

NAMES = {
    "probe of the untrained encoder": "untrained encoder",
    "supervised (baseline)": "supervised",
    "SimCLR (baseline)": "SimCLR",
}
SETS = {"blood cells": "blood", "retinas": "retina", "chest X-rays": "pneumonia"}
"""What tables of pages call a data set, in the first field of their heading."""


@pytest.mark.parametrize(
    ("folder", "page", "metric"),
    [("blood-cells", "blood-cells.md", "accuracy"), ("methods", "methods-on-real-images.md", "auroc")],
)
def test_numbers_are_those_that_ship(folder: str, page: str, metric: str) -> None:
    shipped = json.loads((ROOT / "results" / folder / "leaderboard.json").read_text("utf-8"))
    cells = {(cell["dataset"], cell["arm"], cell["labels"]): cell for cell in shipped if cell["metric"] == metric}
    text = (DOCS / "explanation" / page).read_text("utf-8")
    seen = 0
    for heading, table in re.findall(
        r"^\| (?:\w+, )?([^|\n]*?) \| 100 labels.*\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE
    ):
        for head, *shown in (row.strip("| ").split(" | ") for row in table.splitlines()):
            for labels, found in zip(("100", "250", "1000"), shown, strict=True):
                _compare(found, cells[SETS.get(heading, "blood"), NAMES.get(head, head), labels])
                seen += 1
    assert seen == len(cells)


def _compare(found: str, cell: dict[str, Any]) -> None:
    """Compare what a page shows in a field with what shipped."""
    numbers = [float(number.replace("−", "-")) for number in re.findall(r"[−+]?\d\.\d{3}", found)]
    assert numbers[0] == round(cell["mean"], 3)
    if len(numbers) == 3:
        assert numbers[1] == round(cell["difference"], 3)
        assert numbers[2] == round((cell["difference_high"] - cell["difference_low"]) / 2, 3)
    assert re.findall(r"\*\*(.*)\*\*", found) == ([cell["verdict"]] if cell["verdict"] else [])


def test_published_numbers_agree_where_the_page_says_so() -> None:
    shipped = json.loads((ROOT / "results" / "medmnist-v2" / "leaderboard.json").read_text("utf-8"))
    text = (DOCS / "explanation" / "medmnist-v2.md").read_text("utf-8")
    rows = re.findall(
        r"^\| (\w+), (\w+) \| (.*?) \| (.*?) \| (.*?) \| ± (.*?) \| (agrees|differs) \|$", text, re.MULTILINE
    )
    for dataset, metric, published, seeds, mean, half, verdict in rows:
        wanted = (dataset.lower(), "ResNet-18", metric.lower())
        (cell,) = [cell for cell in shipped if (cell["dataset"], cell["arm"], cell["metric"]) == wanted]
        values = [value["value"] for value in cell["values"]]
        far = t.ppf(0.975, len(values) - 1) * statistics.stdev(values) * math.sqrt(1 + 1 / len(values))
        assert (published, mean, half) == tuple(
            f"{number:.3f}" for number in (cell["reference"], statistics.mean(values), far)
        )
        assert seeds == ", ".join(f"{value:.3f}" for value in values)
        assert verdict == ("agrees" if abs(statistics.mean(values) - cell["reference"]) <= far else "differs")
    assert len(rows) == 4
    agreeing = sum(verdict == "agrees" for *_, verdict in rows)
    assert f"{agreeing} of 4 agree" in text


@pytest.mark.parametrize(
    ("folder", "seeds", "draws"), [("blood-cells", 3, 5), ("methods", 1, 3), ("medmnist-v2", 3, 1)]
)
def test_suites_are_read(folder: str, seeds: int, draws: int) -> None:
    suite = Suite.load(ROOT / "results" / folder / "suite.toml", load_plugins())
    assert (len(suite.model.seeds), len(suite.model.draws)) == (seeds, draws)
