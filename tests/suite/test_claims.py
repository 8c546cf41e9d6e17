"""Claims that a suite names are there, and so are the published numbers that they are about."""

from __future__ import annotations

from pathlib import Path

import pytest
from suite.conftest import changed

from medssl_bench.errors import SuiteError
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

PLUGIN = '''
from medssl_bench import hookimpl
from medssl_bench.published.claims import Claims


@hookimpl
def medssl_claims(register):
    register("ours", ours)


def ours():
    """What we claimed."""
    return Claims.from_toml("""
        citation = "Ourselves"
        reference = "REFERENCE"
        [[claim]]
        id = "better"
        text = "it is better"
        [[claim.condition]]
        datasets = ["bloodmnist"]
        labels = ["100"]
        plus = ["table / tuned"]
        minus = ["table / scratch"]
        above = 0.0
    """)
'''


def _load(folder: Path, reference: str) -> Suite:
    (folder / "mine.py").write_text(PLUGIN.replace("REFERENCE", reference), "utf-8")
    text = changed(('name = "small"', 'name = "small"\nplugins = ["mine.py"]\nclaims = ["ours"]'))
    (folder / "suite.toml").write_text(text, "utf-8")
    return Suite.load(folder / "suite.toml", load_plugins())


def test_claims_of_a_reference_that_is_not_there_are_refused_at_their_line(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"toml:4: claims\[0\]: there is no reference 'ours'; there are: .*\bthesis"):
        _load(tmp_path, "ours")


def test_claims_of_one_that_is_there_are_read(tmp_path: Path) -> None:
    assert _load(tmp_path, "thesis").model.claims == ["ours"]
