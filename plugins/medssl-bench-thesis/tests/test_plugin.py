import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from medssl_bench_thesis import plugin

from medssl_bench.augmentations import Sequence
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.registry import Plugin, Registry


@pytest.fixture(scope="module")
def registry() -> Registry:
    plugins = Plugins()
    assert not plugins.add(Plugin("thesis", "installed"), lambda: plugin).problem
    return plugins.registry


def test_the_entry_point_is_found() -> None:
    (found,) = (point for point in entry_points(group="medssl_bench") if point.name == "thesis")
    assert found.load() is plugin


def test_every_component_is_made_with_its_defaults(registry: Registry) -> None:
    names = registry.entries["augmentation"]
    assert set(names) == {"tau_nat", "tau_nat_weak", "tau_short", "tau_short_literal", "tau_nov", "tau_grey"}
    for name, entry in names.items():
        assert entry.summary
        assert [p.name for p in entry.table.parameters() if not p.doc] == []
        assert isinstance(registry.build(registry.resolve("augmentation", name, Path()), size=28), Sequence)


def test_a_suite_sets_parameters_as_toml_arrays_and_numbers(registry: Registry) -> None:
    written = {"name": "tau_nov", "reading": "code", "sharpness": [1, 5], "equalize_p": 0, "grayscale_weights": "mean"}
    built = registry.build(registry.resolve("augmentation", written, Path()), size=28)
    assert built.ops[-1].alpha == (1.0, 5.0)
    assert built.ops[3].weights == "mean"


def test_the_reference_is_made_by_table(registry: Registry) -> None:
    reference = registry.build(registry.resolve("reference", "thesis", Path()), table="table-7.6")
    assert {cell.dataset for cell in reference.cells} == {"tissuemnist", "octmnist"}


def test_reading_parameters_imports_no_torch() -> None:
    command = (
        "import sys, medssl_bench_thesis.plugin, medssl_bench_thesis.sequences, medssl_bench_thesis.tables;"
        "print(sorted({'torch', 'kornia', 'PIL'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "[]"
