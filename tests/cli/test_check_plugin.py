"""What check-plugin is asked, and what it says; what it checks is tested in tests/contract."""

from __future__ import annotations

import json

import pytest

GENTLE = '''\
"""Mine."""
from medssl_bench import hookimpl


@hookimpl
def medssl_augmentations(register):
    register("still", still)


def still(size: int):
    """Nothing but a resize."""
    from torch import nn

    print("built")
    return nn.AdaptiveAvgPool2d(size)
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a plugin, in one module, as pip would leave it."""

    def install(name, source):
        site = tmp_path / "site"
        (site / f"{name}-1.0.dist-info").mkdir(parents=True)
        (site / f"{name}.py").write_text(source, "utf-8")
        (site / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (site / f"{name}-1.0.dist-info" / "entry_points.txt").write_text(f"[medssl_bench]\n{name} = {name}\n")
        monkeypatch.syspath_prepend(site)

    return install


def test_an_installed_plugin_that_passes(cli, installed):
    installed("calm_plugin", GENTLE)
    result = cli("check-plugin", "calm_plugin")
    assert result.status == 0, result.out
    assert "ok   plugin calm_plugin: loads: 1 component(s)" in result.out
    assert "ok   augmentation still: another key gives another view: no: it is deterministic" in result.out
    assert result.out.endswith("calm_plugin: 16 checks passed, 0 failed\n")
    assert "\x1b" not in result.out


def test_json_is_not_disturbed_by_what_a_component_prints(cli, tmp_path):
    (tmp_path / "loud_plugin.py").write_text(GENTLE, "utf-8")
    result = cli("check-plugin", tmp_path / "loud_plugin.py", "--json")
    checks = json.loads(result.out)
    assert checks[0] == {"component": "plugin loud_plugin", "name": "loads", "ok": True, "found": "1 component(s)"}
    assert "built" in result.err


@pytest.mark.parametrize(
    "source", ["import no_such_module\n", "raise SystemExit(0)\n", "nothing = 1\n", "def broken(\n"]
)
def test_a_plugin_that_cannot_be_used_fails(cli, installed, tmp_path, source):
    installed("sad_plugin", source)
    (tmp_path / "sad_inline.py").write_text(source, "utf-8")
    for name in ("sad_plugin", tmp_path / "sad_inline.py"):
        result = cli("check-plugin", name)
        assert result.status == 1
        (first, *_) = result.out.splitlines()
        assert first.startswith("FAIL plugin sad_")
        assert result.out.endswith("0 checks passed, 1 failed\n")


def test_a_component_that_ends_the_process_does_not_end_the_check(cli, tmp_path):
    path = tmp_path / "ending_plugin.py"
    path.write_text(GENTLE.replace('print("built")', "raise SystemExit(0)"), "utf-8")
    result = cli("check-plugin", path)
    assert result.status == 1
    assert "FAIL augmentation still: can be built: SystemExit: 0" in result.out
    assert result.out.endswith("1 failed\n")


def test_a_file_that_is_not_there(cli, tmp_path):
    result = cli("check-plugin", tmp_path / "gone.py")
    assert result.status == 2
    assert result.err == f"error: there is no file {tmp_path / 'gone.py'}\n"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("npz", "write KIND:NAME"),
        ("datset:npz", "did you mean 'datasets'"),
        ("dataset:npzz", "plugin 'datasets' has no dataset 'npzz' (did you mean 'npz'?)"),
        ("method:simclr", "plugin 'datasets' has no method 'simclr'; it has: none"),
    ],
)
def test_parameters_for_a_component_that_there_is_not(cli, given, wanted):
    result = cli("check-plugin", "datasets", "--with", given, "size = 28")
    assert result.status == 2
    assert wanted in result.err
    assert result.err.count("\n") == 1
    assert not result.out


def test_parameters_that_are_not_valid_fail_one_check(cli, tmp_path):
    path = tmp_path / "sized_plugin.py"
    path.write_text(
        GENTLE.replace("size: int)", "size: int, *, p: float)").replace(
            "resize.", "resize.\n\n    Args:\n        p: any.\n    "
        )
    )
    asked = cli("check-plugin", path)
    assert asked.status == 0
    assert "not checked: it needs p; give --with augmentation:still 'p = ...'" in asked.out
    wrong = cli("check-plugin", path, "--with", "augmentation:still", "p = 'high'")
    assert wrong.status == 1
    assert "FAIL augmentation still: its parameters are valid: " in wrong.out
    assert cli("check-plugin", path, "--with", "augmentations:still", "p = 0.5").status == 0


def test_data_are_looked_for_where_they_are(cli, tmp_path):
    """A file in the data folder that is not the published one is found, and found out."""
    (tmp_path / "bloodmnist.npz").write_bytes(b"not this")
    few = [word for name in ("cells", "layers") for word in ("--with", f"dataset:phantom_{name}", "train = 40")]
    result = cli("check-plugin", "datasets", "--data-dir", tmp_path, "--json", *few)
    checks = json.loads(result.out)
    found = {(c["component"], c["name"]): c for c in checks}
    assert result.status == 1
    (failed,) = [check for check in checks if not check["ok"]]
    assert failed["component"] == "dataset bloodmnist"
    assert "its MD5 is" in failed["found"]
    assert found["dataset pathmnist", "content"]["found"].startswith("not here")
