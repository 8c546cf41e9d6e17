"""What the shell offers when Tab is pressed, asked as click's own shell functions ask."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from medssl_bench.cli.main import _VERBS, cli
from medssl_bench.cli.of_plugins import verbs_of_plugins
from medssl_bench.plugin.kinds import KINDS


def _offered(*words: str) -> list[str]:
    complete = BashComplete(cli, {}, "medssl-bench", "_MEDSSL_BENCH_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("le",), ["leaderboard"]),
        (("show", "aug"), ["augmentations"]),
        (("list", "e"), ["encoders", "evaluators", "executors"]),
        (("show", "encoder", "vit_"), ["vit_small", "vit_tiny"]),
        (("show", "nonsense", ""), []),
        (("data", "fetch", "bloodmnist", "path"), ["pathmnist"]),
        (("preview", "simcl"), ["simclr"]),
        (("preview", "simclr", "--dataset", "phantom_ce"), ["phantom_cells"]),
        (("run", "suite.toml", "--executor", ""), ["isolated", "local", "ray", "slurm"]),
        (("-p", "no:encoders", "show", "encoder", ""), ["dense_sift", "headed", "sift_words", "simclr2_resnet18"]),
    ],
)
def test_what_is_offered(words: tuple[str, ...], offered: list[str]) -> None:
    assert _offered(*words) == offered


def test_everything_is_offered() -> None:
    assert set(_offered("")) == {*_VERBS, *verbs_of_plugins()}
    assert set(_offered("show", "")) == {kind.plural for kind in KINDS.values()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_documented_line_gives_a_script(shell: str) -> None:
    code = "import sys; sys.argv = ['medssl-bench']; from medssl_bench.cli import main; main()"
    environment = {**os.environ, "_MEDSSL_BENCH_COMPLETE": f"{shell}_source"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "_medssl_bench_completion" in done.stdout
    tutorial = (Path(__file__).parents[2] / "docs" / "tutorial" / "first-suite.md").read_text("utf-8")
    assert f"{shell}_source" in tutorial
