"""Every method plugin holds to the contract, and steps of those that promise it can be recorded and played back."""

from __future__ import annotations

from pathlib import Path

import pytest

from medssl_bench.datasets import DatasetContext
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.testing.run import check_component


@pytest.mark.parametrize(("file", "name"), [("multicrop", "dino"), ("masked", "masked")])
def test_a_recorded_step_plays_back(file, name, tmp_path):
    plugins = load_plugins()
    plugins.add_inline(Path(__file__).with_name(f"{file}.py"))
    context = DatasetContext(tmp_path, tmp_path)

    checks = list(check_component(plugins, plugins.registry.find("method", name), {}, context))

    found = {check.name: check.found for check in checks}
    assert [check for check in checks if not check.ok] == []
    assert found["a step that is recorded once plays back as it is done by hand"] == "to the bit"


@pytest.mark.parametrize(("file", "name"), [("clusters", "clusters")])
def test_the_others_hold_to_the_contract_too(file, name, tmp_path):
    plugins = load_plugins()
    plugins.add_inline(Path(__file__).with_name(f"{file}.py"))
    context = DatasetContext(tmp_path, tmp_path)

    checks = list(check_component(plugins, plugins.registry.find("method", name), {}, context))

    assert [check for check in checks if not check.ok] == []
    assert "loss and metrics are float32 under bfloat16 autocast" in {check.name for check in checks}
