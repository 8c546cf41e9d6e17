"""The changelog: fragments are well-formed, and the version is the same wherever it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FOLDER = ROOT / PYPROJECT["tool"]["towncrier"]["directory"]
TYPES = [kind["directory"] for kind in PYPROJECT["tool"]["towncrier"]["type"]]
VERSION = PYPROJECT["project"]["version"]


def problems(name: str, text: str) -> list[str]:
    """Return what is wrong with a fragment."""
    found = []
    if not re.fullmatch(rf"\+[a-z0-9-]+\.({'|'.join(TYPES)})\.md", name):
        found.append(f"the name is not +words.type.md with a type of {TYPES}")
    lines = text.removesuffix("\n").splitlines()
    if not 1 <= len(lines) <= 3 or any(not line.strip() or len(line) > 140 for line in lines):
        found.append("it is not one to three lines of at most 140 characters")
    if not text.endswith(".\n") or text.startswith(("-", "*", "#")):
        found.append("it is not a sentence that ends with a full stop and a line end, without a list's mark")
    return found


def test_every_fragment_is_well_formed():
    for file in FOLDER.iterdir():
        if file.name not in PYPROJECT["tool"]["towncrier"]["ignore"]:
            assert problems(file.name, file.read_text("utf-8")) == [], file.name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("+a.added.md", "- A list's mark.\n"),
        ("+a.added.md", "No full stop\n"),
        ("+a.added.md", ""),
        ("+a.added.md", "One.\n\nAn empty line.\n"),
        ("+a.new.md", "No type.\n"),
        ("a.added.md", "No plus.\n"),
        ("+a.added.txt", "No page.\n"),
    ],
)
def test_a_fragment_that_is_wrong_is_found(name, text):
    assert problems(name, text)


def test_the_changelog_has_the_version_with_a_date():
    (first, *_) = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert re.fullmatch(rf"{re.escape(VERSION)} - \d{{4}}-\d\d-\d\d", first)


def test_the_citation_has_the_version():
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_towncrier_makes_a_section_of_fragments(tmp_path):
    pytest.importorskip("towncrier")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(FOLDER, tmp_path / "changes", ignore=shutil.ignore_patterns("+*"))
    (tmp_path / "changes" / "+thing.added.md").write_text("A thing.\n")
    (tmp_path / "changes" / "+error.fixed.md").write_text("An error is gone.\n")
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.0", "--date", "2000-01-01"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    lines = [line for line in printed.splitlines() if line]
    assert lines == ["## 9.0 - 2000-01-01", "### Added", "- A thing.", "### Fixed", "- An error is gone."]
