"""The options that verbs share: what they take, and what they say to nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from cli.bad_suites import GOOD
from cli.conftest import write_squares
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.cli.options import Numbers, parse_executor

Cli = Callable[..., Any]


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    write_squares(tmp_path / "squares.npz")
    (tmp_path / "suite.toml").write_text(GOOD)
    return "suite.toml"


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), min_size=1, max_size=4))
def test_numbers(parts: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}" if more else str(first) for first, more in parts)
    wanted = [number for first, more in parts for number in range(first, first + more + 1)]
    assert Numbers().convert(text, None, None) == tuple(dict.fromkeys(wanted))


@given(st.text("0123456789-, x", max_size=6))
def test_numbers_or_a_message(text: str) -> None:
    try:
        found = Numbers().convert(text, None, None)
    except click.BadParameter:
        return
    assert found
    assert min(found) >= 0


@pytest.mark.parametrize("text", ["", "x", "-1", "1,", "1--2", "1-2-3", "4-1", "1.0", "²", "0-1000000000000", "0-9999"])
def test_no_numbers(text: str, cli: Cli, suite: str) -> None:
    result = cli("plan", suite, f"--seeds={text}")
    assert result.status == 2
    assert result.err.startswith(f"error: Invalid value for '--seeds': {text!r}")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("jobs=2", {"jobs": 2}),
        ("devices=auto,jobs=2", {"devices": "auto", "jobs": 2}),
        ("devices=cuda:0,cuda:1,jobs=2", {"devices": "cuda:0,cuda:1", "jobs": 2}),
        ('jobs=2, devices=["cuda:0","cuda:1"]', {"jobs": 2, "devices": ["cuda:0", "cuda:1"]}),
        ('profile={a=1,b="x,c=2"}', {"profile": {"a": 1, "b": "x,c=2"}}),
        ('name="a,b=c"', {"name": "a,b=c"}),
        ("name=", {"name": ""}),
    ],
)
def test_settings_of_one_option(text: str, wanted: dict[str, Any]) -> None:
    assert parse_executor("local", [text]) == {"name": "local", **wanted}


@pytest.mark.parametrize("text", ["jobs", "jobs,devices=auto", ""])
def test_what_is_no_setting(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not KEY=VALUE"):
        parse_executor("local", [text])


@pytest.mark.parametrize("scale", ["0", "-1", "1.5", "nan", "inf"])
def test_a_scale_is_above_0_and_up_to_1(scale: str, cli: Cli, suite: str) -> None:
    for verb in ("run", "plan", "leaderboard"):
        result = cli(verb, suite, "--epochs-scale", scale)
        assert (result.status, result.err) == (2, f"error: --epochs-scale {scale}: give a factor above 0 and up to 1\n")


def test_seeds_and_draws_are_those_of_the_options(cli: Cli, suite: str) -> None:
    stages = json.loads(cli("plan", suite, "--json", "--seeds", "3-4", "--draws", "7").out)["stages"]
    titles = [stage["title"] for stage in stages if "20 labels" in stage["title"] and "frozen" in stage["title"]]
    assert [title.partition("labels · ")[2] for title in titles] == ["seed 3 · draw 7", "seed 4 · draw 7"]


@pytest.mark.parametrize(
    ("only", "arms", "datasets"),
    [
        (["frozen"], {"frozen"}, {"squares"}),
        (["frozen", "supervised"], {"frozen", "supervised"}, {"squares"}),
        (["table", "majority class"], {"majority class"}, {"squares"}),
        (["squares"], {"frozen", "supervised", "majority class", "untrained encoder"}, {"squares"}),
    ],
)
def test_only(only: list[str], arms: set[str], datasets: set[str], cli: Cli, suite: str) -> None:
    options = [option for name in only for option in ("--only", name)]
    stages = json.loads(cli("plan", suite, "--json", *options).out)["stages"]
    parts = [stage["title"].split(" · ") for stage in stages if stage["kind"] == "evaluate"]
    assert ({part[2] for part in parts}, {part[1] for part in parts}) == (arms, datasets)


def test_only_what_there_is(cli: Cli, suite: str) -> None:
    result = cli("run", suite, "--only", "frosen")
    assert result.status == 2
    assert result.err == (
        "error: --only 'frosen' is no comparison, arm or data set of the suite (did you mean 'frozen'?)\n"
    )
    assert not Path("store").exists()


def test_only_what_goes_together(cli: Cli, suite: str) -> None:
    other = GOOD[GOOD.index("[[comparison]]") :].replace('"table"', '"other"').replace('"frozen"', '"probed"')
    Path(suite).write_text(GOOD + other)
    result = cli("run", suite, "--only", "table", "--only", "probed")
    assert result.status == 2
    assert result.err == "error: --only 'table' --only 'probed': no trial of the suite is all of these\n"


def test_a_store_is_a_store(cli: Cli, suite: str) -> None:
    for verb in ("run", "plan", "leaderboard"):
        result = cli(verb, suite, "--store", ".")
        assert result.status == 2
        assert result.err == "error: .: there is something else here, not a store; give another --store\n"
        assert "is a file" in cli(verb, suite, "--store", suite).err
    assert sorted(path.name for path in Path().iterdir()) == ["squares.npz", "suite.toml"]


def test_looking_makes_no_store(cli: Cli, suite: str) -> None:
    for verb in ("validate", "plan", "leaderboard"):
        assert cli(verb, suite).status == 0
    assert sorted(path.name for path in Path().iterdir()) == ["squares.npz", "suite.toml"]


def test_store_and_data_folder_from_the_environment(cli: Cli, suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDSSL_BENCH_STORE", ".")
    assert "there is something else here" in cli("plan", suite).err
    monkeypatch.setenv("MEDSSL_BENCH_DATA", "elsewhere")
    assert "folder: elsewhere" in cli("data", "list").out


def test_plugins_are_left_out(cli: Cli, suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = "error: suite.toml:21: comparison[0].arm[0].evaluator: there is no evaluator 'finetune'; there are: none"
    left_out = ("evaluators", "shift", "methods-supervised")  # all that have evaluators
    assert (
        cli(*(word for name in left_out for word in ("-p", f"no:{name}")), "validate", suite).err.splitlines()[0]
        == wanted
    )
    monkeypatch.setenv("MEDSSL_BENCH_BLOCK", f" {' , '.join(left_out)}, nothing")
    assert cli("validate", suite).err.splitlines()[:2] == [
        "warning: there is no plugin 'nothing' to leave out",
        wanted,
    ]
    monkeypatch.delenv("MEDSSL_BENCH_BLOCK")
    assert cli("validate", suite).status == 0
    for text in ("evaluators", "no:", "yes:evaluators"):
        result = cli("-p", text, "list")
        assert result.status == 2
        assert result.err == f"error: Invalid value for -p: {text!r} is not no:NAME (see medssl-bench --help)\n"


@pytest.mark.parametrize("form", ["table", "csv", "json", "svg"])
def test_an_output_that_cannot_be_written(form: str, cli: Cli, suite: str) -> None:
    result = cli("leaderboard", suite, "--format", form, "-o", "no-folder/board")
    assert (result.status, result.err) == (
        2, "error: -o no-folder/board: this cannot be written: No such file or directory\n",
    )  # fmt: skip


def test_an_unknown_executor(cli: Cli, suite: str) -> None:
    result = cli("run", suite, "--executor", "locl")
    assert (result.status, result.err) == (2, "error: there is no executor 'locl' (did you mean 'local'?)\n")


def test_an_unknown_kind_and_component(cli: Cli) -> None:
    assert cli("list", "augmentation").status == 0
    assert "(did you mean 'augmentations'?)" in cli("list", "augmentatons").err
    assert "(did you mean 'simclr'?)" in cli("show", "augmentation", "simclrr").err
    assert cli("show", "augmentation", "simclrr").status == 2


def test_interrupting_while_looking(cli: Cli, suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("medssl_bench.plan.build.build_plan", interrupt)
    result = cli("plan", suite)
    assert result.status == 130
    assert "Traceback" not in result.err
