"""Layers of an encoder are those that timm knows, counted from the head down."""

from __future__ import annotations

from torch import nn

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.evaluators.layer_depths import layer_depths


def test_a_layer_of_a_resnet_is_a_stage_and_one_of_a_vit_a_block():
    resnet = layer_depths(TimmEncoder("resnet18", 32))
    vit = layer_depths(TimmEncoder("vit_tiny_patch16_224", 32, options={"img_size": 32, "patch_size": 8, "depth": 3}))

    assert resnet["backbone.conv1.weight"] == 5
    assert {resnet[f"backbone.layer4.{block}.conv1.weight"] for block in (0, 1)} == {1}
    assert vit["backbone.pos_embed"] == vit["backbone.patch_embed.proj.weight"] == 4
    assert [vit[f"backbone.blocks.{block}.attn.qkv.weight"] for block in range(3)] == [3, 2, 1]
    assert vit["backbone.norm.weight"] == 1


def test_an_encoder_may_say_its_layers_itself():
    class Own(nn.Sequential):
        def group_matcher(self, coarse=False):
            return {"first": r"^0\.", "second": r"^1\."}

    depths = layer_depths(Own(nn.Linear(4, 4), nn.Linear(4, 4)))

    assert depths == {"0.weight": 2, "0.bias": 2, "1.weight": 1, "1.bias": 1}
