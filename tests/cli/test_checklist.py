"""`report --checklist`: a draft that has what records tell, and says what the author must write."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.conftest import Result

from medssl_bench.report.checklist.draft import AUTHOR, GUIDELINES


@pytest.fixture
def draft(cli: Callable[..., Result], ran: Path) -> str:
    result = cli("report", ran, "-o", "out", "--no-figures", "--checklist", "reforms", "--checklist", "claim")
    assert result.status == 0, result.err
    assert {file.name for file in Path("out").glob("checklist-*")} == {"checklist-reforms.md", "checklist-claim.md"}
    assert "CLAIM 2024" in Path("out/checklist-claim.md").read_text("utf-8")
    return Path("out/checklist-reforms.md").read_text("utf-8")


def topics(text: str) -> dict[str, list[str]]:
    parts = re.split(r"^### (.*)$", text, flags=re.MULTILINE)[1:]
    return {
        title: [line for line in body.splitlines() if line.startswith("* ")]
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


def test_records_fill_what_they_can(draft: str) -> None:
    found = topics(draft)
    whole = {title: " ".join(lines) for title, lines in found.items()}
    assert "licence: unknown" in whole["Sources and licences"]
    assert re.search(r"squares: \d+ train, \d+ val, \d+ test", whole["Splits and numbers of images"])
    assert "none was found" in whole["Duplicates and leaks"]
    assert "simclr(temperature=" in whole["Pretraining: method, encoder, optimiser, epochs"]
    assert "evaluator: finetune(epochs=4" in whole["Arms: encoder and classifier"]
    assert "labels: 20, all" in whole["Label budgets, seeds and draws"]
    assert "validation labels" in whole["Choice of epochs and settings"]
    assert "difference to supervised" in whole["Results, with 95 % intervals"]
    assert "torch: " in whole["Software"]
    assert "device: cpu" in whole["Hardware and cost"]
    assert whole["What is missing"].endswith("results")
    assert "Neither corrupted images nor another data set" in whole["Other images"]


def test_what_no_record_tells_is_the_authors(draft: str) -> None:
    found = topics(draft)
    for title in ("Question", "Setting", "Participants", "Ethics", "Labels", "Limitations", "Fairness", "Use"):
        (line,) = found[title]
        assert line.startswith(f"* {AUTHOR} "), title
    assert all(lines for lines in found.values()), "every topic has a line"
    assert "take their numbers and texts from the paper" in draft


def test_every_guideline_has_a_citation() -> None:
    for guideline in GUIDELINES.values():
        assert "https://doi.org/" in guideline.citation
        assert "2024" in guideline.citation


def test_beside_a_page_alone(cli: Callable[..., Result], ran: Path) -> None:
    assert cli("report", ran, "-o", "pages/one.html", "--no-figures", "--checklist", "tripod-ai").status == 0
    assert {file.name for file in Path("pages").iterdir()} == {"one.html", "checklist-tripod-ai.md"}


def test_another_guideline_is_refused(cli: Callable[..., Result], ran: Path) -> None:
    result = cli("report", ran, "--checklist", "stard")
    assert result.status == 2
    assert "'reforms', 'claim', 'tripod-ai'" in result.err
