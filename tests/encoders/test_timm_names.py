"""The names of timm's models, without timm, are those that timm gives."""

from __future__ import annotations

import pytest
import timm

from medssl_bench.encoders.timm_names import existing_model, timm_models


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
