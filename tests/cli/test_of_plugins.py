"""Verbs that plugins add: found without an import, and one that is broken harms no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]

_POINTS = """\
[medssl_bench.commands]
greet = greeting_verbs:greet
broken = greeting_verbs_that_are_not_there:verb
number = greeting_verbs:number
run = greeting_verbs:greet
"""

_CODE = """\
import click

number = 3


@click.command("greet")
@click.argument("name")
def greet(name):
    click.echo(f"hello {name}")
    return 1 if name == "no one" else 0
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with verbs, installed."""
    info = tmp_path / "site" / "greeting_verbs-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting-verbs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(_POINTS)
    (info.parent / "greeting_verbs.py").write_text(_CODE)
    monkeypatch.syspath_prepend(info.parent)


def test_a_verb_of_a_plugin_is_run_and_its_status_counts(cli: Cli) -> None:
    assert cli("greet", "you").out == "hello you\n"
    assert cli("greet", "no one").status == 1


def test_help_lists_it_and_imports_nothing(cli: Cli) -> None:
    shown = " ".join(cli("--help").out.split())
    assert "Commands of plugins:" in shown
    assert "greet of greeting-verbs" in shown
    assert "broken of greeting-verbs" in shown
    assert "run of" not in shown, "the harness' own verbs stay"
    assert "Usage: medssl-bench run" in cli("run", "--help").out


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        ("broken", "the command 'broken' of greeting-verbs cannot be used: ModuleNotFoundError: No module named"),
        ("number", "greeting_verbs:number of greeting-verbs is no command of click"),
        ("gret", "there is no command 'gret' (did you mean 'greet'?)"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(verb: str, message: str, cli: Cli) -> None:
    shown = cli(verb)
    assert shown.status == 2
    assert shown.err.startswith(f"error: {message}")
    assert shown.err.count("\n") == 1
