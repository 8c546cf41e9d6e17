"""The names of timm's models, without timm, are those that timm gives."""

from __future__ import annotations

import pytest
import timm

from medssl_bench.encoders.timm_names import checked_options, existing_model, timm_models
from medssl_bench.plugin.parameters import ParameterProblem


def test_they_are_timms() -> None:
    assert set(timm.list_models()) <= timm_models()
    assert all(timm.is_model(name) for name in timm_models())


@pytest.mark.parametrize("name", ["resnet18", "resnet18.a1_in1k", "tv_resnet34", "test_resnet"])
def test_models_there_are(name: str) -> None:
    assert timm.is_model(name)
    assert existing_model(name) == name


def test_a_model_there_is_not() -> None:
    with pytest.raises(ValueError, match=r"timm has no model 'resnet181' \(did you mean 'resnet1"):
        existing_model("resnet181")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"checkpoint_path": "x.pth"}, "checkpoint_path is no option of an encoder: write weights_file"),
        ({"pretrained": True}, 'write weights = "pretrained"'),
        ({"num_classes": 3}, "an encoder has no classifier"),
        ({"features_only": True}, "an encoder gives one vector for each image"),
        (
            {"pretrained_cfg_overlay": {"file": "x.safetensors"}},
            "pretrained_cfg_overlay takes no file: write weights_f",
        ),
    ],
)
def test_options_that_would_load_weights_or_change_outputs(make, options: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterProblem, match=said):
        make("timm", model="test_vit", options=options)
    assert checked_options({"img_size": 32}) == {"img_size": 32}
