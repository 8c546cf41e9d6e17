"""Where data sets find files: nowhere, so that nothing is downloaded or taken from this machine."""

import pytest

from medssl_bench.datasets import DatasetContext


@pytest.fixture
def context(tmp_path):
    return DatasetContext(tmp_path, tmp_path)
