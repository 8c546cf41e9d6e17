"""The checks of ``medssl-bench check-plugin``, each as a test; ``-k "values in"`` runs those with that name."""

import pytest

from medssl_bench.testing import plugin_checks


@pytest.mark.parametrize("check", plugin_checks("example"), ids=str)
def test_it_holds_to_the_contract(check):
    check()
