"""What an encoder begins with, and what the floor on it is called: never untrained where that is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from medssl_bench import hookimpl
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.plugin.registry import Plugin, Register
from medssl_bench.suite.initial_weights import is_untrained, named, starts_from_weights, without_weights
from medssl_bench.suite.suite import Suite


class _Encoders:
    @hookimpl
    def medssl_encoders(self, register: Register) -> None:
        register("own", own)
        register("foundation", foundation)
        register("switched", switched)


def own(size: int, *, width: int = 8) -> None:
    """Says nothing of weights; it may load some."""


def foundation(size: int, *, weights: Literal["dino", "mae"] = "dino") -> None:
    """Has weights in any case."""


def switched(size: int, *, pretrained: bool = True) -> None:
    """Has weights unless told otherwise."""


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    found = load_plugins()
    found.add(Plugin("begins", "installed"), _Encoders)
    return found


def _encoder(plugins: Plugins, value: object) -> Component:
    return plugins.registry.resolve_or_raise("encoder", value)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("resnet18", "untrained resnet18"),
        ({"name": "timm", "model": "test_resnet"}, "untrained test_resnet"),
        ({"name": "transformers", "config_file": "config.json"}, "untrained transformers"),
        ({"name": "resnet18", "weights": "pretrained"}, "pretrained weights of resnet18, no pretraining here"),
        (
            {"name": "timm", "model": "resnet18.a1_in1k", "weights": "pretrained"},
            "pretrained weights of resnet18.a1_in1k, no pretraining here",
        ),
        ("own", "own as it is made, no pretraining here"),
        ("foundation", "foundation with weights dino, no pretraining here"),
        ("switched", "pretrained weights of switched, no pretraining here"),
        ({"name": "switched", "pretrained": False}, "untrained switched"),
    ],
)
def test_what_it_is_called(value: object, name: str, plugins: Plugins) -> None:
    encoder = _encoder(plugins, value)
    assert named(encoder) == name
    assert is_untrained(encoder) == name.startswith("untrained")
    assert not (is_untrained(encoder) and starts_from_weights(encoder))


def test_a_file_of_weights_gives_the_name(plugins: Plugins, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "hub.safetensors")
    encoder = _encoder(plugins, {"name": "resnet18", "weights_file": str(tmp_path / "hub.safetensors")})
    assert named(encoder) == "weights of hub.safetensors, no pretraining here"
    plain = without_weights(encoder, plugins.registry)
    assert (named(plain), plain.files) == ("untrained resnet18", {})


SUITE = """\
schema = 1
name = "floors"

[[comparison]]
id = "t"
datasets = ["phantom_cells"]
labels = [50]
encoder = "ENCODER"
baseline = "FLOOR"

  [[comparison.arm]]
  name = "probe"
  evaluator = "linear_probe"
"""


@pytest.mark.parametrize(
    ("encoder", "floor"),
    [
        ("resnet18", "untrained encoder"),
        ("own", "encoder without pretraining"),
        ("foundation", "encoder without pretraining"),
        ("switched", "untrained encoder"),
    ],
)
def test_the_floor_is_called_untrained_only_where_it_is(
    encoder: str, floor: str, plugins: Plugins, tmp_path: Path
) -> None:
    (tmp_path / "suite.toml").write_text(SUITE.replace("ENCODER", encoder).replace("FLOOR", floor), "utf-8")
    arm = Suite.load(tmp_path / "suite.toml", plugins).tables[0].arms[1]
    assert arm.name == floor
    assert arm.encoder.parameters.get("pretrained") in {None, False}
    assert arm.encoder.parameters.get("weights") in {None, "scratch", "dino"}
