"""The checks of ``medssl-bench check-plugin``, each as a test; ``-k "barlow_twins and views"`` picks some of them."""

from importlib.metadata import distribution

import pytest

from medssl_bench.testing import plugin_checks

FAMILIES = sorted(point.name for point in distribution("medssl-bench-methods").entry_points)
CELLS = {"name": "phantom_cells", "train": 40, "val": 20, "test": 40}
GIVEN = {
    "dataset:union": {"datasets": [CELLS, {**CELLS, "seed": 1}]},
    "dataset:shifted": {"train": CELLS, "test": {**CELLS, "seed": 1}},
    "dataset:without_classes": {"base": CELLS, "classes": ["lymphocyte"]},
    "dataset:corrupted": {"base": CELLS, "corruption": ["gaussian_noise"]},
    "evaluator:novelty": {"held_out": ["class 1"]},
}


def given(family):
    """Return the parameters of components that need some."""
    return GIVEN if family == "shift" else {}


@pytest.mark.parametrize("check", [check for name in FAMILIES for check in plugin_checks(name, given(name))], ids=str)
def test_it_holds_to_the_contract(check):
    check()
