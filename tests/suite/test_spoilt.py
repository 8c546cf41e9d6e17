"""Suites spoilt at random: whatever is changed in one, it is valid or its problems are told, each in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suite.test_json_schema import FULL

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import Problem, SuiteError
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import Plugins
from medssl_bench.suite.suite import Suite

LINES = [line for line in FULL.splitlines() if line.strip()]
VALUES = (
    "3", "0", "-1", "1.5", "true", '"x"', '""', "[]", "{}", "[[]]", '["a"]', '["nat"]', "[1, 1]", "{ name = 3 }",
    '{ name = "x" }', '{ name = "finetune", epochs = 3 }', '{ name = "finetune", augmentation = "own" }',
    '{ name = "resnet18" }', '{ name = "npz" }', '{ name = "npz", path = "x" }', '{ recipe = "a" }', "nan",
    "1979-05-27", "99999999999999999999", '"a"', '"b"', '"tuned"', '"cells"', '"own"', '"simclr"', '"all"', '"50%"',
    "{ count = 3 }", '{ per_class = 3, short = "skip" }', "{ arm = 3 }", '{ "optimizer.lr" = [1, 2] }',
    '{ "augmentation.p" = [1] }', "[{ name = 'horizontal_flip' }, 3]", "{ default = 3 }", "{ default = 'x' }",
    "'''\nx\n'''", "", "[", '"', "{ a", "x",
)  # fmt: skip
KEYS = ("name", "extends", "epochs", "steps", "labels", "arm", "x", '"a\\nb"', "encoder", "teacher", "sweep", "on")


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """Draw a suite in which some lines are gone, doubled, moved, or say something else."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        key, equals, _ = lines[place].partition("=")
        kind = draw(st.sampled_from(["value", "value", "value", "key", "gone", "doubled", "moved"]))
        if kind == "value" and equals:
            lines[place] = f"{key}= {draw(st.sampled_from(VALUES))}"
        elif kind == "key" and equals:
            lines[place] = f"{draw(st.sampled_from(KEYS))} ={lines[place].partition('=')[2]}"
        elif kind == "doubled":
            lines.insert(draw(st.integers(0, len(lines))), lines[place])
        elif kind == "moved":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(place))
        elif len(lines) > 1:
            del lines[place]
    return "\n".join(lines)


def _problems(text: str, folder: Path, plugins: Plugins) -> tuple[Problem, ...]:
    path = folder / "spoilt.toml"
    path.write_text(text, "utf-8")
    try:
        build_plan(Suite.load(path, plugins), DatasetContext(folder / "data", folder / "cache"))
    except SuiteError as error:
        return error.problems
    return ()


@given(text=spoilt())
@settings(max_examples=150, deadline=None)
def test_a_spoilt_suite(text: str, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> None:
    problems = _problems(text, tmp_path_factory.getbasetemp(), plugins)
    for problem in problems:
        assert problem.position is not None
        assert 1 <= problem.position.line <= text.count("\n") + 1
        assert re.fullmatch(r"[^\n]*spoilt\.toml:\d+: [^\n]+", str(problem)), str(problem)
    assert len({(problem.position, problem.key, problem.message) for problem in problems}) == len(problems)


def test_before_it_is_spoilt_nothing_is_wrong(plugins: Plugins, tmp_path: Path) -> None:
    assert _problems("\n".join(LINES), tmp_path, plugins) == ()
