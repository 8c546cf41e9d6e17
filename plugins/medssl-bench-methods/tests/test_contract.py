"""The checks of ``medssl-bench check-plugin``, each as a test; ``-k "barlow_twins and views"`` picks some of them."""

from importlib.metadata import entry_points

import pytest

from medssl_bench.testing import plugin_checks

FAMILIES = sorted(point.name for point in entry_points(group="medssl_bench") if point.name.startswith("methods-"))


@pytest.mark.parametrize("check", [check for family in FAMILIES for check in plugin_checks(family)], ids=str)
def test_it_holds_to_the_contract(check):
    check()
