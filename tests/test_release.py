"""What says the version says the same one, licences are copies, and a repository that is not ready is not released."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def ready(tag: str) -> str:
    return subprocess.run([ROOT / ".ci" / "release_check", tag], capture_output=True, text=True, check=False).stdout


def test_the_citation_and_the_changelog_have_the_version():
    assert ready(f"v{VERSION}") == "" or "still has fragments" in ready(f"v{VERSION}")


def test_another_tag_is_refused():
    assert ready("v99.0.0") == "not ready: pyproject.toml has another version than 99.0.0\n"


def test_the_notes_are_those_of_the_newest_release():
    notes = subprocess.check_output([ROOT / ".ci" / "release_notes"], text=True)
    assert notes.strip()
    assert f"## {VERSION} - " not in notes
    assert notes in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("project", sorted(ROOT.glob("plugins/*/pyproject.toml")), ids=lambda file: file.parent.name)
def test_a_plugin_has_the_licence_and_the_version_of_the_harness(project):
    about = tomllib.loads(project.read_text("utf-8"))
    assert (project.parent / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    if project.parent.name != "medssl-bench-example":  # as another's would be
        place = about["tool"]["hatch"]["version"]
        assert re.search(place["pattern"], (project.parent / place["path"]).read_text("utf-8"))["version"] == VERSION


def test_all_has_every_plugin_that_is_released():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["all"]
    named = {re.split(r"[>\[]", requirement)[0] for requirement in extra} - {"medssl-bench"}
    assert named == {file.parent.name for file in ROOT.glob("plugins/*/pyproject.toml")} - {"medssl-bench-example"}
