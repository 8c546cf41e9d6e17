"""A defaulted option that is added anywhere changes no key while it stands at its default.

The options are added to a scratch copy of the package in the plain way, as somebody would who has not read this.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from plan.conftest import SUITE, changed
from plan.test_golden_keys import GOLDEN

from medssl_bench.plugin.first_options import FIRST_OPTIONS
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.schema import Comparison, Pretraining

ROOT = Path(__file__).parents[2]

EDITS = [
    (
        "training/builtin.py",
        '        weight_decay: decoupled weight decay.\n    """\n',
        '        weight_decay: decoupled weight decay.\n    """\n\n    amsgrad: bool = False\n',
    ),
    (
        "training/schedule.py",
        'past it the rate climbs again; none: all of it.\n    """\n',
        'past it the rate climbs again; none: all of it.\n    """\n\n    restarts: bool = False\n',
    ),
    (
        "suite/recipe_schema.py",
        "    sweep: dict[str, list[Any]] = Field(",
        '    clip: float | None = Field(None, description="")\n    sweep: dict[str, list[Any]] = Field(',
    ),
    (
        "plan/kinds/pretrain.py",
        '"keep": model.keep,\n        "validate_every": model.validate_every,\n        "seed": cell.seed,\n    }',
        '"keep": model.keep, "clip": model.clip, "validate_every": model.validate_every, "seed": cell.seed,}',
    ),
    (
        "suite/schema.py",
        "    shuffle_labels: bool = Field(",
        '    smooth_labels: bool = Field(False, description="")\n    shuffle_labels: bool = Field(',
    ),
    (
        "evaluators/knn.py",
        "    temperature: Annotated[float, Field(gt=0)] = 0.07\n",
        "    temperature: Annotated[float, Field(gt=0)] = 0.07\n    centre: bool = False\n",
    ),
]
"""File, text and what stands instead of it: an option for an optimizer, a schedule, a recipe, a comparison, knn."""

RECIPE, TABLE = "epochs = 10\n", 'baseline = "tuned"\n'
KNN = ('"linear_probe"', '{ name = "knn" }')
CHANGES = {
    "optimizer": (RECIPE, f"{RECIPE}optimizer.amsgrad = %s\n", "false", "true"),
    "schedule": (RECIPE, f"{RECIPE}schedule.restarts = %s\n", "false", "true"),
    "recipe": (RECIPE, f"{RECIPE}%s\n", "", "clip = 1.0"),
    "comparison": (TABLE, f"{TABLE}smooth_labels = %s\n", "false", "true"),
    "component": ('"linear_probe"', '{ name = "knn", centre = %s }', "false", "true"),
}

SCRIPT = """
import json, sys, tempfile
from pathlib import Path
import medssl_bench
from plan.test_golden_keys import SUITES, Component, _as_if_installed, keys_of
assert medssl_bench.__file__.startswith(sys.argv[1]), medssl_bench.__file__
Component.identity = _as_if_installed
with tempfile.TemporaryDirectory() as folder:
    found = {suite.stem: keys_of(suite, Path(folder)) for suite in [*SUITES, *sorted(Path(sys.argv[2]).glob("*.toml"))]}
print(json.dumps(found))
"""


@pytest.mark.slow
def test_no_key_changes_until_an_option_leaves_its_default(tmp_path: Path) -> None:
    copy, suites = tmp_path / "copy", tmp_path / "suites"
    shutil.copytree(ROOT / "medssl_bench", copy / "medssl_bench", ignore=shutil.ignore_patterns("__pycache__"))
    suites.mkdir()
    for file, before, after in EDITS:
        path = copy / "medssl_bench" / file
        text = path.read_text("utf-8")
        assert text.count(before) == 1, (file, before)
        path.write_text(text.replace(before, after), "utf-8")
    (suites / "written.toml").write_text(SUITE, "utf-8")
    (suites / "knn.toml").write_text(changed(KNN), "utf-8")
    for name, (text, with_option, neutral, other) in CHANGES.items():
        (suites / f"{name}-neutral.toml").write_text(changed((text, with_option % neutral)), "utf-8")
        (suites / f"{name}-other.toml").write_text(changed((text, with_option % other)), "utf-8")

    path = os.pathsep.join([str(copy), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(copy), str(suites)],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    golden = json.loads(GOLDEN.read_text("utf-8"))
    assert {name: found[name] for name in golden} == golden
    for name in CHANGES:
        before = found["knn" if name == "component" else "written"]
        assert found[f"{name}-neutral"] == before, name
        assert found[f"{name}-other"] != before, name


def test_every_option_of_the_first_keys_is_still_there() -> None:
    registry = load_plugins().registry
    entries = {
        f"{entry.plugin.name} {entry.kind.name} {entry.name}": entry
        for named in registry.entries.values()
        for entry in named.values()
    }
    assert FIRST_OPTIONS["recipe"] <= Pretraining.model_fields.keys()
    assert FIRST_OPTIONS["comparison"] <= Comparison.model_fields.keys()
    for name, options in FIRST_OPTIONS.items():
        if name in entries:
            assert options <= entries[name].table.model.model_fields.keys(), name


def test_every_built_in_component_is_listed() -> None:
    decides = {"dataset", "augmentation", "op", "encoder", "method", "optimizer", "schedule", "evaluator"}
    for kind in decides:
        for entry in load_plugins().registry.entries[kind].values():
            if entry.plugin.origin == "built-in":
                assert f"{entry.plugin.name} {kind} {entry.name}" in FIRST_OPTIONS, entry.title
