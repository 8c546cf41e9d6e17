"""The verbs for plugin authors: new-plugin and check-plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.scaffold import TEMPLATES, write_plugin


def _install(folder: Path, site: Path) -> dict[str, str]:
    """Install a plugin as pip would, without a build: its module's folder on the path, and metadata beside it."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [f"{name} = {target}" for name, target in project["entry-points"]["medssl_bench"].items()]
    (info / "entry_points.txt").write_text("[medssl_bench]\n" + "\n".join(lines) + "\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(site)])}


def _python(*arguments: str, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::DeprecationWarning", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=cwd, timeout=300)


@pytest.mark.slow
def test_a_new_plugin_works(cli, tmp_path, monkeypatch):
    """It is written, installed, tested by its own tests and by check-plugin, and its suite runs."""
    monkeypatch.chdir(tmp_path)
    result = cli("new-plugin", "my-plugin")
    assert result.status == 0, result.err
    env = _install(tmp_path / "my-plugin", tmp_path / "site")
    ended = _python("-m", "pytest", "-q", "my-plugin/tests", env=env, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout
    for folder in ("site", "my-plugin"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert "0 failed" in cli("check-plugin", "my-plugin").out
    assert "my_plugin_views" in cli("plugins").out
    ran = cli("run", "my-plugin/suite.toml", "--epochs-scale", "0.2", "--draws", "0")
    assert ran.status == 0, ran.err
    assert "nearest mean" in ran.out


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Write and install a plugin of each kind, and return their folder."""
    folder = tmp_path_factory.mktemp("kinds")
    for kind in TEMPLATES:
        write_plugin(f"my-{kind}", folder, kind)
        _install(folder / f"my-{kind}", folder / "site")
    return folder


@pytest.mark.slow
def test_new_plugins_of_each_kind_pass_their_own_tests(kinds):
    """All but those of the contract, which check-plugin finds out below."""
    path = os.pathsep.join(map(str, [kinds / "site", *(kinds / f"my-{kind}" for kind in TEMPLATES)]))
    command = ["-m", "pytest", "-q", "--import-mode=importlib", "--ignore-glob=*/test_contract.py"]
    ended = _python(*command, env={**os.environ, "PYTHONPATH": path}, cwd=kinds)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_new_plugin_of_each_kind_works(kind, kinds, cli, tmp_path, monkeypatch):
    """check-plugin finds nothing, and its suite runs with it, as the command that writes it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(kinds / "site")
    for other in TEMPLATES:  # all are installed
        monkeypatch.syspath_prepend(kinds / f"my-{other}")
    checked = cli("check-plugin", f"my-{kind}")
    assert checked.status == 0, checked.out + checked.err
    assert checked.out.startswith(f"ok   plugin my-{kind}: loads: ")
    assert checked.out.endswith(" 0 failed\n")
    said = cli("new-plugin", "another", "--kind", kind).out.replace("another", f"my_{kind}")
    options = next(line for line in said.splitlines() if "medssl-bench run" in line).split()[3:]
    suite = kinds / f"my-{kind}" / "suite.toml"
    small = ["--epochs-scale", "0.2", "--draws", "0", "--only", "few-labels", "--device", "cpu"]
    ran = cli("run", suite, *options, *small)
    assert ran.status == 0, ran.out + ran.err
    assert "few-labels — generated data" in ran.out
    if kind == "reference":
        assert "A. Author, A Publication, 2024" in ran.out
    if kind == "watcher":
        lines = (tmp_path / "my-watcher.tsv").read_text("utf-8").splitlines()
        assert len(lines) > 3
        assert all(line.startswith("done\t") for line in lines)
    if kind == "claims":
        assert cli("report", suite, "-o", "report.html", "--no-figures", *small[:4]).status == 0
        assert "A probe on a pretrained encoder is better" in Path("report.html").read_text("utf-8")


def test_every_kind_has_a_template(cli, tmp_path):
    assert TEMPLATES.keys() == {*KINDS, "watcher"}
    result = cli("new-plugin", "mine", "--kind", "augmentations", "--dir", tmp_path)
    assert result.status == 2
    assert result.err.count("\n") == 1
    assert "'augmentation', 'op', 'dataset'" in result.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["My Plugin", "../up", "a/b", "class", "json", "1st", "medssl-bench", ""])
def test_names_that_cannot_be_used(cli, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    result = cli("new-plugin", name)
    assert result.status == 2
    assert result.err.count("\n") == 1
    assert repr(name) in result.err
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(cli, tmp_path):
    (tmp_path / "mine").mkdir()
    result = cli("new-plugin", "mine", "--dir", tmp_path)
    assert result.status == 2
    assert "there already" in result.err
    assert not list((tmp_path / "mine").iterdir())


def test_check_an_inline_plugin(cli, tmp_path):
    (tmp_path / "mine.py").write_text(
        '"""Mine."""\n'
        "from medssl_bench import hookimpl\n\n\n"
        "@hookimpl\ndef medssl_augmentations(register):\n    register('bright', bright)\n\n\n"
        "def bright(size: int):\n"
        '    """Too bright."""\n'
        "    from torch import nn\n\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(size), nn.Threshold(-1, 0), nn.Hardtanh(2, 3))\n"
    )
    result = cli("check-plugin", tmp_path / "mine.py")
    assert result.status == 1
    assert "FAIL augmentation bright: values in [0, 1]" in result.out
    assert "further checks left out until this holds" in result.out, "one fault, one line"
    checks = json.loads(cli("check-plugin", tmp_path / "mine.py", "--json").out)
    assert {check["ok"] for check in checks} == {True, False}


def test_unknown_plugin(cli):
    result = cli("check-plugin", "exmaple")
    assert result.status == 2
    assert "did you mean 'example'" in result.err


def test_parameters_can_be_given(cli, tiny):
    few = [word for name in ("cells", "layers") for word in ("--with", f"dataset:phantom_{name}", "train = 40")]
    result = cli("check-plugin", "datasets", "--with", "dataset:npz", 'path = "squares.npz"', *few, "--json")
    checks = {(c["component"], c["name"]): c for c in json.loads(result.out)}
    assert checks["dataset npz", "the same content twice"]["ok"]
    assert "not here" in checks["dataset bloodmnist", "content"]["found"]
    wrong = cli("check-plugin", "datasets", "--with", "dataset:npz", "path =")
    assert wrong.status == 2
    assert "is not TOML" in wrong.err
