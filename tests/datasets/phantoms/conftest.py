from __future__ import annotations

import pytest

from medssl_bench.datasets.phantoms.factories import phantom_cells, phantom_layers


@pytest.fixture(scope="session")
def cells(tmp_path_factory):
    """A few hundred cells with the default nuisance, drawn once."""
    return phantom_cells(None, train=600, val=100, test=400).load()


@pytest.fixture(params=["cells", "multi-class", "binary", "ordinal", "multi-label"])
def make(request):
    """Return the data set of each kind and task with the parameters it is called with."""

    def make(**parameters):
        small = {"train": 40, "val": 5, "test": 33, **parameters}
        if request.param == "cells":
            return phantom_cells(None, **small)
        return phantom_layers(None, task=request.param, **small)

    return make
