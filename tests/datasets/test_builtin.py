from __future__ import annotations

import subprocess
import sys

import pytest

from medssl_bench.datasets import builtin
from medssl_bench.datasets.medmnist.dataset import FLAGS
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.registry import Plugin

NAMES = [*FLAGS, "npz", "folder", "images", "table", "phantom_cells", "phantom_layers"]

RESOLVE = """
import sys
from medssl_bench.datasets import builtin
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.registry import Plugin
plugins = Plugins()
plugins.add(Plugin("datasets", "built-in"), lambda: builtin)
for entry in plugins.registry.of("datasets"):
    print(entry.summary, *entry.table.parameters())
print(sorted({"torch", "torchvision", "PIL", "sklearn", "kornia", "timm", "medmnist", "pandas"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def registry():
    plugins = Plugins()
    assert plugins.add(Plugin("datasets", "built-in"), lambda: builtin).problem == ""
    return plugins.registry


def test_registers_every_set(registry):
    assert sorted(entry.name for entry in registry.of("datasets")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_leads_to_a_documented_factory(registry, name):
    entry = registry.find("dataset", name)

    assert entry.summary
    assert all(parameter.doc for parameter in entry.table.parameters())


def test_listing_imports_nothing_heavy():
    result = subprocess.run([sys.executable, "-c", RESOLVE], capture_output=True, text=True, check=True)

    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"name": "pathmnist", "size": 32}, "input should be 28, 64, 128 or 224"),
        ({"name": "npz"}, "'path' is required"),
        ({"name": "npz", "path": "a.npz", "task": "multiclass"}, "input should be 'multi-class'"),
        ({"name": "folder", "path": "a", "size": 4}, "greater than or equal to 8"),
        ({"name": "folder", "path": "a", "validation": 1.0}, "less than 1"),
        ({"name": "folder", "path": "a", "color": "grey"}, "did you mean 'colour'"),
    ],
)
def test_parameters_are_checked(registry, tmp_path, value, message):
    from medssl_bench.plugin.parameters import ParameterProblem

    with pytest.raises(ParameterProblem, match=message):
        registry.resolve("dataset", value, tmp_path)


def test_paths_start_from_the_suite(registry, tmp_path, context):
    component = registry.resolve("dataset", {"name": "npz", "path": "sub/a.npz"}, tmp_path)

    assert registry.build(component, context=context).path == tmp_path / "sub" / "a.npz"
