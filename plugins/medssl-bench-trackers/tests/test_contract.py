"""The trackers hold to the contract of watchers."""

from __future__ import annotations

from contextlib import nullcontext
from importlib.util import find_spec

import pytest

from medssl_bench.datasets.locations import dataset_context
from medssl_bench.errors import PluginError, WatcherWarning
from medssl_bench.plugin.guarded import make
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.testing.run import check_component

TRACKERS = ("tensorboard", "wandb", "mlflow")


@pytest.mark.parametrize("name", TRACKERS)
def test_it_holds_to_the_contract(name, tmp_path):
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install 'medssl-bench-trackers[{name}]'")
    plugins = load_plugins()
    given = {"uri": "http://127.0.0.1:9"} if name == "mlflow" else {}  # no server answers there
    with pytest.warns(WatcherWarning) if name == "mlflow" else nullcontext():
        checks = list(
            check_component(plugins, plugins.registry.find("watcher", name), given, dataset_context(tmp_path))
        )
    assert [check for check in checks if not check.ok] == []
    assert "needs no network to be imported" in {check.name for check in checks}


@pytest.mark.parametrize("name", TRACKERS)
def test_without_its_package_it_is_refused_before_the_run(name, monkeypatch):
    monkeypatch.setattr("medssl_bench_trackers.tracker.find_spec", lambda _: None)
    plugins = load_plugins()
    with pytest.raises(PluginError, match=rf"{name} is not installed; pip install 'medssl-bench-trackers\[{name}\]'"):
        make(plugins.registry, plugins.registry.resolve_or_raise("watcher", name))
