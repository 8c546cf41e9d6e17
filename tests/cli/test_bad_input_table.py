"""Bad input of every kind: exit status 2, one line, nothing written, as docs/reference/bad-input.md says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli.bad_input_table import attempted, table
from cli.bad_inputs import KINDS, BadInput

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bad-input.md"
CASES = [pytest.param(case, id=f"{kind}: {case.what}") for kind, cases in KINDS.items() for case in cases]


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case: BadInput) -> None:
    outcome = attempted(case)
    assert outcome.status == 2, outcome
    assert len(outcome.lines) == 1, outcome.lines
    assert outcome.lines[0].startswith("error: ")
    assert outcome.lines[0].isprintable()
    assert outcome.out == ""
    assert {Path(path).parts[0] for path in outcome.left} <= {case.leaves}, "nothing is written"


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="other versions word what is no TOML or no Python otherwise"
)
def test_the_page_is_what_is_printed() -> None:
    command = "PYTHONPATH=tests python -m cli.bad_input_table > docs/reference/bad-input.md"
    assert PAGE.read_text("utf-8") == table(), f"run: {command}"


def test_there_are_many_and_none_twice() -> None:
    for kind, cases in KINDS.items():
        assert len({case.what for case in cases}) == len(cases), kind
    assert sum(map(len, KINDS.values())) >= 200
