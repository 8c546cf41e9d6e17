"""A small valid suite that tests change, and its problems."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medssl_bench.errors import Problem, SuiteError
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.suite.suite import Suite

SUITE = """\
schema = 1
name = "small"

[pretraining.nat]
augmentation = "simclr"
epochs = 10

[[comparison]]
id = "table"
datasets = ["bloodmnist"]
labels = [100, "all"]
baseline = "supervised"

  [[comparison.arm]]
  name = "supervised"
  evaluator = "finetune"

  [[comparison.arm]]
  name = "frozen"
  pretraining = ["nat"]
  evaluator = "linear_probe"
"""


def changed(*changes: tuple[str, str]) -> str:
    """Return the suite with each of some texts, which stand in it once, replaced."""
    text = SUITE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def evaluated_by(place: int, **values: str) -> tuple[str, str]:
    """Return the change that gives one arm another evaluator, and other keys."""
    name = ("finetune", "linear_probe")[place]
    return (f'evaluator = "{name}"', "\n  ".join(f"{key} = {value}" for key, value in values.items()))


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture
def load(tmp_path: Path, plugins: Plugins) -> Callable[..., Suite]:
    """Write a suite, and files beside it, and load it."""

    def load(text: str, **files: str) -> Suite:
        for name, content in {"suite": text, **files}.items():
            (tmp_path / f"{name}.toml").write_text(content, "utf-8")
        return Suite.load(tmp_path / "suite.toml", plugins)

    return load


@pytest.fixture
def problems(load: Callable[..., Suite]) -> Callable[..., list[str]]:
    """Return what is wrong with a suite, each as ``suite.toml:line: key: message``."""

    def problems(text: str, **files: str) -> list[str]:
        with pytest.raises(SuiteError) as caught:
            load(text, **files)
        return [_short(problem) for problem in caught.value.problems]

    return problems


def _short(problem: Problem) -> str:
    assert problem.position is not None
    return f"{problem.position.file.name}:{problem.position.line}: {problem.key}: {problem.message}"
