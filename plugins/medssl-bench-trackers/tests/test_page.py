"""The page on trackers is true: its commands log a run, here of a small suite, and of a server where there is one."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from docs.pages import DOCS
from followed_suite import SUITE, needs
from offline import offline_runs

from medssl_bench.cli.main import main
from medssl_bench.training.processor import one_thread

PAGE = DOCS / "how-to" / "trackers.md"
COMMANDS = re.findall(r"^\$ (medssl-bench run .*)$", PAGE.read_text("utf-8"), re.MULTILINE)
LEFT = {
    "tensorboard": lambda: list(Path("tensorboard", "followed").iterdir()),
    "wandb": lambda: offline_runs(Path("wandb")),
}


def test_every_tracker_has_a_command():
    watched = [re.search(r"--watch (\w+)", command)[1] for command in COMMANDS]
    assert watched == [*LEFT, "mlflow"]


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name, name)) for name in LEFT])
def test_its_command_logs_a_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("suite.toml").write_text(SUITE)
    (command,) = [command for command in COMMANDS if command.endswith(f"--watch {name}")]
    words = command.replace("suites/quickstart.toml", "suite.toml").split()
    monkeypatch.setattr(sys, "argv", [*words, "--epochs-scale", "0.3", "--executor", "local", "--device", "cpu"])
    with one_thread(), pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert len(LEFT[name]()) == 3
