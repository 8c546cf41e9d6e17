"""The data sets of a first suite."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from medssl_bench.starter.sources import Source


def test_a_data_set_of_a_plugin_need_not_know_its_files() -> None:
    """A plugin's data set may have the methods of `Dataset` that it needs, and not be derived from it."""
    dataset: Any = SimpleNamespace(info=None, load=None)

    assert Source("own", {}, SimpleNamespace(), dataset, SimpleNamespace()).files == []  # type: ignore[arg-type]
