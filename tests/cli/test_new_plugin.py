"""The package that new-plugin writes, as a package; that it works is tested in test_authors.py."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from medssl_bench.plugin.scaffold import TEMPLATES

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[None, *TEMPLATES])
def written(cli, tmp_path, request):
    kind = ["--kind", request.param] if request.param else []
    result = cli("new-plugin", "my-scans", "--dir", tmp_path / "made" / "here", *kind)
    assert result.status == 0, result.err
    return tmp_path / "made" / "here" / "my-scans"


def _files(folder, module):
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name.replace(module, "module") for name in names if "__pycache__" not in name}


def test_it_is_the_twin_of_the_example(written):
    """It has the example's files and a suite, and is packaged in the same way."""
    example = ROOT / "plugins" / "medssl-bench-example"
    ours = {name.replace("test_gentle", "test_module") for name in _files(example, "medssl_bench_example")}
    ours.remove("LICENSE")  # under which others publish is theirs to say
    assert ours < _files(written, "my_scans")
    assert _files(written, "my_scans") - ours == {"suite.toml"}
    theirs, project = (tomllib.loads((folder / "pyproject.toml").read_text("utf-8")) for folder in (example, written))
    assert project["build-system"] == theirs["build-system"]
    assert project["project"]["requires-python"] == theirs["project"]["requires-python"]
    assert project["project"]["entry-points"] == {"medssl_bench": {"my-scans": "my_scans"}}
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"include": ["my_scans.py"]}
    assert project["project"]["dependencies"] == [f"medssl-bench>={version('medssl-bench')}"]


def test_nothing_of_the_template_is_left(written):
    for path in written.rglob("*"):
        assert "template" not in path.name
        assert path.is_dir() or "$" not in path.read_text("utf-8")


def test_it_is_tidy(written):
    for arguments in (
        ["check", "--select=E,F,W,I,B,UP,SIM,PT,RUF,D1", "--ignore=D107", "--per-file-ignores=tests/*:D"],
        ["format", "--check"],
    ):
        command = [sys.executable, "-m", "ruff", arguments[0], "--isolated", "--line-length=120", *arguments[1:], "."]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=written, timeout=60)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("example", "taken by a plugin"),
        ("augmentations", "(built-in)"),
        ("numpy", "would hide the installed Python module 'numpy'"),
        ("scikit-learn", None),
        ("medssl-bench-example", "'medssl_bench_example'"),
    ],
)
def test_names_that_are_taken(cli, tmp_path, name, wanted):
    result = cli("new-plugin", name, "--dir", tmp_path)
    if wanted is None:  # its module would be scikit_learn, which there is not
        assert result.status == 0
        return
    assert result.status == 2
    assert wanted in result.err
    assert repr(name) in result.err
    assert result.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made(cli, tmp_path):
    (tmp_path / "file").write_text("")
    result = cli("new-plugin", "my-scans", "--dir", tmp_path / "file" / "below")
    assert result.status == 2
    assert result.err.count("\n") == 1
    assert "cannot be written" in result.err
