"""The verbs that look at what is installed: list, show, plugins, data, schema, doctor."""

from __future__ import annotations

import json
import sys
import tomllib

import jsonschema
import pytest

from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.manager import load_plugins


@pytest.mark.parametrize("kind", [word for kind in KINDS.values() for word in (kind.name, kind.plural)])
def test_list_names_every_component(cli, kind):
    listed = json.loads(cli("list", kind, "--json").out)
    shown = cli("list", kind).out
    singular = next(name for name, found in KINDS.items() if kind in {found.name, found.plural})
    assert {item["name"] for item in listed} == load_plugins().registry.entries[singular].keys()
    for item in listed:
        assert item["name"] in shown
        assert item["summary"], f"{item['name']} needs a docstring"


def test_every_component_is_shown_with_every_parameter_documented(cli):
    for kind in KINDS:
        for entry in load_plugins().registry.entries[kind].values():
            shown = json.loads(cli("show", kind, entry.name, "--json").out)
            assert shown["description"]
            for parameter in shown["parameters"]:
                assert parameter["doc"], f"{kind} {entry.name}: parameter {parameter['name']} is not documented"


def test_show_for_people(cli):
    shown = cli("show", "encoders", "resnet18").out
    assert "ResNet-18" in shown
    assert "zero_init_last" in shown
    wrong = cli("show", "encoder", "resnet19")
    assert wrong.status == 2
    assert "did you mean 'resnet18'" in wrong.err


def test_plugins_tell_what_they_provide(cli):
    found = {plugin["name"]: plugin for plugin in json.loads(cli("plugins", "--json").out)}
    assert found["methods"]["provides"] == {"methods": ["simclr"]}
    assert found["thesis"]["distribution"] == "medssl-bench-thesis"
    assert "tau_nov" in found["thesis"]["provides"]["augmentations"]
    blocked = {plugin["name"]: plugin for plugin in json.loads(cli("-p", "no:thesis", "plugins", "--json").out)}
    assert blocked["thesis"]["problem"] == "blocked"
    assert "tau_nov" not in cli("-p", "no:thesis", "list", "augmentations").out


def test_data_list_tells_licences_and_what_is_here(cli, tmp_path):
    (tmp_path / "bloodmnist.npz").write_bytes(b"put here by hand")
    rows = {row["name"]: row for row in json.loads(cli("data", "list", "--json", "--data-dir", tmp_path).out)}
    assert rows["dermamnist"]["licence"] == "CC BY-NC 4.0"
    assert (rows["bloodmnist"]["here"], rows["pathmnist"]["here"]) == ("yes", "no")
    assert rows["phantom_cells"]["here"] == "generated"
    assert (rows["octmnist"]["train"], rows["octmnist"]["val"], rows["octmnist"]["test"]) == (97_477, 10_832, 1_000)
    assert "CC BY-NC" in cli("data", "list", "--data-dir", tmp_path).out


def test_data_fetch_says_what_to_do_when_it_cannot(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSSL_BENCH_MIRROR", "http://127.0.0.1:9")
    result = cli("data", "fetch", "bloodmnist", "--data-dir", tmp_path)
    assert result.status == 2
    line = result.err.strip().splitlines()[-1]
    for part in ("127.0.0.1", "bloodmnist.npz", "7053d0359d879ad8a5505303e11de1dc", str(tmp_path)):
        assert part in line


def test_schema_accepts_the_repositorys_suites(cli, pytestconfig):
    schema = json.loads(cli("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)  # jsonschema.validate would check the schema for each suite
    for path in (pytestconfig.rootpath / "suites").glob("*.toml"):
        validator.validate(tomllib.loads(path.read_text("utf-8")))


def test_a_name_without_its_kind_is_told_the_kinds_that_have_it(cli):
    result = cli("show", "simclr")
    assert result.status == 2
    kinds = "medssl-bench show augmentation simclr or medssl-bench show method simclr"
    assert result.err == f"error: say what 'simclr' is: {kinds} (see medssl-bench show --help)\n"
    assert cli("show", "method").err == "error: Missing argument 'NAME' (see medssl-bench show --help)\n"


def test_doctor(cli, tmp_path):
    result = cli("doctor", "--store", tmp_path / "store", "--data-dir", tmp_path)
    assert result.status == 0, result.out
    for word in ("python", "torch", "torchvision", "plugin thesis", "views/s", "GiB free"):
        assert word in result.out


def test_doctor_names_a_torchvision_of_another_torch(cli, tmp_path, monkeypatch):
    broken = tmp_path / "torchvision" / "__init__.py"
    broken.parent.mkdir()
    broken.write_text('raise RuntimeError("operator torchvision::nms does not exist")')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)

    result = cli("doctor", "--store", tmp_path / "store", "--data-dir", tmp_path)

    assert result.status == 1
    assert "BAD torchvision: torchvision " in result.out
    assert "pip install --force-reinstall torch torchvision" in result.out
    assert result.out.endswith("to put right: torchvision\n")
    assert not result.err
