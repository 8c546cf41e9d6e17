"""What looks and plans answers at once: without torch, and in a fraction of a second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli.bad_suites import GOOD
from cli.conftest import write_squares

from medssl_bench.cli.main import _VERBS

HEAVY = ["torch", "kornia", "timm", "sklearn", "scipy", "torchvision", "torchmetrics", "lightly", "medmnist"]

WATCHED = """
import sys
from medssl_bench.cli import main
try:
    main()
finally:
    print("loaded:", *sorted(set(sys.modules) & set(sys.argv.pop().split(","))), file=sys.stderr)
"""

COMMANDS = [
    "--help", "--version", "list", "list augmentations --json", "show augmentation simclr", "plugins", "data list",
    "schema", "validate suite.toml", "plan suite.toml", "plan suite.toml --json", "leaderboard suite.toml",
]  # fmt: skip

ONE_BY_ONE = f"""
import contextlib, io, sys
from medssl_bench.cli import main
for command in {COMMANDS}:
    sys.argv[1:] = command.split()
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            main()
    except SystemExit as ended:
        assert not ended.code, command
    assert out.getvalue(), command
    loaded = set(sys.modules) & set({HEAVY})
    assert not loaded, f"{{command}} loads {{loaded}}"
"""
"""Commands in one process: whatever one of them loads is there when it has ended."""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a suite that asks for a bit of everything, and its data, into the working directory."""
    monkeypatch.chdir(tmp_path)
    write_squares(tmp_path / "squares.npz")
    text = GOOD.replace('["squares"]', '["squares", "bloodmnist", { name = "phantom_cells", train = 40 }]')
    text = text.replace("baseline", 'analyses = ["silhouette"]\nbaseline')
    text += '  [[comparison.arm]]\n  name = "knn"\n  encoder = "vit_tiny"\n  evaluator = "knn"\n'
    (tmp_path / "suite.toml").write_text(text)
    return "suite.toml"


@pytest.mark.usefixtures("suite")
def test_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", ONE_BY_ONE], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("suite")
def test_the_watch_sees_what_is_loaded() -> None:
    code = ONE_BY_ONE.replace("            main()", "            import scipy; print(main)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert "AssertionError: --help loads {'scipy'}" in done.stderr


@pytest.mark.parametrize("statement", ["import medssl_bench", "from medssl_bench import Suite, hookimpl"])
def test_the_package_imports_no_torch(statement: str) -> None:
    code = f"import sys; {statement}; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_help_is_there_at_once() -> None:
    """It takes about 0.15 s; the bound leaves room for a machine that is busy with other things."""

    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "medssl_bench", "--help"], capture_output=True, check=True, timeout=60)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 1


def test_the_help_of_no_verb_loads_torch() -> None:
    code = f"import sys; from medssl_bench.cli.main import cli; [cli.get_command(None, v) for v in {list(_VERBS)}]"
    code += "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_says_what_it_does(verb: str, cli: Callable[..., Any]) -> None:
    result = cli(verb, "--help")
    assert result.status == 0
    assert result.out.startswith("Usage: ")
    assert len(result.out.splitlines()[2].strip()) > 20, "a sentence"
    assert "--help" in result.out


def test_every_verb_and_no_other_is_listed(cli: Callable[..., Any]) -> None:
    out = cli("--help").out
    for verb, summary in _VERBS.items():
        assert any(line.split() == [verb, *summary.split()] for line in out.splitlines()), verb


def test_components_as_json(cli: Callable[..., Any]) -> None:
    found = json.loads(cli("list", "augmentations", "--json").out)
    assert {entry["kind"] for entry in found} == {"augmentation"}
    (simclr,) = [entry for entry in found if entry["name"] == "simclr"]
    assert simclr.keys() == {"kind", "name", "plugin", "revision", "summary"}
    assert simclr["plugin"] == "augmentations"
    assert simclr["summary"]
    assert len(json.loads(cli("list", "--json").out)) > len(found)


@pytest.mark.parametrize(
    ("word", "meant"), [("lisst", "list"), ("leader-board", "leaderboard"), ("plugin", "plugins"), ("zzzzz", None)]
)
def test_an_unknown_verb(word: str, meant: str | None, cli: Callable[..., Any]) -> None:
    result = cli(word)
    assert result.status == 2
    hint = f" (did you mean '{meant}'?)" if meant else ""
    assert result.err == f"error: there is no command '{word}'{hint} (see medssl-bench --help)\n"


def test_without_a_verb_the_help_is_shown(cli: Callable[..., Any]) -> None:
    result = cli()
    assert result.status == 2
    assert "Start with your images: medssl-bench init IMAGES" in result.err


@pytest.mark.parametrize(
    ("shell", "mark"), [("bash", "complete -o nosort"), ("zsh", "#compdef"), ("fish", "complete ")]
)
def test_shell_completion(shell: str, mark: str) -> None:
    program = Path(sys.executable).with_name("medssl-bench")
    done = _completing(program, f"{shell}_source")
    assert done.returncode == 0
    assert mark in done.stdout
    assert "_MEDSSL_BENCH_COMPLETE" in done.stdout


def test_completion_of_verbs_and_options() -> None:
    program = Path(sys.executable).with_name("medssl-bench")
    found = _completing(program, "bash_complete", COMP_WORDS="medssl-bench l", COMP_CWORD="1")
    assert found.stdout.split() == ["plain,leaderboard", "plain,list"]
    found = _completing(program, "bash_complete", COMP_WORDS="medssl-bench leaderboard --format m", COMP_CWORD="3")
    assert found.stdout.split() == ["plain,markdown"]


def _completing(program: Path, instruction: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "_MEDSSL_BENCH_COMPLETE": instruction, **environment}
    return subprocess.run([program], env=environment, capture_output=True, text=True, check=False, timeout=60)
