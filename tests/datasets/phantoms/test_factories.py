from __future__ import annotations

import subprocess
import sys

import pytest

from medssl_bench.datasets.phantoms.factories import phantom_cells, phantom_layers
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.parameters import ParameterProblem, ParameterTable


@pytest.mark.parametrize("factory", [phantom_cells, phantom_layers])
def test_every_parameter_is_documented_and_has_a_default(factory, tmp_path):
    table = ParameterTable(factory, KINDS["dataset"])

    assert all(parameter.doc and not parameter.required for parameter in table.parameters())
    assert table.validate({}, tmp_path)["size"] == 28


@pytest.mark.parametrize(
    "values",
    [{"size": 4}, {"train": 0}, {"nuisance": -0.1}, {"nuisance": 3}, {"seed": "0"}, {"task": "regression"}],
)
def test_a_suite_cannot_ask_for_what_cannot_be_drawn(values, tmp_path):
    with pytest.raises(ParameterProblem):
        ParameterTable(phantom_layers, KINDS["dataset"]).validate(values, tmp_path)


def test_planning_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from medssl_bench.datasets.phantoms.factories import phantom_cells, phantom_layers\n"
        "assert 'numpy' not in sys.modules, 'listing'\n"
        "for phantom in (phantom_cells(None), phantom_layers(None)): phantom.info(), phantom.fingerprint()\n"
        "heavy = {'torch', 'scipy', 'PIL', 'sklearn', 'kornia', 'timm'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
