"""The checks as parameters of a plugin's own tests: the same ones, each by its name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from medssl_bench.datasets.locations import dataset_context
from medssl_bench.errors import UserError
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.testing import plugin_checks
from medssl_bench.testing.named import ContractBroken
from medssl_bench.testing.run import check_plugin

PLUGIN = """
from medssl_bench import hookimpl

@hookimpl
def medssl_augmentations(register):
    register("loud", loud)

def loud(size: int):
    '''Doubles what it sees.'''
    from torch import nn
    from torch.nn.functional import interpolate

    class Loud(nn.Module):
        def forward(self, images):
            return interpolate(2 * images, size)

    return Loud()
"""

TEST = """
import pytest
from medssl_bench.testing import plugin_checks

@pytest.mark.parametrize("check", plugin_checks("loud.py"), ids=str)
def test_it_holds_to_the_contract(check):
    check()
"""


def test_they_are_those_of_check_plugin() -> None:
    plugins = load_plugins()
    told = check_plugin(plugins, plugins.find("example"), {}, dataset_context())
    assert [(check.component, check.name) for check in told] == [
        (check.component, check.name) for check in plugin_checks("example")
    ]


@pytest.mark.slow
def test_a_fault_fails_its_check_and_those_that_build_on_it_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(PLUGIN)
    (tmp_path / "test_loud.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, "-rfs"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
    assert "augmentation loud: values in [0, 1]: UserError: augmentation Loud gave values from 0 to 2" in done.stdout
    assert "1 failed" in done.stdout
    assert "not checked until this holds: augmentation loud: values in [0, 1]" in done.stdout
    chosen = [*command, "-k", "documentation or factory"]
    done = subprocess.run(chosen, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
    assert "2 passed" in done.stdout


def test_what_cannot_be_built_has_a_check_that_fails(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(PLUGIN.replace("    class Loud", "    raise LookupError('no')\n\n    class Loud"))
    *_, last = plugin_checks(str(tmp_path / "loud.py"))
    with pytest.raises(ContractBroken, match="augmentation loud: can be built: LookupError: no"):
        last()


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(UserError, match="there is no plugin 'exampel'; did you mean 'example'"):
        plugin_checks("exampel")
    with pytest.raises(UserError, match="plugin 'example' has no component 'op:x'"):
        plugin_checks("example", {"op:x": {}})
