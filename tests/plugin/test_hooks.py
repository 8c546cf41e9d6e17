"""What looks like a hook and is none is told: nothing would ever call it."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from medssl_bench import Suite, hookimpl, run
from medssl_bench.errors import PluginError
from medssl_bench.plugin.hooks import HOOKS, wrong_with_hooks
from medssl_bench.plugin.manager import BUILT_IN, load_plugins

SOUND = """
@hookimpl
def medssl_ops(register):
    pass
"""


def _module(text: str) -> types.ModuleType:
    module = types.ModuleType("plugin")
    exec(f"from medssl_bench import hookimpl\n{text}", vars(module))
    return module


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "@hookimpl\ndef medssl_augmentation(register): pass",
            "no hook 'medssl_augmentation' (did you mean 'medssl_augm",
        ),
        ("@hookimpl\ndef medssl_datset(register): pass", "no hook 'medssl_datset' (did you mean 'medssl_datasets'?)"),
        ("@hookimpl\ndef ops(register): pass", "no hook 'ops' (did you mean 'medssl_ops'?)"),
        ("@hookimpl\ndef op(register): pass", "no hook 'op' (did you mean 'medssl_ops'?)"),
        ("@hookimpl\ndef xyz(register): pass", "no hook 'xyz'; the hooks are medssl_datasets, medssl_augmentations, "),
        ("@hookimpl(specname='medssl_method')\ndef f(register): pass", "no hook 'medssl_method' (did you mean"),
        (
            "def medssl_augmentations(register): pass",
            "its function 'medssl_augmentations' is not marked with @hookimpl, so nothing would call it",
        ),
        (
            "def medssl_augmentation(register): pass",
            "its function 'medssl_augmentation' (did you mean 'medssl_augmentations'?) is not marked with @hookimpl",
        ),
        (
            "@hookimpl\ndef medssl_stage_ends(stage, outcom): pass",
            "hook 'medssl_stage_ends' has no argument 'outcom' (did you mean 'outcome'?); it has stage, outcome",
        ),
    ],
)
def test_a_slip_beside_a_sound_hook_is_told(text: str, wanted: str) -> None:
    assert wanted in wrong_with_hooks(_module(SOUND + text))


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        f"{SOUND}def medssl_dataset_path(): pass",
        f"{SOUND}def helper(): pass\nmedssl_version = 3",
        f"{SOUND}from medssl_bench.plugin.hookspecs import medssl_datasets",
        "@hookimpl(specname='medssl_methods')\ndef any_name(register): pass",
        "@hookimpl\ndef medssl_stage_ends(stage): pass",
        "@hookimpl\ndef medssl_stage_ends(stage, verbose=False): pass",
    ],
)
def test_what_is_sound_is_left_alone(text: str) -> None:
    assert wrong_with_hooks(_module(text)) == ""


def test_every_hook_is_known_with_its_arguments() -> None:
    assert HOOKS["medssl_ops"] == ("register",)
    assert HOOKS["medssl_epoch_ends"] == ("stage", "epoch")
    assert not any(wrong_with_hooks(__import__(name, fromlist=["x"])) for name in BUILT_IN)


def test_the_plugin_is_left_out_with_one_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"from medssl_bench import hookimpl\n{SOUND}\ndef medssl_encoder(register):\n    pass\n", "utf-8")
    with pytest.raises(PluginError) as caught:
        load_plugins().add_inline(file)
    assert "mine.py is not a usable plugin: its function 'medssl_encoder' (did you mean" in str(caught.value)


class _Watches:
    @hookimpl
    def medssl_stage_end(self) -> None:
        """Would never be called."""


def test_a_watcher_of_a_script_is_checked_before_the_run(tmp_path: Path) -> None:
    suite = Suite.load(Path(__file__).parents[2] / "suites" / "quickstart.toml")
    suite.plugins.manager.register(_Watches(), name="mine")
    wanted = "plugin 'mine' cannot watch: there is no hook 'medssl_stage_end' .did you mean 'medssl_stage_ends'"
    with pytest.raises(PluginError, match=wanted):
        run(suite, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()
