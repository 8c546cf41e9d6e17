"""Groups of parameters have the rates and the weight decay that timm's own function gives them."""

from __future__ import annotations

import pytest
import timm
from timm.optim import param_groups_layer_decay
from torch import nn

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError
from medssl_bench.evaluators.finetune_settings import FineTuneSettings
from medssl_bench.evaluators.parameter_groups import parameter_groups, set_encoder_rate
from medssl_bench.training.optimizer import make_optimizer, set_learning_rate

CLASSES = 3
MODELS = {
    "resnet18": {},
    "vit_tiny_patch16_224": {"img_size": 32, "patch_size": 8, "depth": 3},
    "convnext_atto": {"depths": (1, 1, 2, 1)},
    "test_vit2": {"img_size": 64},  # with a normalisation behind the pooling
}


def pair(name):
    options = MODELS[name]
    encoder = TimmEncoder(name, options.get("img_size", 32), options=options)
    whole = timm.create_model(name, num_classes=CLASSES, **options)
    return nn.Sequential(encoder, nn.Linear(encoder.dim, CLASSES)), whole


def by_timm(whole, layer_decay, weight_decay):
    """Return rate and weight decay of every parameter by timm, whose layers are blocks of a ViT, or stages."""
    matcher = whole.group_matcher
    whole.group_matcher = lambda **_: matcher(coarse=True)
    spared = whole.no_weight_decay() if hasattr(whole, "no_weight_decay") else ()
    groups = param_groups_layer_decay(whole, weight_decay, no_weight_decay_list=spared, layer_decay=layer_decay)
    names = {id(parameter): name for name, parameter in whole.named_parameters()}
    return {names[id(each)]: (group["lr_scale"], group["weight_decay"]) for group in groups for each in group["params"]}


def ours(model, groups, weight_decay, head):
    names = {id(each): name for name, each in model[0].backbone.named_parameters()}
    names |= {id(each): f"{head}.{name}" for name, each in model[1].named_parameters()}
    return {
        names[id(each)]: (group["lr_scale"], group.get("weight_decay", weight_decay))
        for group in groups
        for each in group["params"]
    }


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("layer_decay", [0.65, 0.9])
def test_they_are_those_of_timm(name, layer_decay):
    model, whole = pair(name)
    settings = FineTuneSettings(layer_decay=layer_decay, decays="weights")

    found = ours(model, parameter_groups(model, settings), 0.05, head=whole.pretrained_cfg["classifier"])

    wanted = by_timm(whole, layer_decay, 0.05)
    assert {name: pytest.approx(each) for name, each in wanted.items()} == found
    assert len({rate for rate, _ in found.values()}) > 3


def test_without_such_options_there_is_one_group():
    model, _ = pair("resnet18")

    (group,) = parameter_groups(model, FineTuneSettings())

    assert group.keys() == {"params"}
    assert [id(each) for each in group["params"]] == [id(each) for each in model.parameters()]


@pytest.mark.parametrize("recorded", [False, True])
def test_the_encoder_has_a_rate_of_its_own_that_follows_the_schedule(recorded):
    model, _ = pair("resnet18")
    groups = parameter_groups(model, FineTuneSettings(encoder_lr=1e-4, layer_decay=0.5))
    optimizer = make_optimizer(groups, {"name": "sgd", "lr": 1e-2, "weight_decay": 0.0}, recorded=recorded)
    set_encoder_rate(optimizer, 1e-4)

    for share in (1.0, 0.25):
        set_learning_rate(optimizer, share * 1e-2)
        rates = {id(each): float(group["lr"]) for group in optimizer.param_groups for each in group["params"]}
        assert rates[id(model[1].weight)] == pytest.approx(share * 1e-2)
        assert rates[id(model[0].backbone.layer4[0].conv1.weight)] == pytest.approx(share * 0.5e-4)
        assert rates[id(model[0].backbone.conv1.weight)] == pytest.approx(share * 0.5**5 * 1e-4)


def test_layers_that_are_not_known_are_refused():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    assert len(parameter_groups(model, FineTuneSettings(encoder_lr=0.1))) == 2, "that needs no layers"

    with pytest.raises(StageError, match=r"does not say them; leave layer_decay out, or give the encoder"):
        parameter_groups(model, FineTuneSettings(layer_decay=0.9))
