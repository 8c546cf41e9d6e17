"""The shipped suites, changed at random in their structure: valid, or refused soon, each problem in one line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pytest
from long import LONG
from suite.mutations import toml, write_suites

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import Problem, SuiteError
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import Plugins
from medssl_bench.suite.suite import Suite

SUITES = {path.name: path.read_text("utf-8") for path in sorted(Path("suites").glob("*.toml"))}
SLOW = 4
"""Seconds of processor time after which a suite must be refused: twice what is promised, for a busy machine."""


def _problems(path: Path, plugins: Plugins) -> tuple[Problem, ...]:
    try:
        build_plan(Suite.load(path, plugins), DatasetContext(path.parent / "data", path.parent / "cache"))
    except SuiteError as error:
        return error.problems
    return ()


def _check(path: Path, plugins: Plugins) -> tuple[Problem, ...]:
    started = process_time()
    problems = _problems(path, plugins)
    assert not problems or process_time() - started < SLOW
    for problem in problems:
        assert problem.position is not None, problem
        text = problem.position.file.read_text("utf-8")
        assert 1 <= problem.position.line <= text.count("\n") + 1
        assert re.fullmatch(r"[^\n]*\.toml:\d+: [^\n]+", str(problem)), str(problem)
        assert not problem.message.endswith("None"), str(problem)
    return problems


def _fuzz(seeds: range, plugins: Plugins, folder: Path) -> None:
    refused = 0
    for seed in seeds:
        here = folder / str(seed)
        here.mkdir()
        path = write_suites(here, SUITES, Random(seed))
        try:
            refused += bool(_check(path, plugins))
        except Exception as error:
            error.add_note(f"seed {seed}, {path}")
            raise
    assert len(seeds) // 2 < refused < len(seeds)


def test_what_is_written_is_what_was_read() -> None:
    for text in SUITES.values():
        assert tomllib.loads(toml(tomllib.loads(text))) == tomllib.loads(text)


def test_mutated_suites(plugins: Plugins, tmp_path: Path) -> None:
    _fuzz(range(60), plugins, tmp_path)


@pytest.mark.slow
@LONG
def test_many_more_mutated_suites(plugins: Plugins, tmp_path: Path) -> None:
    _fuzz(range(1000, 1400), plugins, tmp_path)


@pytest.mark.parametrize("odd", [["a"], {"x": 1}, 3, [[]], {}])
@pytest.mark.parametrize(("where", "key"), [("comparison", "id"), ("arm", "name")])
def test_what_is_no_name_in_a_suite_that_extends_another(
    odd: Any, where: str, key: str, plugins: Plugins, tmp_path: Path
) -> None:
    arm = {"name": odd if where == "arm" else "x", "evaluator": "probe"}
    table = {"id": "depth" if where == "arm" else odd, "arm": [arm]}
    (tmp_path / "thesis.toml").write_text(SUITES["thesis.toml"], "utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(toml({"extends": "thesis.toml", "schema": 1, "name": "mine", "comparison": [table]}), "utf-8")
    problems = _check(path, plugins)
    assert any(problem.position is not None and problem.position.file == path for problem in problems), problems


def _thesis() -> dict[str, Any]:
    return tomllib.loads(SUITES["thesis.toml"])


def _sweeps_of_sweeps(suite: dict[str, Any]) -> None:
    for name in ("nat", "nov"):
        suite["pretraining"][name]["sweep"] = {"epochs": list(range(1, 1001))}
    suite["comparison"][0]["arm"][0]["pretraining"] = ["nat", "nov"]


def _a_thousand_recipes(suite: dict[str, Any]) -> None:
    for place in range(3000):
        suite["pretraining"][f"r{place}"] = {"extends": f"r{place + 1}"}


def _too_many_draws(suite: dict[str, Any]) -> None:
    suite["draws"] = list(range(60))
    suite["comparison"][-1]["labels"] = [{"count": 10**12}]


def _many_seeds(suite: dict[str, Any]) -> None:
    suite["seeds"] = list(range(1000))
    suite["draws"] = list(range(1000))


def _many_tables(suite: dict[str, Any]) -> None:
    suite["draws"] = list(range(700))  # of each data set fewer trials than are refused, in all more


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_sweeps_of_sweeps, r"comparison\[0\]\.arm: its sweeps make 1,000,000 arms of this comparison"),
        (_a_thousand_recipes, r"pretraining\.r30\.extends: at most 30 recipes may extend one another in a row"),
        (_too_many_draws, r"images are asked of a set of"),
        (_many_seeds, r"trials on 'path'; at most 20,000 are possible"),
        (_many_tables, r"trials as far as here; a suite may have 100,000"),
    ],
)
def test_suites_that_took_minutes_are_refused_at_once(spoil: Any, told: str, plugins: Plugins, tmp_path: Path) -> None:
    suite = _thesis()
    spoil(suite)
    path = tmp_path / "mine.toml"
    path.write_text(toml(suite), "utf-8")
    assert any(re.search(told, str(problem)) for problem in _check(path, plugins))


def test_a_row_of_suites_that_extend_one_another_has_an_end(plugins: Plugins, tmp_path: Path) -> None:
    for place in range(40):
        (tmp_path / f"{place}.toml").write_text(f'extends = "{place + 1}.toml"\n', "utf-8")
    (problem,) = _check(tmp_path / "0.toml", plugins)
    assert "at most 30 suites may extend one another in a row" in problem.message
