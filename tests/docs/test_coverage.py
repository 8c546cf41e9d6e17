"""The documentation leaves nothing out: hooks, kinds, fields, verbs and keys of suites."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from docs.pages import ABOUT_PLUGINS, DOCS, PAGES, first_column, section

from medssl_bench import Leaderboard, RunPlan, RunResult, datasets, evaluators, methods, metrics
from medssl_bench.cli.main import _VERBS
from medssl_bench.plugin import hookspecs, watching
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.scaffold import TEMPLATES
from medssl_bench.suite.reference import reference

PLUGINS = "\n".join(page.read_text("utf-8") for page in ABOUT_PLUGINS)
HOOKS = [name for name in vars(hookspecs) if name.startswith("medssl_")]
CLASSES = {
    "DatasetInfo": datasets.DatasetInfo,
    "Split": datasets.Split,
    "View": methods.View,
    "Batch": methods.Batch,
    "Progress": methods.Progress,
    "MethodContext": methods.MethodContext,
    "Trial": evaluators.Trial,
    "Evaluation": evaluators.Evaluation,
    "Metric": metrics.Metric,
    "Predictions": metrics.Predictions,
    "Finished": metrics.Finished,
    "RunInfo": watching.RunInfo,
    "StageInfo": watching.StageInfo,
    "ArmInfo": watching.ArmInfo,
    "Epoch": watching.Epoch,
    "Outcome": watching.Outcome,
}


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_arguments(hook):
    rows = re.findall(rf"^\|.*`{hook}`.*$", PLUGINS, re.MULTILINE)
    assert rows
    arguments = getattr(hookspecs, hook).__code__.co_varnames
    if arguments != ("register",):
        (row,) = rows
        assert re.findall(r"`(\w+)`", row.split("|")[2]) == list(arguments)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_is_documented_with_its_signature(kind):
    signature = f"({', '.join([*kind.receives, '*', '...'])})"
    assert f"| {kind.name} | `{kind.hook}` | `{signature}` |" in PLUGINS
    assert re.search(rf"^@hookimpl\ndef {kind.hook}\(register\):", PLUGINS, re.MULTILINE), "there is an example"


@pytest.mark.parametrize("name", CLASSES)
def test_every_field_that_a_plugin_meets_is_documented(name):
    (table,) = re.findall(rf"^\| field of `{name}`.*\n(?:\|.*\n)+", PLUGINS, re.MULTILINE)
    assert first_column(table) == [field.name for field in fields(CLASSES[name])]


def test_every_attribute_of_an_evaluator_is_documented():
    tables = re.findall(r"^\| attribute of `Evaluator`.*\n(?:\|.*\n)+", PLUGINS, re.MULTILINE)
    own = {name for name in vars(evaluators.Evaluator) if not name.startswith("_")} - {"evaluate"}
    assert {name.partition("(")[0] for table in tables for name in first_column(table)} == own


@pytest.mark.parametrize("result", [RunPlan, RunResult, Leaderboard])
def test_every_attribute_of_a_result_is_documented(result):
    page = (DOCS / "how-to" / "python.md").read_text("utf-8")
    (table,) = re.findall(rf"^\| attribute of `{result.__name__}`.*\n(?:\|.*\n)+", page, re.MULTILINE)
    told = {"notes", "summary", "of"}  # for the command line
    own = {name for name in dir(result) if not name.startswith("_")} | {field.name for field in fields(result)}
    assert {name.partition("(")[0] for name in first_column(table)} == own - told


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_kind_of_new_plugin_is_documented(kind):
    assert re.search(rf"\b{kind}\b", section(PLUGINS, "## new-plugin"))


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_is_documented(verb):
    assert any(f"medssl-bench {verb}" in page.read_text("utf-8") for page in PAGES)


def test_the_suite_reference_is_up_to_date():
    written = (DOCS / "reference" / "suite.md").read_text("utf-8")
    assert written == reference(), "run: python -m medssl_bench.suite.reference > docs/reference/suite.md"
