"""Suites made in Python: the same stages, and the same messages, as of the files that say the same."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from cli.bad_suites import CASES, GOOD
from suite.conftest import SUITE

from medssl_bench import Suite
from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import SuiteError
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.report.page.what_was_run import _files
from medssl_bench.suite.document import document_text

SUITES = Path(__file__).parents[2] / "suites"


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return text.count(".") < 1000


def _problems(make: Callable[[], Suite]) -> list[tuple[str, str]]:
    """Return the keys and messages of what is wrong with a suite, or with the files that it names."""
    try:
        make().require_files()
    except SuiteError as error:
        return [(problem.key, problem.message) for problem in error.problems]
    return []


@pytest.mark.parametrize("name", ["quickstart.toml", "sine-wave-phantom.toml"])  # the latter extends another one
def test_it_has_the_stages_of_the_file_that_says_the_same(name: str, tmp_path: Path, plugins: Plugins) -> None:
    file, context = SUITES / name, DatasetContext(tmp_path, tmp_path)
    document = tomllib.loads(file.read_text("utf-8"))
    made = Suite.from_dict(document, folder=SUITES, plugins=plugins)
    keys = list(build_plan(made, context).stages)
    assert keys == list(build_plan(Suite.load(file, plugins), context).stages)
    assert len(keys) > 20
    assert tomllib.loads(made.to_toml()) == document, "it can be written as a file again"


def test_every_shipped_suite_can_be_written_from_python(plugins: Plugins) -> None:
    for file in sorted(SUITES.glob("*.toml")):
        document = tomllib.loads(file.read_text("utf-8"))
        assert tomllib.loads(document_text(document)) == document, file.name


def test_what_is_wrong_is_said_as_of_a_file_but_for_its_line(tmp_path: Path, plugins: Plugins) -> None:
    told = 0
    for number, case in enumerate(list(CASES.values())[::4]):  # a part of them: each loads a suite twice
        text = GOOD.replace(case.old, case.new) if case.old else case.new
        if not _is_toml(text) or "extends = " in text or "plugins = " in text:  # these are files, and have lines
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        for file, content in {**case.files, "suite.toml": text}.items():
            (folder / file).write_text(content, "utf-8")
        document = tomllib.loads(text)
        of_file = _problems(lambda: Suite.load(folder / "suite.toml", plugins))  # noqa: B023 - called at once
        made = _problems(lambda: Suite.from_dict(document, folder=folder, plugins=plugins))  # noqa: B023
        assert set(of_file) <= set(made), text
        assert {message for _, message in made} == {message for _, message in of_file}, text
        told += bool(made)
    assert told > 25


def test_each_of_two_like_problems_is_told() -> None:
    document = tomllib.loads(SUITE)
    for arm in document["comparison"][0]["arm"]:
        arm["evaluator"] = "finetun"
    with pytest.raises(SuiteError) as caught:
        Suite.from_dict(document)
    assert str(caught.value).splitlines() == [
        f"comparison[0].arm[{place}].evaluator: there is no evaluator 'finetun' (did you mean 'finetune'?)"
        for place in (0, 1)
    ]


def test_values_of_python_stand_for_those_of_toml(plugins: Plugins) -> None:
    document = tomllib.loads(SUITE)
    document |= {"seeds": range(2), "draws": (np.int64(0), True + 1), "name": np.str_("small")}
    document["pretraining"]["nat"]["optimizer"] = {"lr": np.float64(0.5)}
    document["comparison"][0]["shuffle_labels"] = np.True_
    document["dataset"] = {"own": {"name": "folder", "path": PurePosixPath("images")}}
    suite = Suite.from_dict(document, plugins=plugins)
    written = tomllib.loads(suite.to_toml())
    assert (written["seeds"], written["draws"], written["name"]) == ([0, 1], [0, 2], "small")
    assert written["pretraining"]["nat"]["optimizer"] == {"lr": 0.5}
    assert written["dataset"]["own"]["path"] == "images"
    assert written["comparison"][0]["shuffle_labels"] is True
    assert all(type(value) is int for value in (*suite.model.seeds, *suite.model.draws))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": None}, "name: there is no None in a suite; leave the key out"),
        ({"seeds": {0}}, "seeds: a value of type set has no form here"),
        ({"name": b"small"}, "name: a value of type bytes has no form here"),
        ({"draws": [np.zeros(2)]}, "draws[0]: a value of type ndarray has no form here"),
        ({3: 4}, "the key 3 is no text"),
    ],
)
def test_a_value_without_a_form_is_refused(changes: dict[object, object], problem: str) -> None:
    with pytest.raises(SuiteError) as caught:
        Suite.from_dict({**tomllib.loads(SUITE), **changes})
    assert str(caught.value) == problem


def test_what_is_no_table_or_has_no_end_is_refused() -> None:
    with pytest.raises(SuiteError, match="a suite is a dict with the keys of a suite file, not a value of type list"):
        Suite.from_dict([])  # type: ignore[arg-type]
    endless: dict[str, object] = {"name": "endless"}
    endless["pretraining"] = endless
    with pytest.raises(SuiteError, match="nest at most 50 deep"):
        Suite.from_dict(endless)


def test_its_folder_has_its_plugins_and_files(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from medssl_bench import hookimpl\n\n@hookimpl\ndef medssl_augmentations(register):\n"
        '    register("mine", mine)\n\ndef mine(size: int):\n    """Mine."""\n',
        "utf-8",
    )
    document = {**tomllib.loads(SUITE), "plugins": ["mine.py"]}
    document["pretraining"]["nat"]["augmentation"] = "mine"
    made = Suite.from_dict(document, folder=tmp_path, plugins=load_plugins())
    assert made.component("augmentation", "mine").plugin == "mine"
    assert (made.path, made.folder) == (None, tmp_path)


def test_a_report_shows_it_as_toml_with_what_it_extends(tmp_path: Path, plugins: Plugins) -> None:
    (tmp_path / "base.toml").write_text(SUITE, "utf-8")
    made = Suite.from_dict({"extends": "base.toml", "name": "mine"}, folder=tmp_path, plugins=plugins)
    assert _files(made) == [("mine.toml", 'extends = "base.toml"\nname = "mine"\n'), ("base.toml", SUITE)]
