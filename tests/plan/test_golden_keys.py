"""The keys of the suites of this repository: results in stores are found by them, so none may change unnoticed.

`golden_keys.json` has, for each suite and each kind of stage, how many stages there are and a digest of their keys. If
results really change, raise the revision that says so and write the file again:

    PYTHONPATH=tests python -m plan.test_golden_keys
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest

from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

SUITES = sorted((Path(__file__).parents[2] / "suites").glob("*.toml"))
GOLDEN = Path(__file__).with_name("golden_keys.json")

_identity = Component.identity


def _as_if_installed(component: Component) -> dict[str, object]:
    """Return the identity without the digest of a plugin's source, which an editable plugin has in it."""
    return {**_identity(component), "source": None}


def keys_of(suite: Path, folder: Path) -> dict[str, list[object]]:
    plan = build_plan(Suite.load(suite, load_plugins()), DatasetContext(folder / "data", folder / "cache"))
    keys = defaultdict(list)
    for stage in plan.stages.values():
        keys[stage.kind].append(stage.key)
    return {
        kind: [len(found), hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()]
        for kind, found in sorted(keys.items())
    }


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.stem)
def test_the_keys_are_what_they_were(suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Component, "identity", _as_if_installed)
    assert keys_of(suite, tmp_path) == json.loads(GOLDEN.read_text("utf-8"))[suite.stem]


if __name__ == "__main__":
    Component.identity = _as_if_installed  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as empty:
        found = {suite.stem: keys_of(suite, Path(empty)) for suite in SUITES}
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
