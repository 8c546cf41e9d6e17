"""What ``medssl-bench check-plugin`` checks of each component; components are built in its test, not to collect it."""

from importlib.metadata import distribution

import pytest

from medssl_bench.datasets import DatasetContext
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.testing.playback import PLAYS_BACK
from medssl_bench.testing.run import check_component

FAMILIES = [point.name for point in distribution("medssl-bench-methods").entry_points]
CELLS = {"name": "phantom_cells", "train": 40, "val": 20, "test": 40}
GIVEN = {
    "union": {"datasets": [CELLS, {**CELLS, "seed": 1}]},
    "shifted": {"train": CELLS, "test": {**CELLS, "seed": 1}},
    "without_classes": {"base": CELLS, "classes": ["lymphocyte"]},
    "corrupted": {"base": CELLS, "corruption": ["gaussian_noise"]},
    "novelty": {"held_out": ["class 1"]},
    "supcon": {"probe_epochs": 5},
    "fixmatch": {"mu": 1},
}
PLUGINS = load_plugins()
ENTRIES = [entry for family in FAMILIES for entry in PLUGINS.registry.of(family)]


def _case(entry):
    trained = entry.kind.name == "method" or entry.name in ("supcon", "fixmatch")  # some ten times
    marks = [pytest.mark.slow] if trained else []
    return pytest.param(entry, marks=marks, id=f"{entry.kind.name} {entry.name}")


@pytest.mark.parametrize("entry", [_case(entry) for entry in ENTRIES])
def test_it_holds_to_the_contract(entry, tmp_path):
    checks = list(check_component(PLUGINS, entry, GIVEN.get(entry.name, {}), DatasetContext(tmp_path, tmp_path)))
    assert [check for check in checks if not check.ok] == []
    assert not any("not checked" in check.found for check in checks)
    if entry.kind.name == "method":
        (played,) = [check.found for check in checks if check.name == PLAYS_BACK]
        assert played == "to the bit", "every method of this distribution can be recorded"
